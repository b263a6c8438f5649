//! Whatever the metadata advertises is used here, one by one. A member, a method or an algorithm that
//! these tests do not know fails them: it may be advertised once somebody has shown that it works.

use data_encoding::BASE64URL_NOPAD;
use kernel::Clock;
use serde_json::Value;
use tokens::{Algorithm, KeyState, Signer, SigningKey};

use crate::kit::{
    Answer, Client, KeyPair, Prover, Server, Settings, SigningClient, call::Call, prover::AGENTS,
    server::ISSUER, signing_client::ASSERTION_TYPE,
};

/// Where the metadata is found.
const METADATA: [&str; 2] =
    ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"];
const RESOURCE: &str = "/.well-known/oauth-protected-resource";

fn path(url: &Value) -> &str {
    url.as_str().unwrap().strip_prefix(ISSUER).unwrap()
}

fn texts(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// A client, and the server that advertises.
struct Reader<'a> {
    server: &'a Server,
    client: Client,
    signing: SigningClient,
    metadata: Value,
}

const fn asserted(assertion: &str) -> [(&str, &str); 2] {
    [("client_assertion_type", ASSERTION_TYPE), ("client_assertion", assertion)]
}

impl<'a> Reader<'a> {
    async fn of(server: &'a Server, place: &str) -> Self {
        let client = server.client(&["resource_server"]).await;
        let metadata = server.get(place).send().await.expect(200).json;
        let signing = SigningClient::of(server, KeyPair::es256(), &["operator"]).await;
        Self { server, client, signing, metadata }
    }

    /// A call that authenticates by this method, with this form.
    fn by<'f>(&self, method: &str, endpoint: &str, form: &[(&'f str, &'f str)]) -> Call<'a> {
        let (id, secret) = (self.client.id.clone(), self.client.secret.clone());
        let call = self.server.post(path(&self.metadata[format!("{endpoint}_endpoint")]));
        match method {
            "client_secret_basic" => call.basic(&id, &secret).form(form),
            "client_secret_post" => {
                let own = [("client_id", id.as_str()), ("client_secret", secret.as_str())];
                call.form(&[form, &own].concat())
            }
            "private_key_jwt" => {
                let assertion = self.signing.assertion(self.server, &self.fresh_id());
                call.form(&[form, &asserted(&assertion)].concat())
            }
            other => panic!("{other} is advertised, and nobody has shown that it works"),
        }
    }

    /// An id that no assertion had before.
    fn fresh_id(&self) -> String {
        self.server.clock.now().unix_micros().to_string()
    }

    /// Uses an endpoint by an assertion that this algorithm signed.
    async fn use_assertion(&self, endpoint: &str, algorithm: &str) {
        let signing = SigningClient::with(self.server, KeyPair::of(algorithm)).await;
        let assertion = signing.assertion(self.server, "1");
        let form = [("grant_type", "client_credentials"), ("token", "x")];
        let place = path(&self.metadata[format!("{endpoint}_endpoint")]);
        let call = self.server.post(place).form(&[&form[..], &asserted(&assertion)].concat());
        call.send().await.expect(200);
    }

    /// Uses an endpoint by a method, so that only a client that authenticated is answered well.
    async fn use_endpoint(&self, endpoint: &str, method: &str) {
        let token = self.server.token_of(&self.client, "resume:read").await;
        let form = [("grant_type", "client_credentials"), ("token", token.as_str())];
        let answer = self.by(method, endpoint, &form).send().await.expect(200);
        match endpoint {
            "token" => assert!(answer.json["access_token"].is_string()),
            "introspection" => assert_eq!(answer.json["active"], true),
            "revocation" => assert!(!self.is_active(&token).await),
            other => panic!("{other} is advertised, and nobody has shown that it works"),
        }
    }

    /// Gets a token with a proof that this algorithm signed, and shows it with another.
    async fn use_proofs(&self, algorithm: &str) {
        let prover = Prover::with(self.server, KeyPair::of(algorithm));
        let client = self.server.client(&["operator"]).await;
        let token = prover.token(&client).await;
        let nonce = prover.nonce(&client).await;
        let claims = prover.claims_with(&token, ("GET", AGENTS), &nonce);
        prover.list(&token, &claims).await.expect(200);
    }

