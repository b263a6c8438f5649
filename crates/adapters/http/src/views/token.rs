//! What introspection tells of a token.

use serde::Serialize;
use tokens::Confirmation;
use usecases::tokens::ActiveToken;

/// What a token is bound to (RFC 7800 section 3.1): so a resource server holds whoever shows it to it.
#[derive(Debug, Serialize)]
enum ConfirmationView {
    /// The thumbprint of a key (RFC 9449 section 6.2).
    #[serde(rename = "jkt")]
    Key(String),
    /// The thumbprint of a certificate (RFC 8705 section 3.2).
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

impl From<&Confirmation> for ConfirmationView {
    fn from(confirmation: &Confirmation) -> Self {
        match confirmation {
            Confirmation::Key(key) => Self::Key(key.to_string()),
            Confirmation::Certificate(certificate) => Self::Certificate(certificate.to_string()),
        }
    }
}

/// A token that is good (RFC 7662 section 2.2).
#[derive(Debug, Serialize)]
pub(crate) struct ActiveTokenView {
    active: bool,
    scope: String,
    client_id: String,
    sub: String,
    aud: Vec<String>,
    iss: String,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: String,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<ConfirmationView>,
    organization_id: String,
    agent_type: String,
}

impl From<&ActiveToken> for ActiveTokenView {
    fn from(token: &ActiveToken) -> Self {
        let claims = token.claims();
        Self {
            active: true,
            scope: token.scope().to_string(),
            client_id: claims.agent.to_string(),
            sub: claims.agent.to_string(),
            aud: claims.audience.clone(),
            iss: claims.issuer.clone(),
            exp: claims.expires_at.unix_seconds(),
            iat: claims.issued_at.unix_seconds(),
            nbf: claims.issued_at.unix_seconds(),
            jti: claims.id.to_string(),
            token_type: Confirmation::scheme(claims.confirmation.as_ref()).name(),
            cnf: claims.confirmation.as_ref().map(ConfirmationView::from),
            organization_id: claims.organization.to_string(),
            agent_type: claims.agent_type.clone(),
        }
    }
}
