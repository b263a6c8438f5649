//! What the first start makes, and that no later one makes any of it anew.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::process::{Process, Server, admin, data, idp};
use crate::support::http::Request;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// How many events of that kind there are; of every kind where none is named.
fn events(server: &Server, token: &str, action: Option<&str>) -> u64 {
    let action = action.map(|name| format!("&action={name}")).unwrap_or_default();
    let request = Request::new("GET", &format!("/api/v1/audit?limit=1{action}")).bearer(token);
    server.send(&request).expect(200)["total"].as_u64().unwrap()
}

fn published_keys(server: &Server) -> String {
    server.send(&Request::new("GET", "/.well-known/jwks.json")).body
}

#[test]
fn the_first_start_makes_one_organization_its_admin_and_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let server = Process::serve(&mut idp(&[], &data));
    let admin = admin(&data);
    let members: Vec<_> = admin.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(members, ["agentId", "clientId", "clientSecret", "organizationId", "tokenUrl"]);
    assert_eq!(admin["tokenUrl"], format!("http://{}/api/v1/token", server.address));
    let token = server.token(&admin);
    for (made, times) in [
        ("organization.created", 1),
        ("agent.created", 1),
        ("credential.generated", 1),
        // The one that signs, and the next.
        ("signing_key.published", 2),
        ("signing_key.activated", 1),
    ] {
        assert_eq!(events(&server, &token, Some(made)), times, "{made}");
    }
    let own = Request::new("GET", "/api/v1/organization").bearer(&token);
    assert_eq!(server.send(&own).expect(200)["organizationId"], admin["organizationId"]);
}

#[test]
fn a_second_start_makes_nothing_anew() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let files = ["admin.json", "sealing.key", "pepper.key"];
    let read = || files.map(|name| fs::read(data.join(name)).unwrap());
    let server = Process::serve(&mut idp(&[], &data));
    let (made, keys, token) = (read(), published_keys(&server), server.token(&admin(&data)));
    let count = events(&server, &token, None);
    server.stop();

    let server = Process::serve(&mut idp(&["serve"], &data));
    assert_eq!(read(), made);
    assert_eq!(published_keys(&server), keys);
    let token = server.token(&admin(&data));
    // That of the token just issued.
    assert_eq!(events(&server, &token, None), count + 1);
}

#[test]
fn only_the_owner_can_read_what_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let server = Process::serve(&mut idp(&[], &data));
    // So that there is something in the log of the database.
    server.token(&admin(&data));
    assert_eq!(mode(&data), 0o700);
    let entries = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap());
    let mut names: Vec<_> = entries
        .map(|entry| {
            assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
            entry.file_name().into_string().unwrap()
        })
        .collect();
    names.sort();
    let expected = [
        "admin.json",
        "checkpoints.ndjson",
        "idp.lock",
        "idp.sqlite",
        "idp.sqlite-shm",
        "idp.sqlite-wal",
        "idp.sqlite.lock",
        "pepper.key",
        "sealing.key",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_start_without_the_admin_s_file_says_where_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let server = Process::serve(&mut idp(&[], &data));
    assert!(server.greeting.contains("\nGet the admin a token:\n"), "{}", server.greeting);
    server.stop();
    let kept = admin(&data);
    fs::remove_file(data.join("admin.json")).unwrap();
    let server = Process::serve(&mut idp(&[], &data));
    server.token(&kept);
    let file = data.join("admin.json").display().to_string();
    let expected = format!("with whoever took it from {file}\n");
    assert!(server.greeting.contains(&expected), "{}", server.greeting);
    assert!(!data.join("admin.json").exists());
}

#[test]
fn the_command_in_the_greeting_works_whatever_the_folder_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::serve(&mut idp(&[], &folder.path().join("the admin's data")));
    let command = server.greeting.lines().find(|line| line.starts_with("  curl ")).unwrap();
    let output = Command::new("sh").args(["-c", command]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer["token_type"], "Bearer", "{command}");
}

#[test]
fn a_server_says_where_it_listens_if_its_issuer_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let server = Process::serve(&mut idp(&[], &data));
    assert!(!server.greeting.contains("listens on"), "{}", server.greeting);
    server.stop();
    let server = Process::serve(idp(&[], &data).env("IDP_ISSUER", "http://localhost:9"));
    assert_eq!(server.address, "localhost:9");
    let listens = "\n  listens on                 http://127.0.0.1:";
    assert!(server.greeting.contains(listens), "{}", server.greeting);
}
