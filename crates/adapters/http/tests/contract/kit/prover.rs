//! A key of a client's own, and the proofs that it signs.

use std::sync::atomic::{AtomicU32, Ordering};

use data_encoding::BASE64URL_NOPAD;
use kernel::Clock;
use ring::digest;
use serde_json::{Value, json};

use super::{Answer, Client, KeyPair, Server, call::Call, server::ISSUER};

/// Where tokens are asked for.
pub(crate) const TOKEN: &str = "/api/v1/token";

/// Whoever proves that it holds a key.
pub(crate) struct Prover<'a> {
    server: &'a Server,
    pub(crate) pair: KeyPair,
    made: AtomicU32,
}

impl<'a> Prover<'a> {
    pub(crate) fn new(server: &'a Server) -> Self {
        Self::with(server, KeyPair::es256())
    }

    pub(crate) fn with(server: &'a Server, pair: KeyPair) -> Self {
        Self { server, pair, made: AtomicU32::new(0) }
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "typ": "dpop+jwt", "alg": self.pair.algorithm(), "jwk": self.pair.jwk() })
    }

    /// The claims of a proof of this request, each time others.
    pub(crate) fn claims(&self, method: &str, path: &str, nonce: &str) -> Value {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        json!({
            "jti": format!("proof-{number}"),
            "htm": method,
            "htu": format!("{ISSUER}{path}"),
            "iat": self.server.clock.now().unix_seconds(),
            "nonce": nonce,
        })
    }

    /// The claims of a proof of this request with this token.
    pub(crate) fn claims_with(&self, token: &str, request: (&str, &str), nonce: &str) -> Value {
        let mut claims = self.claims(request.0, request.1, nonce);
        claims["ath"] = json!(hash(token));
        claims
    }

    pub(crate) fn proof(&self, claims: &Value) -> String {
        self.pair.signed(&self.header(), claims)
    }

    /// A request for a token of this client, without a proof yet.
    pub(crate) fn asking(&self, client: &Client) -> Call<'a> {
        let form = [("grant_type", "client_credentials")];
        self.server.post(TOKEN).basic(&client.id, &client.secret).form(&form)
    }

    /// Asks for a token with this proof.
    pub(crate) async fn ask_with(&self, client: &Client, proof: &str) -> Answer {
        self.asking(client).header("dpop", proof).send().await
    }

    /// Asks for a token with a proof of these claims.
    pub(crate) async fn ask(&self, client: &Client, claims: &Value) -> Answer {
        self.ask_with(client, &self.proof(claims)).await
    }

    /// A nonce for the client's organization, as the server tells it to whoever has none.
    pub(crate) async fn nonce(&self, client: &Client) -> String {
        let mut claims = self.claims("POST", TOKEN, "");
        claims.as_object_mut().unwrap().remove("nonce");
        let answer = self.ask(client, &claims).await;
        assert_eq!(answer.refusal(), (400, "use_dpop_nonce"));
        answer.header("dpop-nonce").unwrap().to_owned()
    }

    /// A token that is bound to the key.
    pub(crate) async fn token(&self, client: &Client) -> String {
        let nonce = self.nonce(client).await;
        let answer = self.ask(client, &self.claims("POST", TOKEN, &nonce)).await;
        answer.expect(200).text("access_token")
    }

    /// Reads the list of agents with a token and a proof of these claims.
    pub(crate) async fn list(&self, token: &str, claims: &Value) -> Answer {
        let call = self.server.get(AGENTS).header("authorization", format!("DPoP {token}"));
        call.header("dpop", self.proof(claims)).send().await
    }
}

/// What a bound token is shown to.
pub(crate) const AGENTS: &str = "/api/v1/agents";

/// `ath` of a token.
pub(crate) fn hash(token: &str) -> String {
    BASE64URL_NOPAD.encode(digest::digest(&digest::SHA256, token.as_bytes()).as_ref())
}
