//! A signed answer to an introspection (RFC 9701): what a resource server can keep and show to others.

use jose::{Algorithm, KeyId};
use kernel::{AgentId, Secret, Timestamp};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    issuer::Issuer,
    jws,
    port::{Signer, SigningFailed},
};

/// An answer that waits for its signature.
#[derive(Debug, Clone, PartialEq)]
pub struct IntrospectionAnswer<'a> {
    /// Who answers.
    pub issuer: &'a Issuer,
    /// Who asked, and for whom alone the answer is.
    pub asked_by: AgentId,
    /// When it is answered. The token's own times are among its members.
    pub answered_at: Timestamp,
    /// The members that the plain answer has (RFC 7662 section 2.2).
    pub members: &'a Map<String, Value>,
}

/// The claims on the wire (RFC 9701 section 5). There is no `sub` and no `exp`, and the token's members
/// stand in a claim of their own, so that nobody takes the answer for an access token (section 8.1).
#[derive(Serialize)]
struct WireClaims<'a> {
    iss: &'a str,
    aud: String,
    iat: i64,
    token_introspection: &'a Map<String, Value>,
}

impl IntrospectionAnswer<'_> {
    /// Signs it.
    ///
    /// # Errors
    /// [`SigningFailed`]
    pub async fn sign(
        &self,
        key: (&KeyId, Algorithm),
        signer: &impl Signer,
    ) -> Result<Secret, SigningFailed> {
        let claims = WireClaims {
            iss: self.issuer.as_str(),
            aud: self.asked_by.to_string(),
            iat: self.answered_at.unix_seconds(),
            token_introspection: self.members,
        };
        jws::sign(jws::signing_input(jws::Kind::Introspection, &claims, key), key.0, signer).await
    }
}

#[cfg(test)]
mod tests {
    use data_encoding::BASE64URL_NOPAD;
    use futures_util::FutureExt;
    use kernel::ExposeSecret;
    use serde_json::json;

    use super::*;
    use crate::{
        InvalidToken,
        jws::verify,
        sample::{OneKey, at, client, issuer},
    };

    fn answer(members: &Value) -> String {
        let (issuer, key) = (issuer(), OneKey::id());
        let answer = IntrospectionAnswer {
            issuer: &issuer,
            asked_by: client().agent,
            answered_at: at(1_700_000_000_999),
            members: members.as_object().unwrap(),
        };
        let signed = answer.sign((&key, Algorithm::Es256), &OneKey).now_or_never().unwrap();
        signed.unwrap().expose_secret().to_owned()
    }

    fn part(token: &str, at: usize) -> Value {
        let part = token.split('.').nth(at).unwrap();
        serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn an_answer_says_who_answers_whom_and_when_and_keeps_the_token_apart() {
        let members = json!({ "active": true, "sub": "x", "exp": 1 });
        let signed = answer(&members);
        let header = json!({
            "alg": "ES256", "kid": OneKey::id().as_str(), "typ": "token-introspection+jwt",
        });
        assert_eq!(part(&signed, 0), header);
        let claims = json!({
            "iss": "https://idp.example.com",
            "aud": client().agent.to_string(),
            "iat": 1_700_000_000,
            "token_introspection": members,
        });
        assert_eq!(part(&signed, 1), claims);
    }

    #[test]
    fn an_answer_is_no_access_token() {
        let signed = answer(&json!({ "active": false }));
        assert_eq!(verify(&signed, &issuer(), &OneKey), Err(InvalidToken::Malformed));
    }
}
