//! Strangers' OAuth clients against the real binary: they know the standards, and nothing of us.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use data_encoding::BASE64;
use futures_util::future::join;
use jsonwebtoken::{DecodingKey, Validation, errors::ErrorKind, jwk::JwkSet};
use kernel::{Clock, Entropy};
use local::{SystemClock, SystemEntropy};
use serde_json::{Value, json};
use sqlite_store::{Options, SqliteStore};

use crate::{
    support::{
        http::Request,
        server::{Admin, RunningServer},
    },
    tenant::Founded,
};

#[expect(dead_code, reason = "the other files of tests use the rest")]
mod support;

#[expect(dead_code, reason = "the other tests that found an organization use the rest")]
#[path = "support/tenant.rs"]
mod tenant;

/// What each library must have seen, once a method of authentication.
fn life_of_a_token(library: &str, method: &str) -> Value {
    json!({
        "library": library,
        "method": method,
        "signedWith": "ES256",
        "type": "at+jwt",
        "activeBefore": true,
        "activeAfter": false,
        "wrongCredential": "invalid_client",
    })
}

/// The list of what is seen of each library in each case.
fn each(libraries: &[&str], cases: &[&str], seen: impl Fn(&str, &str) -> Value) -> Value {
    let of_one = |library: &&str| cases.iter().map(|case| seen(library, case)).collect::<Vec<_>>();
    libraries.iter().flat_map(of_one).collect()
}

fn lives_by_secrets(libraries: &[&str]) -> Value {
    each(libraries, &["client_secret_basic", "client_secret_post"], life_of_a_token)
}

/// By keys, each for one algorithm.
fn lives_by_keys(libraries: &[&str]) -> Value {
    each(libraries, &["ES256", "EdDSA", "RS256", "PS256"], |library, algorithm| {
        let mut life = life_of_a_token(library, "private_key_jwt");
        life["algorithm"] = algorithm.into();
        life
    })
}

/// What a library must have seen of a token that is bound to a key of the algorithm.
fn life_of_a_bound_token(library: &str, algorithm: &str) -> Value {
    json!({
        "library": library,
        "proofs": algorithm,
        "offered": true,
        "type": "dpop",
        "withProof": 200,
        // By the token endpoint, and by the API.
        "askedForNonces": [400, 401],
        "withProofOfAnotherKey": 401,
        "asBearer": 401,
        "withoutProof": "invalid_request",
    })
}

fn signed_introspection(library: &str, method: &str) -> Value {
    json!({ "library": library, "method": method, "signedWith": "ES256" })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const NODE: (&str, &str) = ("node", "tests/clients/node/client.mjs");
const PYTHON: (&str, &str) = ("target/clients-venv/bin/python", "tests/clients/python/client.py");

/// Runs a program against a server of its own, and returns what it saw.
fn seen_by(program: (&str, &str), parts: &[&str]) -> Value {
    let folder = tempfile::tempdir().unwrap();
    seen_at(&RunningServer::start(folder.path()), program, parts)
}

/// Runs a program against a server, and returns what it saw.
fn seen_at(server: &RunningServer, program: (&str, &str), parts: &[&str]) -> Value {
    seen_with(server, program, parts, &[])
}

/// Runs it with more of an environment.
fn seen_with(
    server: &RunningServer,
    (program, script): (&str, &str),
    parts: &[&str],
    environment: &[(&str, &str)],
) -> Value {
    let program = if program.contains('/') { root().join(program) } else { program.into() };
    let admin = server.admin();
    let output = Command::new(program)
        .arg(root().join(script))
        .args(parts)
        .env("ISSUER", &server.base_url)
        .env("CLIENT_ID", admin.client_id)
        .env("CLIENT_SECRET", admin.client_secret)
        .envs(environment.iter().copied())
        .output()
        .expect("`cargo xtask test` brings the clients");
    let (told, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{errors}");
    serde_json::from_str(&told).unwrap()
}

#[test]
fn strangers_clients_work_unchanged_in_node() {
    let libraries = &["openid-client", "oauth4webapi"];
    let parts = &["secrets", "keys", "bound", "signed"];
    let seen = seen_by(NODE, parts);
    assert_eq!(seen["secrets"], lives_by_secrets(libraries));
    assert_eq!(seen["keys"], lives_by_keys(libraries));
    let proofs = &["ES256", "EdDSA", "PS256"];
    assert_eq!(seen["bound"], each(libraries, proofs, life_of_a_bound_token));
    let methods = &["client_secret_basic", "private_key_jwt"];
    assert_eq!(seen["signed"], each(libraries, methods, signed_introspection));
}

/// Founds a second organization in the data folder of a server that does not run.
fn founded_beside(folder: &Path) -> Founded {
    let pepper = fs::read_to_string(folder.join("pepper.key")).unwrap();
    let pepper = BASE64.decode(pepper.trim().as_bytes()).unwrap().try_into().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let (file, options) = (folder.join("idp.sqlite"), Options::default());
        let opened = SqliteStore::open(&file, clock.clone(), entropy.clone(), options).await;
        let (store, writer) = opened.unwrap();
        let founding = async {
            // What goes on behind the store ends with it.
            let store = store;
            tenant::found(&store, (&*clock, &*entropy), &pepper, "other").await
        };
        join(founding, writer.run()).await.0
    })
}

