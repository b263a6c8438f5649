//! A key or a certificate of a client, as it goes out.

use std::collections::BTreeMap;

use credentials::{ClientKeyId, KeyMaterial, SubjectKind};
use serde::Serialize;
use serde_json::{Map, Value};
use usecases::keys::KeyDetails;

/// A key of a client. All of it is public.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientKeyView {
    kid: String,
    credential_id: String,
    client_id: String,
    method: &'static str,
    algorithm: Option<&'static str>,
    jwk: Option<Map<String, Value>>,
    certificate_thumbprint: Option<String>,
    tls_client_auth: Option<BTreeMap<&'static str, String>>,
    status: &'static str,
    name: Option<String>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

impl From<&KeyDetails> for ClientKeyView {
    fn from(details: &KeyDetails) -> Self {
        let key = details.key.record();
        Self {
            kid: key.kid.to_string(),
            credential_id: key.id.to_string(),
            client_id: key.agent.to_string(),
            method: key.material.method().name(),
            algorithm: key.material.algorithm().map(jose::Algorithm::name),
            jwk: jwk(&key.material, &key.kid),
            certificate_thumbprint: thumbprint(&key.material),
            tls_client_auth: subject(&key.material),
            status: details.status.as_str(),
            name: key.name.as_ref().map(ToString::to_string),
            created_at: key.created_at.to_string(),
            expires_at: key.expires_at.map(|at| at.to_string()),
            last_used_at: details.last_used_at.map(|at| at.to_string()),
            revoked_at: details.removed_at.map(|at| at.to_string()),
        }
    }
}

/// The public key, by the id that its client gave it.
fn jwk(material: &KeyMaterial, kid: &ClientKeyId) -> Option<Map<String, Value>> {
    match material {
        KeyMaterial::Jwk(key) => {
            let mut members = key.to_members();
            members.insert("kid".to_owned(), kid.as_str().into());
            Some(members)
        }
        KeyMaterial::Certificate(_) | KeyMaterial::Subject(_) => None,
    }
}

/// Of a certificate of the client's own, what it is known by.
fn thumbprint(material: &KeyMaterial) -> Option<String> {
    match material {
        KeyMaterial::Certificate(certificate) => Some(certificate.to_string()),
        KeyMaterial::Jwk(_) | KeyMaterial::Subject(_) => None,
    }
}

/// Of certificates of an authority's, the name that they must bear.
fn subject(material: &KeyMaterial) -> Option<BTreeMap<&'static str, String>> {
    match material {
        KeyMaterial::Subject(name) => {
            Some(BTreeMap::from([(subject_member(name.kind), name.text.to_string())]))
        }
        KeyMaterial::Jwk(_) | KeyMaterial::Certificate(_) => None,
    }
}

/// The member of `tlsClientAuth` for a kind of name.
pub(crate) const fn subject_member(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Dn => "subjectDn",
        SubjectKind::SanDns => "sanDns",
        SubjectKind::SanUri => "sanUri",
        SubjectKind::SanIp => "sanIp",
        SubjectKind::SanEmail => "sanEmail",
    }
}
