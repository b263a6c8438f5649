//! Reads certificates: their names, and how long they are good.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    time::Duration,
};

use credentials::{
    Certificate, CertificateSubject, CertificateThumbprint, DistinguishedName, SubjectKind,
};
use data_encoding::BASE64;
use kernel::Timestamp;
use rustls::{
    pki_types::{
        CertificateDer,
        pem::{PemObject, SectionKind},
    },
    server::ParsedCertificate,
};
use thiserror::Error;
use x509_cert::{
    Certificate as X509,
    der::{
        self, Decode, Reader, SliceReader, Tag, Tagged,
        asn1::{Any, ObjectIdentifier, UintRef},
    },
    ext::pkix::{SubjectAltName, name::GeneralName},
    name::Name,
    spki::SubjectPublicKeyInfoOwned,
};

/// Why a certificate is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnreadableCertificate {
    /// It is neither PEM nor base64 of DER.
    #[error("must be one certificate, in PEM or as base64 of its DER")]
    Form,
    /// A private key came with it, which nobody but its owner should have.
    #[error(
        "must be a certificate alone; there is a private key with it, which is not secret any more"
    )]
    PrivateKey,
    /// It is no certificate that a connection could be made with.
    #[error("must be a certificate of X.509, version 3")]
    Content,
    /// Its key is too weak, or of a kind that nobody needs.
    #[error("its key must be on P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits")]
    Key,
}

/// Reads a certificate in DER. It says nothing of who vouches for it.
///
/// # Errors
/// [`UnreadableCertificate::Content`], [`UnreadableCertificate::Key`]
pub(crate) fn read(der: &CertificateDer<'_>) -> Result<Certificate, UnreadableCertificate> {
    // What the handshake would not take can never be shown.
    ParsedCertificate::try_from(der).map_err(|_| UnreadableCertificate::Content)?;
    let parsed = X509::from_der(der).map_err(|_| UnreadableCertificate::Content)?;
    let certificate = parsed.tbs_certificate();
    if !is_strong(certificate.subject_public_key_info()) {
        return Err(UnreadableCertificate::Key);
    }
    let validity = certificate.validity();
    let mut names: Vec<_> = distinguished_name(certificate.subject()).into_iter().collect();
    // Names in a form that is not known are none of ours.
    if let Ok(Some((_, SubjectAltName(alternatives)))) = certificate.get_extension() {
        names.extend(alternatives.iter().filter_map(alternative_name));
    }
    Ok(Certificate {
        thumbprint: CertificateThumbprint::of(der),
        names,
        not_before: instant(validity.not_before.to_unix_duration())?,
        not_after: instant(validity.not_after.to_unix_duration())?,
    })
}

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const ON_A_CURVE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// P-256 and P-384.
const CURVES: [ObjectIdentifier; 2] = [
    ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7"),
    ObjectIdentifier::new_unwrap("1.3.132.0.34"),
];

/// Whether the key is as strong as those that are registered by themselves. A proxy may end connections
/// that a handshake here would not take.
fn is_strong(key: &SubjectPublicKeyInfoOwned) -> bool {
    let kind = key.algorithm.oid;
    if kind == RSA {
        let bits = key.subject_public_key.as_bytes().and_then(modulus_bits);
        return bits.is_some_and(|bits| (2_048..=4_096).contains(&bits));
    }
    if kind == ON_A_CURVE {
        let curve = key.algorithm.parameters.as_ref();
        let curve = curve.and_then(|curve| curve.decode_as::<ObjectIdentifier>().ok());
        return curve.is_some_and(|curve| CURVES.contains(&curve));
    }
    kind == ED25519
}

/// How many bits the modulus of an RSA key has (RFC 8017 appendix A.1.1).
fn modulus_bits(key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(key).ok()?;
    let bits: Result<_, der::Error> = reader.sequence(|members| {
        let modulus = UintRef::decode(members)?;
        let _exponent = UintRef::decode(members)?;
        let bytes = modulus.as_bytes();
        let unused = bytes.first().map_or(0, |first| first.leading_zeros());
        Ok(bytes.len().saturating_mul(8).saturating_sub(usize::try_from(unused).unwrap_or(0)))
    });
    bits.ok()
}

/// Reads the certificate that somebody registers.
///
/// # Errors
/// [`UnreadableCertificate`]
pub(crate) fn read_text(text: &str) -> Result<Certificate, UnreadableCertificate> {
    use UnreadableCertificate::{Form, PrivateKey};
    if !text.contains("-----BEGIN") {
        let packed: String = text.chars().filter(|char| !char.is_ascii_whitespace()).collect();
        let der = BASE64.decode(packed.as_bytes()).map_err(|_| Form)?;
        return read(&CertificateDer::from(der));
    }
    let mut certificate = None;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(text.as_bytes()) {
        match section.map_err(|_| Form)? {
            (SectionKind::Certificate, der) if certificate.is_none() => certificate = Some(der),
            (
                SectionKind::PrivateKey | SectionKind::RsaPrivateKey | SectionKind::EcPrivateKey,
                _,
            ) => return Err(PrivateKey),
            _ => return Err(Form),
        }
    }
    read(&CertificateDer::from(certificate.ok_or(Form)?))
}

fn instant(since_1970: Duration) -> Result<Timestamp, UnreadableCertificate> {
    let micros = i64::try_from(since_1970.as_micros()).ok();
    let instant = micros.and_then(|micros| Timestamp::from_unix_micros(micros).ok());
    instant.ok_or(UnreadableCertificate::Content)
}

/// The subject, if every part of it is text. A part that were left out would make it another name.
fn distinguished_name(subject: &Name) -> Option<CertificateSubject> {
    let parts = subject.iter_rdn().map(|part| {
        let pairs = part.iter().map(|pair| Some((pair.oid.to_string(), text(&pair.value)?)));
        pairs.collect::<Option<BTreeSet<_>>>()
    });
    let name = DistinguishedName::of_parts(parts.collect::<Option<Vec<_>>>()?)?;
    CertificateSubject::parse(SubjectKind::Dn, &name.to_string()).ok()
}

fn text(value: &Any) -> Option<String> {
    let text = str::from_utf8(value.value()).ok()?;
    // Of any other kind, the letters are others than they seem.
    let is_ascii = [Tag::PrintableString, Tag::Ia5String].contains(&value.tag()) && text.is_ascii();
    let is_text = is_ascii || value.tag() == Tag::Utf8String;
    is_text.then(|| text.to_owned())
}

fn alternative_name(name: &GeneralName) -> Option<CertificateSubject> {
    let (kind, text) = match name {
        GeneralName::DnsName(name) => (SubjectKind::SanDns, name.to_string()),
        GeneralName::UniformResourceIdentifier(uri) => (SubjectKind::SanUri, uri.to_string()),
        GeneralName::Rfc822Name(mailbox) => (SubjectKind::SanEmail, mailbox.to_string()),
        GeneralName::IpAddress(octets) => {
            (SubjectKind::SanIp, address(octets.as_bytes())?.to_string())
        }
        GeneralName::OtherName(_)
        | GeneralName::DirectoryName(_)
        | GeneralName::EdiPartyName(_)
        | GeneralName::RegisteredId(_) => return None,
    };
    CertificateSubject::parse(kind, &text).ok()
}

fn address(octets: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(octets).ok().map(Ipv4Addr::from).map(IpAddr::from);
    let v6 = || <[u8; 16]>::try_from(octets).ok().map(Ipv6Addr::from).map(IpAddr::from);
    v4().or_else(v6)
}

#[cfg(test)]
mod tests;
