//! Starts that are refused, each with a text that says what to do.

use std::fs;
use std::net::TcpListener;

use crate::process::{Process, data, idp, run};

/// The base64 of 32 bytes that look random.
const OTHER_KEY: &str = "q83vEjRWeJCrze8SNFZ4kJeGdWRTQjEgL05tfIuaqbg=";

/// A port that somebody listens on: a start that gets as far as to bind it says so.
fn taken_port() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    (listener, port)
}

#[test]
fn a_port_in_use_is_named_with_the_settings_that_choose_it() {
    let folder = tempfile::tempdir().unwrap();
    let (_listener, port) = taken_port();
    let said = run(idp(&[], &data(&folder)).env("PORT", &port)).refused();
    let expected = format!("cannot listen on 127.0.0.1:{port}; set PORT or IDP_LISTEN to another");
    assert!(said.contains(&expected), "{said}");
}

#[test]
fn sm_01_a_configuration_that_is_wrong_ends_the_start_before_anything_is_bound_or_made() {
    let folder = tempfile::tempdir().unwrap();
    let (_listener, port) = taken_port();
    for (variable, value, named) in [
        ("IDP_LISEN", "::1", "did you mean `IDP_LISTEN`?"),
        ("IDP_TOKEN_LIFETIME_SECONDS", "59", "`IDP_TOKEN_LIFETIME_SECONDS`"),
        ("IDP_SEALING_KEY", "AAAA", "`IDP_SEALING_KEY`"),
        ("IDP_ISSUER", "https://idp.example.com", "`IDP_PEPPER`"),
        ("IDP_ISSUER", "https://IDP.example.com", "`IDP_ISSUER`"),
    ] {
        let mut command = idp(&[], &data(&folder));
        let said = run(command.env("PORT", &port).env(variable, value)).refused();
        assert!(said.contains(named) && !said.contains("cannot listen"), "{said}");
        assert!(!data(&folder).exists(), "{variable}");
    }
}

#[test]
fn of_two_processes_on_one_folder_the_second_refuses_before_it_binds() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    let (_listener, port) = taken_port();
    let _first = Process::serve(&mut idp(&[], &data));
    for arguments in [&[][..], &["migrate"], &["bootstrap", "--organization", "Acme"]] {
        let said = run(idp(arguments, &data).env("PORT", &port)).refused();
        let expected = format!("the data folder `{}` is in use", data.display());
        assert!(said.contains(&expected) && said.contains("IDP_DATA_DIR"), "{said}");
    }
}

#[test]
fn of_two_processes_on_one_database_the_second_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("shared.sqlite");
    let url = format!("sqlite://{}", database.display());
    let start = |name| {
        let mut command = idp(&[], &folder.path().join(name));
        command.env("DATABASE_URL", &url);
        command
    };
    let _first = Process::serve(&mut start("one"));
    let said = run(&mut start("two")).refused();
    assert!(said.contains("shared.sqlite` is in use") && said.contains("DATABASE_URL"), "{said}");
}

#[test]
fn a_folder_or_a_database_that_cannot_be_had_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let said = run(&mut idp(&[], &file)).refused();
    assert!(said.contains("file` cannot be used; set IDP_DATA_DIR"), "{said}");

    let url = format!("sqlite://{}/no/such/idp.sqlite", folder.path().display());
    let said = run(idp(&[], &data(&folder)).env("DATABASE_URL", url)).refused();
    assert!(said.contains("idp.sqlite` cannot be used; set DATABASE_URL"), "{said}");
}

#[test]
fn a_file_that_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    Process::serve(&mut idp(&[], &data)).stop();
    let text = "not what it should be\n".repeat(1_000);
    fs::write(data.join("idp.sqlite"), &text).unwrap();
    let said = run(&mut idp(&[], &data)).refused();
    assert!(said.contains("idp.sqlite` cannot be used; restore it from a backup"), "{said}");
    assert!(said.contains("file is not a database"), "{said}");
    assert_eq!(fs::read_to_string(data.join("idp.sqlite")).unwrap(), text);
}

#[test]
fn sm_01_another_sealing_key_than_that_of_the_last_start_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    Process::serve(&mut idp(&[], &data)).stop();
    let said = run(idp(&[], &data).env("IDP_SEALING_KEY", OTHER_KEY)).refused();
    assert!(said.contains("the key that signs checkpoints was sealed with another key"), "{said}");
    assert!(said.contains("restore sealing.key or set IDP_SEALING_KEY"), "{said}");
    assert!(!said.contains(OTHER_KEY), "{said}");
    Process::serve(&mut idp(&[], &data)).stop();
}

#[test]
fn a_key_that_was_lost_is_asked_for_and_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    Process::serve(&mut idp(&[], &data)).stop();
    for (file, variable) in [("pepper.key", "IDP_PEPPER"), ("sealing.key", "IDP_SEALING_KEY")] {
        let (path, aside) = (data.join(file), folder.path().join(file));
        fs::rename(&path, &aside).unwrap();
        let said = run(&mut idp(&[], &data)).refused();
        assert!(said.contains(file) && said.contains("is missing"), "{said}");
        assert!(said.contains(&format!("or set {variable}")), "{said}");
        assert!(!path.exists(), "{file}");
        fs::rename(&aside, &path).unwrap();
    }
    Process::serve(&mut idp(&[], &data)).stop();
}

#[test]
fn a_pepper_that_is_not_the_one_in_the_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    Process::serve(&mut idp(&[], &data)).stop();
    let said = run(idp(&[], &data).env("IDP_PEPPER", OTHER_KEY)).refused();
    assert!(said.contains("pepper.key` holds another key than IDP_PEPPER"), "{said}");
    assert!(!said.contains(OTHER_KEY), "{said}");

    let same = fs::read_to_string(data.join("pepper.key")).unwrap();
    Process::serve(idp(&[], &data).env("IDP_PEPPER", same.trim())).stop();
}

#[test]
fn sm_01_a_pepper_that_another_start_did_not_have_is_refused_though_no_file_tells() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("shared.sqlite").display());
    let serve = |pepper: &str| {
        let mut command = idp(&[], &data(&folder));
        command.env("DATABASE_URL", &database).env("IDP_PEPPER", pepper);
        command
    };
    let pepper = "vK5r0H0x2qkG1cW1yV9s3JQzJt8m7b4nE6uP2aL0dFQ=";
    Process::serve(&mut serve(pepper)).stop();
    let said = run(&mut serve(OTHER_KEY)).refused();
    assert!(said.contains("is not the pepper that the secrets") && said.contains("IDP_PEPPER"));
    assert!(!said.contains(OTHER_KEY) && !said.contains(pepper), "{said}");
    Process::serve(&mut serve(pepper)).stop();
}
