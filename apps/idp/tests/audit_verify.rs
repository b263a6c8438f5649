//! `idp audit verify` as an outsider runs it: what it prints, where, and how it ends.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// The files of one of the vectors that verifiers agree on.
fn vector(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/verify/vectors").join(name)
}

fn idp(arguments: &[&str], input: Stdio) -> Output {
    Command::new(env!("CARGO_BIN_EXE_idp"))
        .args(["audit", "verify"])
        .args(arguments)
        .env_clear()
        // Whoever verifies has no configuration, and one that is wrong does not matter.
        .env("PORT", "x")
        .stdin(input)
        .output()
        .unwrap()
}

/// The case, verified with its own key and all of its checkpoints.
fn verified(name: &str) -> Output {
    let case = vector(name);
    let mut checkpoints: Vec<_> =
        fs::read_dir(case.join("checkpoints")).unwrap().map(|file| file.unwrap().path()).collect();
    checkpoints.sort();
    let (export, key) = (case.join("export.ndjson"), case.join("key"));
    let mut arguments = vec![text_of(&export), "--key", text_of(&key)];
    arguments.extend(checkpoints.iter().flat_map(|file| ["--checkpoint", text_of(file)]));
    idp(&arguments, Stdio::null())
}

fn text_of(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn a_log_that_verifies_ends_with_0_and_says_what_it_is() {
    let output = verified("ok-3");
    let said = text(&output.stdout);
    assert!(said.starts_with("the log verifies\n  positions    3, 3 of them"), "{said}");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

#[test]
fn what_is_erased_out_of_order_or_not_covered_is_told() {
    let erased = verified("ok-content-erased");
    let said = text(&erased.stdout);
    assert!(
        said.contains("  erased       content at 3 positions, as announced: 0 to 2\n"),
        "{said}"
    );
    let order = verified("ok-out-of-order");
    assert!(text(&order.stdout).contains("are out of order"), "{}", text(&order.stdout));
    let tail = verified("ok-tail-not-covered");
    let said = text(&tail.stdout);
    assert!(said.contains("lie past the greatest checkpoint"), "{said}");
    assert_eq!(tail.status.code(), Some(0));
}

#[test]
fn au_04_a_finding_ends_with_1_and_its_position_and_code_come_first() {
    for (name, expected) in [
        ("leaf-mismatch-action", "position 2: leaf-mismatch\n  "),
        ("log-truncated-all", "position 0: log-truncated\n  "),
        ("checkpoint-invalid-root-bit", "position 0: checkpoint-invalid\n  in `"),
    ] {
        let output = verified(name);
        let said = text(&output.stdout);
        assert!(said.starts_with(expected), "{said}");
        assert_eq!(said.lines().count(), 2, "{said}");
        assert_eq!(text(&output.stderr), "idp: the log does not verify\n");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[test]
fn an_export_may_come_by_standard_input_and_the_key_on_the_command_line() {
    let case = vector("ok-3");
    let key = fs::read_to_string(case.join("key")).unwrap();
    let checkpoint = case.join("checkpoints/1");
    let export = File::open(case.join("export.ndjson")).unwrap();
    let arguments = ["-", "--checkpoint", text_of(&checkpoint), "--key", key.trim_end()];
    let output = idp(&arguments, export.into());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}

#[test]
fn without_a_key_it_is_told_that_signatures_were_not_verified() {
    let case = vector("ok-3");
    let (export, checkpoint) = (case.join("export.ndjson"), case.join("checkpoints/1"));
    let base = [text_of(&export), "--checkpoint", text_of(&checkpoint)];
    let output = idp(&[&base[..], &["--unsigned"]].concat(), Stdio::null());
    assert!(text(&output.stdout).contains("\nwarning: signatures were NOT verified"));
    assert_eq!(output.status.code(), Some(0));

    let output = idp(&base, Stdio::null());
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""));
    assert!(text(&output.stderr).contains("--key <KEY>"), "{}", text(&output.stderr));
}

#[test]
fn what_cannot_be_read_ends_with_2_and_says_which_file() {
    let case = vector("ok-3");
    let [export, key, checkpoint] = ["export.ndjson", "key", "checkpoints/1"].map(|file| {
        let file = case.join(file);
        text_of(&file).to_owned()
    });
    for (export, checkpoint, key, expected) in [
        ("/no/export", &*checkpoint, &*key, "the export `/no/export` cannot be read"),
        (&*export, "/no/checkpoint", &key, "the checkpoints in `/no/checkpoint` cannot be taken"),
        (
            &export,
            &checkpoint,
            "/no/key",
            "`--key` is neither a verifier key nor the name of a file",
        ),
        (&export, &checkpoint, &checkpoint, "`--key` is neither a verifier key"),
        ("/", &checkpoint, &key, "the export `/` cannot be read"),
    ] {
        let arguments = [export, "--checkpoint", checkpoint, "--key", key];
        let output = idp(&arguments, Stdio::null());
        let errors = text(&output.stderr);
        assert!(errors.starts_with(&format!("idp: {expected}")), "{errors}");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(2), ""), "{errors}");
    }
}

#[test]
fn au_12_what_an_export_says_reaches_the_terminal_escaped() {
    let case = vector("ok-3");
    let folder = tempfile::tempdir().unwrap();
    let export = folder.path().join("export.ndjson");
    let line = fs::read_to_string(case.join("export.ndjson")).unwrap();
    let spoiled =
        line.replacen("\"action\":\"", "\"action\":\"\\u001b[2J\\r\\nthe log verifies", 1);
    assert_ne!(line, spoiled);
    fs::write(&export, spoiled).unwrap();
    let (checkpoint, key) = (case.join("checkpoints/1"), case.join("key"));
    let arguments =
        [text_of(&export), "--checkpoint", text_of(&checkpoint), "--key", text_of(&key)];
    let output = idp(&arguments, Stdio::null());
    let said = text(&output.stdout);
    assert!(said.starts_with("position 0: leaf-mismatch\n"), "{said}");
    assert!(said.contains("\\u{1b}[2J\\r\\nthe log verifies"), "{said}");
    assert!(!said.contains(['\u{1b}', '\r']) && said.lines().count() == 2, "{said}");
}