/// A server with two organizations: its first, and one whose admin is returned.
fn server_of_two(folder: &Path) -> (RunningServer, Admin) {
    assert!(RunningServer::start(folder).stop_gracefully().success());
    let other = founded_beside(folder);
    let admin = Admin { client_id: other.admin, client_secret: other.secret };
    (RunningServer::start(folder), admin)
}

#[test]
fn the_client_of_the_model_context_protocol_gets_tokens_and_calls_a_tool() {
    let folder = tempfile::tempdir().unwrap();
    let (server, other) = server_of_two(folder.path());
    let others =
        [("OTHER_CLIENT_ID", &*other.client_id), ("OTHER_CLIENT_SECRET", &*other.client_secret)];
    let seen = seen_with(&server, ("node", "tests/clients/node/mcp.mjs"), &[], &others);
    let providers = [
        "client_secret_basic",
        "private_key_jwt ES256",
        "private_key_jwt RS256",
        "private_key_jwt PS256",
    ];
    let called = providers.map(|provider| json!({ "provider": provider, "itself": true }));
    assert_eq!(seen["called"], json!(called));
    // A token for the issuer, one without the tool's scope, and one that another organization had made
    // out for the tool's own URI.
    let refused = json!([
        { "status": 401, "error": "invalid_token" },
        { "status": 403, "error": "insufficient_scope" },
        { "status": 401, "error": "invalid_token" },
    ]);
    assert_eq!(seen["refused"], refused);
}

#[test]
fn strangers_clients_work_unchanged_in_python() {
    let seen = seen_by(PYTHON, &["secrets", "keys"]);
    assert_eq!(seen["secrets"], lives_by_secrets(&["Authlib"]));
    assert_eq!(seen["keys"], lives_by_keys(&["Authlib"]));
}

/// The claims of a token that is good for the audience by the keys of the set, as a resource server
/// of that organization in Rust reads it.
fn verified(
    token: &str,
    keys: Value,
    (issuer, organization): (&str, &str),
) -> jsonwebtoken::errors::Result<Value> {
    let keys: JwkSet = serde_json::from_value(keys).unwrap();
    let header = jsonwebtoken::decode_header(token)?;
    assert_eq!(header.typ.as_deref(), Some("at+jwt"));
    let key = keys.find(header.kid.as_deref().unwrap()).expect("the key is published");
    let mut rules = Validation::new(header.alg);
    rules.set_issuer(&[issuer]);
    rules.set_audience(&[issuer]);
    rules.set_required_spec_claims(&["iss", "aud", "sub", "exp", "nbf"]);
    let claims: Value = jsonwebtoken::decode(token, &DecodingKey::from_jwk(key)?, &rules)?.claims;
    // Whatever the issuer signs for others is signed with the same keys.
    let own = claims["organization_id"] == organization;
    if own { Ok(claims) } else { Err(ErrorKind::InvalidToken.into()) }
}

/// A token of the first admin, asked for with nothing of a library.
fn token_of(server: &RunningServer) -> String {
    let admin = server.admin();
    let form = [("grant_type", "client_credentials"), ("scope", "agents:read")];
    let asked = Request::new("POST", "/api/v1/token");
    let asked = asked.basic(&admin.client_id, &admin.client_secret).form(&form);
    server.send(&asked).expect(200)["access_token"].as_str().unwrap().to_owned()
}

/// The organization of the first admin.
fn organization_of(server: &RunningServer, token: &str) -> String {
    let asked = Request::new("GET", "/api/v1/organization").bearer(token);
    server.send(&asked).expect(200)["organizationId"].as_str().unwrap().to_owned()
}

fn published_by(server: &RunningServer) -> Value {
    server.send(&Request::new("GET", "/.well-known/jwks.json")).expect(200)
}

#[test]
fn a_stranger_in_rust_verifies_a_token_by_the_published_keys_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let server = RunningServer::start(folder.path());
    let (token, keys, issuer) = (token_of(&server), published_by(&server), &*server.base_url);
    let organization = &*organization_of(&server, &token);
    let claims = verified(&token, keys.clone(), (issuer, organization)).unwrap();
    assert_eq!(claims["sub"], server.admin().client_id);
    assert_eq!(claims["scope"], "agents:read");

    let (rest, signature) = token.rsplit_once('.').unwrap();
    let mut forged = signature.to_owned();
    forged.replace_range(..1, if signature.starts_with('A') { "B" } else { "A" });
    let forged = format!("{rest}.{forged}");
    assert!(verified(&forged, keys.clone(), (issuer, organization)).is_err());
    let another = ("https://another.example.com", organization);
    assert!(verified(&token, keys.clone(), another).is_err());
    let another = (issuer, "01a1fd1e-8c00-7000-8000-000000000001");
    assert!(verified(&token, keys, another).is_err());
}

#[test]
fn whatever_tokens_are_signed_with_strangers_in_each_language_verify_them() {
    for algorithm in ["EdDSA", "RS256", "PS256"] {
        let folder = tempfile::tempdir().unwrap();
        let settings = [("PORT", "0"), ("IDP_SIGNING_ALGORITHMS", algorithm)];
        let server = RunningServer::start_with(folder.path(), &settings);
        for program in [NODE, PYTHON] {
            let seen = seen_at(&server, program, &["secrets"]);
            for life in seen["secrets"].as_array().unwrap() {
                assert_eq!(life["signedWith"], algorithm, "{life}");
            }
        }
        let (token, keys) = (token_of(&server), published_by(&server));
        let expected = (&*server.base_url, &*organization_of(&server, &token));
        assert!(verified(&token, keys, expected).is_ok(), "{algorithm}");
    }
}
