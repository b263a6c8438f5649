//! Certificates for tests of TLS: authorities, what they make out and take back, and what somebody made
//! out to oneself.

use std::net::IpAddr;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CertifiedIssuer,
    DistinguishedName, DnType, Error, ExtendedKeyUsagePurpose, IsCa, KeyIdMethod, KeyPair,
    KeyUsagePurpose, PublicKeyData, RevokedCertParams, SanType, SerialNumber, date_time_ymd,
};

/// What a certificate is to say.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// `CN` of its subject.
    pub common_name: String,
    /// `O` of its subject, where it has one.
    pub organization: Option<String>,
    /// Its alternative names.
    pub names: Vec<AlternativeName>,
    /// The years on whose first days its validity begins and ends.
    pub years: (i32, i32),
    /// Whether it is for servers, and not for clients.
    pub is_of_a_server: bool,
}

/// One alternative name.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "they are named as in RFC 5280")]
pub enum AlternativeName {
    Dns(String),
    Uri(String),
    Address(IpAddr),
    Email(String),
}

impl Wanted {
    /// A client's certificate of that common name, which is good today.
    #[must_use]
    pub fn of(common_name: &str) -> Self {
        Self {
            common_name: common_name.to_owned(),
            organization: None,
            names: Vec::new(),
            years: (2024, 2090),
            is_of_a_server: false,
        }
    }

    /// A certificate of a server on this machine.
    #[must_use]
    pub fn of_this_machine() -> Self {
        let names = vec![
            AlternativeName::Dns("localhost".into()),
            AlternativeName::Address([127, 0, 0, 1].into()),
        ];
        Self { names, is_of_a_server: true, ..Self::of("localhost") }
    }

    /// The same with this URI among its names.
    #[must_use]
    pub fn with_uri(mut self, uri: &str) -> Self {
        self.names.push(AlternativeName::Uri(uri.to_owned()));
        self
    }

    fn params(&self, serial: u64) -> Result<CertificateParams, Error> {
        let mut params = CertificateParams::default();
        params.serial_number = Some(serial.into());
        params.distinguished_name = DistinguishedName::new();
        if let Some(organization) = &self.organization {
            params.distinguished_name.push(DnType::OrganizationName, organization.as_str());
        }
        params.distinguished_name.push(DnType::CommonName, self.common_name.as_str());
        for name in &self.names {
            params.subject_alt_names.push(match name {
                AlternativeName::Dns(name) => SanType::DnsName(name.as_str().try_into()?),
                AlternativeName::Uri(uri) => SanType::URI(uri.as_str().try_into()?),
                AlternativeName::Address(address) => SanType::IpAddress(*address),
                AlternativeName::Email(mailbox) => {
                    SanType::Rfc822Name(mailbox.as_str().try_into()?)
                }
            });
        }
        params.not_before = date_time_ymd(self.years.0, 1, 1);
        params.not_after = date_time_ymd(self.years.1, 1, 1);
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![if self.is_of_a_server {
            ExtendedKeyUsagePurpose::ServerAuth
        } else {
            ExtendedKeyUsagePurpose::ClientAuth
        }];
        Ok(params)
    }
}

/// A certificate, and its key.
#[derive(Debug, Clone)]
pub struct Held {
    /// The certificate in PEM.
    pub certificate: String,
    /// The certificate in DER.
    pub der: Vec<u8>,
    /// The key in PEM.
    pub key: String,
    serial: u64,
}

impl Held {
    fn new(certificate: &rcgen::Certificate, key: &KeyPair, serial: u64) -> Self {
        let der = certificate.der().to_vec();
        Self { certificate: certificate.pem(), der, key: key.serialize_pem(), serial }
    }
}

/// An authority. Two of one name are two.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    made_out: u64,
}

impl Authority {
    /// A new authority of that name.
    ///
    /// # Errors
    /// Where no key can be made.
    pub fn new(name: &str) -> Result<Self, Error> {
        let mut params = Wanted::of(name).params(1)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = Vec::new();
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        Ok(Self { issuer, made_out: 1 })
    }

    /// An authority that this one made out.
    ///
    /// # Errors
    /// Where no key can be made.
    pub fn below(&mut self, name: &str) -> Result<Self, Error> {
        self.made_out += 1;
        let mut params = Wanted::of(name).params(self.made_out)?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.extended_key_usages = Vec::new();
        let issuer = CertifiedIssuer::signed_by(params, KeyPair::generate()?, &self.issuer)?;
        Ok(Self { issuer, made_out: 1 })
    }

    /// Its own certificate, in PEM.
    #[must_use]
    pub fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Its own certificate, in DER.
    #[must_use]
    pub fn der(&self) -> Vec<u8> {
        self.issuer.der().to_vec()
    }

    /// Makes out a certificate, with a new key.
    ///
    /// # Errors
    /// Where no key can be made, or a name is none.
    pub fn certify(&mut self, wanted: &Wanted) -> Result<Held, Error> {
        self.made_out += 1;
        let key = KeyPair::generate()?;
        let certificate = wanted.params(self.made_out)?.signed_by(&key, &self.issuer)?;
        Ok(Held::new(&certificate, &key, self.made_out))
    }

    /// Its list of revoked certificates, in PEM: these.
    ///
    /// # Errors
    /// Where it cannot be signed.
    pub fn revoke(&self, revoked: &[&Held]) -> Result<String, Error> {
        let entry = |held: &&Held| RevokedCertParams {
            serial_number: SerialNumber::from(held.serial),
            revocation_time: date_time_ymd(2025, 1, 1),
            reason_code: None,
            invalidity_date: None,
        };
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2025, 1, 1),
            next_update: date_time_ymd(2090, 1, 1),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: revoked.iter().map(entry).collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer)?.pem()
    }
}

/// A certificate that somebody made out to oneself.
///
/// # Errors
/// Where no key can be made, or a name is none.
pub fn self_signed(wanted: &Wanted) -> Result<Held, Error> {
    let key = KeyPair::generate()?;
    // Two that say the same differ in their keys, and in their numbers too.
    let serial = key.der_bytes().iter().rev().take(7).fold(1, |n, byte| n << 8 | u64::from(*byte));
    Ok(Held::new(&wanted.params(serial)?.self_signed(&key)?, &key, serial))
}
