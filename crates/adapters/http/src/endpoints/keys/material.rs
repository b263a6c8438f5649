//! What an agent registers to authenticate by: a public key, a certificate, or the name on one.

use credentials::{CertificateSubject, ClientKeyId, KeyMaterial, SubjectKind};
use jose::Jwk;
use kernel::Timestamp;
use serde_json::Value;

use crate::{
    fields::{Fields, Given, Reason, object},
    mutual_tls::{UnreadableCertificate, read_text},
    supported::{MutualTls, Supported},
    views::subject_member,
};

/// The fields of which one is there.
const FIELDS: [&str; 3] = ["jwk", "certificate", "tlsClientAuth"];

/// What was given, and what its own content says of it.
pub(super) struct GivenMaterial {
    pub(super) material: KeyMaterial,
    /// The `kid` of a key.
    pub(super) kid: Option<ClientKeyId>,
    /// When a certificate ends by itself.
    pub(super) ends_at: Option<Timestamp>,
}

impl GivenMaterial {
    const fn of(material: KeyMaterial) -> Self {
        Self { material, kid: None, ends_at: None }
    }
}

/// Reads the one kind that is given. What this server would never take is refused, before the secrets
/// of the agent end for it.
pub(super) fn read(fields: &mut Fields, supported: &Supported) -> Option<GivenMaterial> {
    let tls = supported.mutual_tls.as_ref();
    let all = [
        ("jwk", fields.optional("jwk", jwk)),
        ("certificate", fields.optional("certificate", |given| certificate(given, tls))),
        ("tlsClientAuth", fields.optional("tlsClientAuth", |given| subject(given, tls))),
    ];
    let mut given = all.into_iter().filter_map(|(name, given)| Some((name, given?)));
    let first = given.next();
    for (name, _) in given {
        fields.refuse(name, "is one way to authenticate too many");
    }
    if first.is_none() && !fields.is_refused(&FIELDS) {
        fields.refuse("jwk", "is required, or `certificate`, or `tlsClientAuth`");
    }
    first.map(|(_, given)| given)
}

/// Where the field of each kind stands.
pub(super) const fn field_of(material: &KeyMaterial) -> &'static str {
    match material {
        KeyMaterial::Jwk(_) => "jwk",
        KeyMaterial::Certificate(_) => "certificate",
        KeyMaterial::Subject(_) => "tlsClientAuth",
    }
}

/// A public key (RFC 7517 section 4), and the `kid` in it.
fn jwk(given: Given) -> Result<GivenMaterial, Reason> {
    let members = object(given)?;
    let key = Jwk::parse(&members).map_err(|error| error.to_string())?;
    let kid = match members.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(
            kid.parse().map_err(|error: credentials::material::InvalidKeyId| error.to_string())?,
        ),
        Some(_) => return Err("`kid` must be a string".to_owned()),
    };
    Ok(GivenMaterial { kid, ..GivenMaterial::of(KeyMaterial::Jwk(key)) })
}

/// A certificate of the client's own (RFC 8705 section 2.2).
fn certificate(given: Given, tls: Option<&MutualTls>) -> Result<GivenMaterial, Reason> {
    if !takes(tls, "self_signed_tls_client_auth") {
        return Err("is of no use: this server sees no certificates of clients".to_owned());
    }
    let (Given::Json(Value::String(text)) | Given::Text(text)) = given else {
        return Err("must be a string".to_owned());
    };
    let read = read_text(&text).map_err(|error: UnreadableCertificate| error.to_string())?;
    let material = KeyMaterial::Certificate(read.thumbprint);
    Ok(GivenMaterial { ends_at: Some(read.not_after), ..GivenMaterial::of(material) })
}

/// The one name that certificates of a trusted authority must bear (RFC 8705 section 2.1.2).
fn subject(given: Given, tls: Option<&MutualTls>) -> Result<GivenMaterial, Reason> {
    if !takes(tls, "tls_client_auth") {
        return Err("is of no use: this server trusts no authority about clients".to_owned());
    }
    let members = object(given)?;
    let mut entries = members.iter();
    let (Some((member, Value::String(text))), None) = (entries.next(), entries.next()) else {
        return Err(one_of());
    };
    let kind = SubjectKind::ALL.into_iter().find(|kind| subject_member(*kind) == member);
    let name = CertificateSubject::parse(kind.ok_or_else(one_of)?, text);
    let name = name.map_err(|error| format!("`{member}` {error}"))?;
    Ok(GivenMaterial::of(KeyMaterial::Subject(name)))
}

fn takes(tls: Option<&MutualTls>, method: &str) -> bool {
    tls.is_some_and(|tls| tls.client_methods.contains(&method))
}

fn one_of() -> Reason {
    let members = SubjectKind::ALL.map(|kind| format!("`{}`", subject_member(kind)));
    format!("must have exactly one of {}, and its value is a string", members.join(", "))
}
