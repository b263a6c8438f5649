//! What a refused caller should have sent: the `WWW-Authenticate` header, in one place for the
//! management API and the OAuth endpoints.

use axum::http::HeaderValue;
use tokens::{InvalidProof, Issuer, Scheme};

use crate::dpop;

/// How to authenticate, or what the authentication lacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// No token was sent. There is no `error` then (RFC 6750 section 3.1). With the scope that the
    /// operation needs, where it needs one.
    TokenRequired(Option<&'static str>),
    /// The token is not good, or not shown as it must be. Nothing tells why: expired, revoked and
    /// forged look alike. With the scope that the operation needs, where it needs one.
    TokenRefused(Option<&'static str>),
    /// The token is good, but does not permit this.
    ScopeLacking(&'static str),
    /// The proof that came with the token does not pass (RFC 9449 section 7.1).
    ProofRefused(InvalidProof),
    /// The proof must have the nonce that the answer carries (RFC 9449 section 9).
    NonceNeeded,
    /// HTTP Basic was tried at an OAuth endpoint (RFC 6749 section 5.2).
    Basic,
}

impl Challenge {
    /// What a body says about it.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::TokenRequired(_) => "an access token is required".to_owned(),
            Self::TokenRefused(_) => "the token is expired, revoked or not valid".to_owned(),
            Self::ScopeLacking(scope) => format!("the token lacks the scope {scope}"),
            Self::ProofRefused(invalid) => format!("the DPoP proof is refused: {invalid}"),
            Self::NonceNeeded => {
                "the DPoP proof must have the nonce that this answer carries".to_owned()
            }
            Self::Basic => "client authentication failed".to_owned(),
        }
    }

    /// The headers: one for each scheme that would do, and for that of the request where it showed a
    /// token. What could not be a header is left out, which no issuer and no scope token brings about.
    pub(crate) fn headers(&self, issuer: &Issuer, shown: Scheme) -> Vec<HeaderValue> {
        let of = |scheme, error| self.of_scheme(scheme, error, issuer);
        let texts = match self {
            Self::TokenRequired(_) => vec![of(Scheme::Bearer, None), of(Scheme::Dpop, None)],
            Self::TokenRefused(_) => vec![of(shown, Some("invalid_token"))],
            Self::ScopeLacking(_) => vec![of(shown, Some("insufficient_scope"))],
            Self::ProofRefused(_) => vec![of(Scheme::Dpop, Some("invalid_dpop_proof"))],
            Self::NonceNeeded => vec![of(Scheme::Dpop, Some("use_dpop_nonce"))],
            Self::Basic => vec!["Basic realm=\"agentidp\"".to_owned()],
        };
        texts.into_iter().filter_map(|text| HeaderValue::try_from(text).ok()).collect()
    }

    /// What the operation needs (RFC 6750 section 3): a client that asks for it in advance need not be
    /// refused a second time.
    const fn scope(&self) -> Option<&'static str> {
        match self {
            Self::TokenRequired(scope) | Self::TokenRefused(scope) => *scope,
            Self::ScopeLacking(scope) => Some(*scope),
            Self::ProofRefused(_) | Self::NonceNeeded | Self::Basic => None,
        }
    }

    /// The same, for an operation that needs this scope.
    pub(crate) const fn wanting(self, scope: &'static str) -> Self {
        match self {
            Self::TokenRequired(_) => Self::TokenRequired(Some(scope)),
            Self::TokenRefused(_) => Self::TokenRefused(Some(scope)),
            Self::ScopeLacking(_) | Self::ProofRefused(_) | Self::NonceNeeded | Self::Basic => self,
        }
    }

    fn of_scheme(&self, scheme: Scheme, error: Option<&str>, issuer: &Issuer) -> String {
        let mut parameters = Vec::new();
        if let Some(error) = error {
            parameters.push(format!("error=\"{error}\""));
            parameters.push(format!("error_description=\"{}\"", self.message()));
        }
        if let Some(scope) = self.scope() {
            parameters.push(format!("scope=\"{scope}\""));
        }
        match scheme {
            Scheme::Bearer => {}
            Scheme::Dpop => parameters.push(format!("algs=\"{}\"", dpop::algorithms())),
        }
        let metadata = issuer.well_known("oauth-protected-resource");
        parameters.push(format!("resource_metadata=\"{metadata}\""));
        format!("{} {}", scheme.name(), parameters.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_names_the_error_only_where_a_token_was_sent() {
        let issuer = "https://idp.example.com".parse().unwrap();
        let headers = |challenge: &Challenge, shown| {
            let headers = challenge.headers(&issuer, shown).into_iter();
            headers.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let metadata =
            "resource_metadata=\"https://idp.example.com/.well-known/oauth-protected-resource\"";
        let algorithms = "algs=\"ES256 EdDSA Ed25519 PS256\"";
        assert_eq!(
            headers(&Challenge::TokenRequired(None), Scheme::Bearer),
            [format!("Bearer {metadata}"), format!("DPoP {algorithms}, {metadata}")]
        );
        let refused = "error=\"invalid_token\", error_description=\"the token is expired, \
                       revoked or not valid\"";
        assert_eq!(
            headers(&Challenge::TokenRefused(None), Scheme::Bearer),
            [format!("Bearer {refused}, {metadata}")]
        );
        assert_eq!(
            headers(&Challenge::TokenRefused(None), Scheme::Dpop),
            [format!("DPoP {refused}, {algorithms}, {metadata}")]
        );
        let lacking = "error=\"insufficient_scope\", error_description=\"the token lacks the \
                       scope agents:read\", scope=\"agents:read\"";
        assert_eq!(
            headers(&Challenge::ScopeLacking("agents:read"), Scheme::Bearer),
            [format!("Bearer {lacking}, {metadata}")]
        );
        assert_eq!(
            headers(&Challenge::NonceNeeded, Scheme::Dpop),
            [format!(
                "DPoP error=\"use_dpop_nonce\", error_description=\"the DPoP proof must have \
                 the nonce that this answer carries\", {algorithms}, {metadata}"
            )]
        );
        assert_eq!(headers(&Challenge::Basic, Scheme::Bearer), ["Basic realm=\"agentidp\""]);
    }

    #[test]
    fn a_document_of_an_issuer_with_a_path_stands_before_it() {
        let issuer = "https://idp.example.com/one".parse().unwrap();
        let header = Challenge::TokenRequired(None).headers(&issuer, Scheme::Bearer).remove(0);
        let document = "https://idp.example.com/.well-known/oauth-protected-resource/one";
        assert_eq!(header, format!("Bearer resource_metadata=\"{document}\""));
    }
}
