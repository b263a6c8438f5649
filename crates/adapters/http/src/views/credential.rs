//! A credential, as it goes out: with its secret once, and never again.

use kernel::ExposeSecret;
use serde::Serialize;
use usecases::credentials::{CredentialDetails, NewSecret};

/// A credential, never its secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialView {
    credential_id: String,
    client_id: String,
    status: &'static str,
    name: Option<String>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

impl From<&CredentialDetails> for CredentialView {
    fn from(details: &CredentialDetails) -> Self {
        let credential = details.credential.record();
        Self {
            credential_id: credential.id.to_string(),
            client_id: credential.agent.to_string(),
            status: details.status.as_str(),
            name: credential.name.as_ref().map(ToString::to_string),
            created_at: credential.created_at.to_string(),
            expires_at: credential.expires_at.map(|at| at.to_string()),
            last_used_at: details.last_used_at.map(|at| at.to_string()),
            revoked_at: details.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// A credential that was just made: the only answer that ever carries a secret, and so it has no
/// `Debug`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewSecretView<'a> {
    credential_id: String,
    client_id: String,
    client_secret: &'a str,
    status: &'static str,
    name: Option<String>,
    created_at: String,
    expires_at: Option<String>,
}

impl<'a> From<&'a NewSecret> for NewSecretView<'a> {
    fn from(made: &'a NewSecret) -> Self {
        let credential = made.credential.record();
        Self {
            credential_id: credential.id.to_string(),
            client_id: credential.agent.to_string(),
            client_secret: made.secret.expose_secret(),
            status: made.status.as_str(),
            name: credential.name.as_ref().map(ToString::to_string),
            created_at: credential.created_at.to_string(),
            expires_at: credential.expires_at.map(|at| at.to_string()),
        }
    }
}
