//! What a refused caller should have sent: the `WWW-Authenticate` header, in one place for the
//! management API and the OAuth endpoints.

use axum::http::HeaderValue;
use tokens::Issuer;

/// How to authenticate, or what the authentication lacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// No token was sent. There is no `error` then (RFC 6750 section 3.1).
    TokenRequired,
    /// The token is not good. Nothing tells why: expired, revoked and forged look alike.
    TokenRefused,
    /// The token is good, but does not permit this.
    ScopeLacking(String),
    /// HTTP Basic was tried at an OAuth endpoint (RFC 6749 section 5.2).
    Basic,
}

impl Challenge {
    /// What a body says about it.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::TokenRequired => "an access token is required".to_owned(),
            Self::TokenRefused => "the token is expired, revoked or not valid".to_owned(),
            Self::ScopeLacking(scope) => format!("the token lacks the scope {scope}"),
            Self::Basic => "client authentication failed".to_owned(),
        }
    }

    /// The header. `None` only if the text could not be one, which no issuer and no scope token
    /// brings about.
    pub(crate) fn header(&self, issuer: &Issuer) -> Option<HeaderValue> {
        let metadata = issuer.join("/.well-known/oauth-protected-resource");
        let error =
            |name: &str| format!("error=\"{name}\", error_description=\"{}\", ", self.message());
        let text = match self {
            Self::TokenRequired => format!("Bearer resource_metadata=\"{metadata}\""),
            Self::TokenRefused => {
                format!("Bearer {}resource_metadata=\"{metadata}\"", error("invalid_token"))
            }
            Self::ScopeLacking(scope) => format!(
                "Bearer {}scope=\"{scope}\", resource_metadata=\"{metadata}\"",
                error("insufficient_scope")
            ),
            Self::Basic => "Basic realm=\"agentidp\"".to_owned(),
        };
        HeaderValue::try_from(text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_error_only_where_a_token_was_sent() {
        let issuer = "https://idp.example.com".parse().unwrap();
        let header = |challenge: Challenge| challenge.header(&issuer).unwrap();
        let metadata =
            "resource_metadata=\"https://idp.example.com/.well-known/oauth-protected-resource\"";
        assert_eq!(header(Challenge::TokenRequired), format!("Bearer {metadata}"));
        assert_eq!(
            header(Challenge::TokenRefused),
            format!(
                "Bearer error=\"invalid_token\", error_description=\"the token is expired, \
                 revoked or not valid\", {metadata}"
            )
        );
        assert_eq!(
            header(Challenge::ScopeLacking("agents:read".to_owned())),
            format!(
                "Bearer error=\"insufficient_scope\", error_description=\"the token lacks the \
                 scope agents:read\", scope=\"agents:read\", {metadata}"
            )
        );
        assert_eq!(header(Challenge::Basic), "Basic realm=\"agentidp\"");
    }
}
