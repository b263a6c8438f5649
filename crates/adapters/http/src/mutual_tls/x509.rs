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
    der::{Decode, Tag, Tagged, asn1::Any},
    ext::pkix::{SubjectAltName, name::GeneralName},
    name::Name,
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
}

/// Reads a certificate in DER. It says nothing of who vouches for it.
///
/// # Errors
/// [`UnreadableCertificate::Content`]
pub(crate) fn read(der: &CertificateDer<'_>) -> Result<Certificate, UnreadableCertificate> {
    // What the handshake would not take can never be shown.
    ParsedCertificate::try_from(der).map_err(|_| UnreadableCertificate::Content)?;
    let parsed = X509::from_der(der).map_err(|_| UnreadableCertificate::Content)?;
    let certificate = parsed.tbs_certificate();
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
