//! `idp bootstrap` and `idp migrate`, and a founding that was cut short.

use std::fs;

use serde_json::Value;

use crate::process::{Process, admin, data, idp, run};

const BOOTSTRAP: &[&str] = &["bootstrap", "--organization", "Acme", "--json"];

#[test]
fn bootstrap_prints_the_credential_that_the_file_holds_and_no_second_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let ended = run(idp(BOOTSTRAP, &data).env("PORT", "3000"));
    assert_eq!(ended.code, Some(0), "{}", ended.log);
    let printed: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(printed, admin(&data));
    assert_eq!(printed.as_object().unwrap().len(), 5);
    assert_eq!(printed["tokenUrl"], "http://127.0.0.1:3000/api/v1/token");

    let said = run(idp(BOOTSTRAP, &data).env("PORT", "3000")).refused();
    assert!(said.contains("there is an organization already"), "{said}");
    assert_eq!(printed, admin(&data));
    Process::serve(&mut idp(&[], &data)).token(&printed);
}

#[test]
fn bootstrap_needs_to_know_the_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let said = run(&mut idp(BOOTSTRAP, &data(&folder))).refused();
    assert!(said.contains("set IDP_ISSUER, or PORT"), "{said}");
    assert!(!data(&folder).exists());
}

#[test]
fn migrate_works_again_and_again_and_founds_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    for _ in 0..2 {
        let ended = run(&mut idp(&["migrate"], &data));
        let told = (ended.code, ended.out.as_str());
        assert_eq!(told, (Some(0), "the schema is up to date\n"), "{}", ended.log);
    }
    assert!(!data.join("admin.json").exists());
    assert_eq!(run(idp(BOOTSTRAP, &data).env("PORT", "3000")).code, Some(0));
}

#[test]
fn a_crash_before_the_admin_s_file_got_its_name_is_healed() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    Process::serve(&mut idp(&[], &data)).stop();
    let (file, pending) = (data.join("admin.json"), data.join("admin.json.pending"));
    let made = fs::read(&file).unwrap();
    fs::rename(&file, &pending).unwrap();

    let server = Process::serve(&mut idp(&[], &data));
    assert_eq!(fs::read(&file).unwrap(), made);
    assert!(!pending.exists());
    server.token(&admin(&data));
}

#[test]
fn an_admin_who_was_never_committed_gets_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    Process::serve(&mut idp(&[], &data)).stop();
    let made = admin(&data);
    let mut other = made.clone();
    other["agentId"] = "018bcfe5-687b-7001-8203-040506070809".into();
    fs::write(data.join("admin.json.pending"), other.to_string()).unwrap();

    Process::serve(&mut idp(&[], &data)).stop();
    assert_eq!(admin(&data), made);
}