    async fn is_active(&self, token: &str) -> bool {
        let call = self.by("client_secret_basic", "introspection", &[("token", token)]);
        call.send().await.expect(200).json["active"].as_bool().unwrap()
    }

    async fn use_grant(&self, grant: &str) {
        let call = self.by("client_secret_basic", "token", &[("grant_type", grant)]);
        call.send().await.expect(200);
    }

    async fn use_scope(&self, scope: &str) {
        let granted = self.server.ask(&self.server.admin, &[("scope", scope)]).await;
        assert_eq!(granted.expect(200).json["scope"], scope);
    }

    /// The header of an introspection's signed answer.
    async fn signed_introspection(&self) -> Value {
        let call = self.by("client_secret_basic", "introspection", &[("token", "x")]);
        let answer = call.header("accept", "application/token-introspection+jwt").send().await;
        header_of(&answer.expect(200))
    }

    /// A token that a key of this algorithm signed is good, and its key is published.
    async fn use_signature(&self, algorithm: &str) {
        let issued = self.server.ask(&self.client, &[]).await.expect(200).text("access_token");
        let token = if decoded_header(&issued)["alg"] == algorithm {
            issued
        } else {
            self.signed_anew(&issued, algorithm).await
        };
        assert!(self.is_active(&token).await, "{algorithm}");
        let keys = self.server.get(path(&self.metadata["jwks_uri"])).send().await.expect(200).json;
        let kid = &decoded_header(&token)["kid"];
        let key = keys["keys"].as_array().unwrap().iter().find(|key| key["kid"] == *kid).unwrap();
        assert_eq!(key["alg"], algorithm);
    }

    /// The same claims, signed by the key of another algorithm: as they will be, or were.
    async fn signed_anew(&self, token: &str, algorithm: &str) -> String {
        let kept = self.server.key_keeper().list().await.unwrap();
        let signs = |key: &&SigningKey| {
            key.algorithm().name() == algorithm && matches!(key.state(), KeyState::Active { .. })
        };
        let key = kept.whole.iter().find(signs).unwrap().id();
        let mut header = decoded_header(token);
        header["alg"] = algorithm.into();
        header["kid"] = key.as_str().into();
        let header = BASE64URL_NOPAD.encode(header.to_string().as_bytes());
        let input = format!("{header}.{}", token.split('.').nth(1).unwrap());
        let signature = self.server.signer().sign(&key, input.as_bytes()).await.unwrap();
        format!("{input}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    /// Uses one member: a list name by name, whatever else whole.
    async fn use_member(&self, name: &str, value: &Value) {
        match name {
            "issuer" | "resource" => assert_eq!(value, ISSUER),
            "token_endpoint" | "introspection_endpoint" | "revocation_endpoint" => {
                // Whoever may authenticate nowhere is told so, and not that there is nothing.
                assert_eq!(self.server.post(path(value)).form(&[]).send().await.status, 401);
            }
            "authorization_endpoint" => {
                // Some clients take no metadata without one. It refuses whoever comes.
                let asked = format!("{}?response_type=none&client_id=x", path(value));
                let refused = self.server.get(asked).send().await;
                assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR"));
            }
            "jwks_uri" | "service_documentation" | "resource_documentation" => {
                self.server.get(path(value)).send().await.expect(200);
            }
            "resource_name" => assert!(!value.as_str().unwrap().is_empty()),
            list => {
                for one in texts(value) {
                    self.use_one(list, one).await;
                }
            }
        }
    }

    /// Uses one of the names that a member lists.
    async fn use_one(&self, member: &str, one: &str) {
        match member {
            "token_endpoint_auth_methods_supported"
            | "introspection_endpoint_auth_methods_supported"
            | "revocation_endpoint_auth_methods_supported" => {
                self.use_endpoint(endpoint_of(member), one).await;
            }
            "token_endpoint_auth_signing_alg_values_supported"
            | "introspection_endpoint_auth_signing_alg_values_supported"
            | "revocation_endpoint_auth_signing_alg_values_supported" => {
                self.use_assertion(endpoint_of(member), one).await;
            }
            "grant_types_supported" => self.use_grant(one).await,
            "scopes_supported" => self.use_scope(one).await,
            "dpop_signing_alg_values_supported" => self.use_proofs(one).await,
            "introspection_signing_alg_values_supported" => {
                assert_eq!(self.signed_introspection().await["alg"], one);
            }
            // Required, though there is no authorization endpoint and there are no ID tokens.
            "response_types_supported" => assert_eq!(one, "none"),
            "subject_types_supported" => assert_eq!(one, "public"),
            "id_token_signing_alg_values_supported" => self.use_signature(one).await,
            "protected_resources" => {
                self.server.ask(&self.server.admin, &[("resource", one)]).await.expect(200);
                let described = self.server.get(RESOURCE).send().await.expect(200);
                assert_eq!(described.json["resource"], one);
            }
            "authorization_servers" => assert_eq!(one, ISSUER),
            "bearer_methods_supported" => {
                assert_eq!(one, "header");
                let token = self.server.token("agents:read").await;
                self.server.get("/api/v1/agents").token(&token).send().await.expect(200);
            }
            other => panic!("{other} is advertised, and nobody has shown that it works"),
        }
    }
}

/// The endpoint that a member of the metadata speaks of.
fn endpoint_of(member: &str) -> &str {
    member.split_once("_endpoint_").unwrap().0
}

fn decoded_header(jwt: &str) -> Value {
    let part = jwt.split('.').next().unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part.as_bytes()).unwrap()).unwrap()
}

