//! The real program, started as an operator starts it: what it prints, where, and how it ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::{Command, Output};

fn idp(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_idp"))
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_valid_configuration_is_said_to_be_valid() {
    let output = idp(&["config", "check"], &[]);
    assert_eq!(text(&output.stdout), "configuration is valid\n");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn every_command_ends_with_1_and_all_problems_when_the_configuration_has_some() {
    let wrong = [("PORT", "x"), ("IDP_LISEN", "::1"), ("IDP_PEPPER", "canary")];
    let bootstrap = ["bootstrap", "--organization", "acme"];
    let commands: [&[&str]; 7] = [
        &[],
        &["serve"],
        &["migrate"],
        &["health"],
        &bootstrap,
        &["config", "check"],
        &["config", "show"],
    ];
    for arguments in commands {
        let output = idp(arguments, &wrong);
        let errors = text(&output.stderr);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""), "{arguments:?}");
        assert!(errors.starts_with("idp: the configuration has 3 problems:\n"), "{errors}");
        assert!(errors.contains("`PORT`") && errors.contains("did you mean `IDP_LISTEN`?"));
        assert!(!errors.contains("canary"), "{errors}");
    }
}

#[test]
fn a_command_line_that_is_not_understood_ends_with_2() {
    for arguments in
        [&["srve"][..], &["bootstrap"], &["--confg", "x"], &["config"], &["health", "--url", "x"]]
    {
        assert_eq!(idp(arguments, &[]).status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn help_and_version_go_to_standard_output_and_need_no_configuration() {
    let output = idp(&["--help"], &[("PORT", "x")]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("IDP_SEALING_KEY"));
    let output = idp(&["--version"], &[]);
    assert_eq!(text(&output.stdout), concat!("idp ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn health_of_a_server_that_is_not_there_ends_with_1_and_one_line_that_says_so() {
    // Nobody listens at port 1.
    for (arguments, environment) in
        [(&["health"][..], &[("PORT", "1")][..]), (&["health", "--url", "http://127.0.0.1:1"], &[])]
    {
        let output = idp(arguments, environment);
        let expected = "idp: the server at 127.0.0.1:1 cannot be asked: connection refused\n";
        assert_eq!(text(&output.stderr), expected);
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(1), ""));
    }
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_unicode_is_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let output = Command::new(env!("CARGO_BIN_EXE_idp"))
        .args(["config", "check"])
        .env_clear()
        .env("IDP_DATA_DIR", OsStr::from_bytes(b"d\xffta"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("it is not valid Unicode"));
}
