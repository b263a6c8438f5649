//! Strangers' OAuth clients against the real binary: they know the standards, and nothing of us.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::support::server::RunningServer;

#[expect(dead_code, reason = "the other files of tests use the rest")]
mod support;

/// What each library must have seen, once a method of authentication.
fn life_of_a_token(library: &str) -> [Value; 2] {
    ["client_secret_basic", "client_secret_post"].map(|method| {
        json!({
            "library": library,
            "method": method,
            "type": "at+jwt",
            "activeBefore": true,
            "activeAfter": false,
            "wrongSecret": "invalid_client",
        })
    })
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a program against a server of its own, and returns what it saw.
fn seen_by(program: impl AsRef<Path>, script: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let server = RunningServer::start(folder.path());
    let admin = server.admin();
    let output = Command::new(program.as_ref())
        .arg(root().join(script))
        .env("ISSUER", &server.base_url)
        .env("CLIENT_ID", admin.client_id)
        .env("CLIENT_SECRET", admin.client_secret)
        .env("SCOPE", "agents:read tokens:introspect tokens:revoke")
        .output()
        .expect("`cargo xtask test` brings the clients");
    let (told, errors) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}{errors}");
    let told: Value = serde_json::from_str(&told).unwrap();
    told["seen"].as_array().unwrap().clone()
}

#[test]
fn strangers_clients_work_unchanged_in_node() {
    let expected = [life_of_a_token("openid-client"), life_of_a_token("oauth4webapi")].concat();
    assert_eq!(seen_by("node", "tests/clients/node/client.mjs"), expected);
}

#[test]
fn strangers_clients_work_unchanged_in_python() {
    let python = root().join("target/clients-venv/bin/python");
    assert_eq!(seen_by(python, "tests/clients/python/client.py"), life_of_a_token("Authlib"));
}
