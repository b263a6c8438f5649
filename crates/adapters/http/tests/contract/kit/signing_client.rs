//! A client that registered a key, and the assertions that it signs.

use kernel::Clock;
use serde_json::{Value, json};

use super::{Answer, KeyPair, Server, server::ISSUER};

/// What `client_assertion_type` says.
pub(crate) const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A client that registered a key, and what it signs.
pub(crate) struct SigningClient {
    pub(crate) id: String,
    pub(crate) pair: KeyPair,
}

impl SigningClient {
    pub(crate) async fn registered(server: &Server) -> Self {
        Self::with(server, KeyPair::es256()).await
    }

    pub(crate) async fn with(server: &Server, pair: KeyPair) -> Self {
        Self::of(server, pair, &[]).await
    }

    pub(crate) async fn of(server: &Server, pair: KeyPair, roles: &[&str]) -> Self {
        let id = server.register_agent(json!({ "roles": roles })).await;
        register(server, &id, &pair).await.expect(201);
        Self { id, pair }
    }

    pub(crate) fn claims(&self, server: &Server, jti: &str) -> Value {
        let now = server.clock.now().unix_seconds();
        json!({
            "iss": self.id, "sub": self.id, "aud": ISSUER, "jti": jti, "iat": now, "exp": now + 60,
        })
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": self.pair.algorithm(), "typ": "client-authentication+jwt" })
    }

    pub(crate) fn assertion(&self, server: &Server, jti: &str) -> String {
        self.pair.signed(&self.header(), &self.claims(server, jti))
    }

    pub(crate) fn with_claim(&self, server: &Server, name: &str, value: Value) -> String {
        let mut claims = self.claims(server, "bent");
        claims[name] = value;
        self.pair.signed(&self.header(), &claims)
    }
}

/// Registers the public half of a pair for an agent.
pub(crate) async fn register(server: &Server, agent: &str, pair: &KeyPair) -> Answer {
    let token = server.token("credentials:write").await;
    let path = format!("/api/v1/agents/{agent}/keys");
    server.post(path).token(&token).json(&json!({ "jwk": pair.jwk() })).send().await
}