fn header_of(answer: &Answer) -> Value {
    decoded_header(std::str::from_utf8(&answer.body).unwrap())
}

/// A server that signs with these, whose verifiers know every key.
async fn signing_with(algorithms: &'static [Algorithm]) -> Server {
    let server = Server::with(Settings { algorithms, ..Settings::default() }).await;
    server.clock.advance(server.rotation.cached_for);
    let kept = server.key_keeper().keep_up().await.unwrap();
    server.signer().replace(&kept.whole).unwrap();
    server
}

#[tokio::test]
async fn whatever_is_advertised_works() {
    everything_works(&Server::start().await).await;
}

#[tokio::test]
async fn whatever_is_advertised_works_where_keys_of_several_algorithms_are_published() {
    everything_works(&signing_with(&Algorithm::ALL).await).await;
}

async fn everything_works(server: &Server) {
    for place in [METADATA[0], METADATA[1], RESOURCE] {
        let described = server.get(place).send().await.expect(200).json;
        // The endpoints stand in the server's metadata, whatever else is described.
        let reader = Reader::of(server, METADATA[0]).await;
        for (name, value) in described.as_object().unwrap() {
            assert!(value.as_array().is_none_or(|list| !list.is_empty()), "{name} is empty");
            reader.use_member(name, value).await;
        }
    }
}

#[tokio::test]
async fn both_places_of_the_metadata_say_the_same() {
    let server = Server::start().await;
    let plain = server.get(METADATA[0]).send().await.expect(200).json;
    let mut openid = server.get(METADATA[1]).send().await.expect(200).json;
    let members = openid.as_object_mut().unwrap();
    members.remove("id_token_signing_alg_values_supported").unwrap();
    members.remove("subject_types_supported").unwrap();
    assert_eq!(plain, openid);
}

#[tokio::test]
async fn jr_02_a_new_algorithm_is_advertised_before_it_signs_and_what_signs_now_comes_first() {
    let algorithms = &[Algorithm::EdDsa, Algorithm::Es256];
    let server = Server::with(Settings { algorithms, ..Settings::default() }).await;
    let both_lists = async || {
        let metadata = server.get(METADATA[1]).send().await.expect(200).json;
        let list = |name: &str| texts(&metadata[name]).join(" ");
        let introspection = list("introspection_signing_alg_values_supported");
        (introspection, list("id_token_signing_alg_values_supported"))
    };
    // That of ES256 is next, and signs nothing yet.
    let states = server.key_keeper().list().await.unwrap().whole;
    let active = |key: &&SigningKey| matches!(key.state(), KeyState::Active { .. });
    assert_eq!(states.iter().filter(active).count(), 1);
    assert_eq!(both_lists().await, ("EdDSA".to_owned(), "EdDSA ES256".to_owned()));
}
