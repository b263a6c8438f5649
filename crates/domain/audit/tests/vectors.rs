//! The vectors that every verifier agrees on: `docs/verify/vectors/`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use audit::verify::{Checkpoints, CheckpointsRefused, Verifier, verify};

/// Fewer than this means that the folder was not found or was emptied.
const FEWEST: usize = 20;

/// The files of a folder, in the order of their names.
fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// What a case holds, judged.
fn said(case: &Path) -> String {
    let key = fs::read_to_string(case.join("key")).unwrap();
    let mut checkpoints = Checkpoints::signed_by(key.trim_end().parse().unwrap()).unwrap();
    for file in entries(&case.join("checkpoints")) {
        match checkpoints.add(&*fs::read(file).unwrap()) {
            Ok(()) => {}
            Err(CheckpointsRefused::Found(finding)) => return finding.to_string(),
            Err(refused) => return refused.to_string(),
        }
    }
    let export = fs::read(case.join("export.ndjson")).unwrap();
    let judged = verify(Verifier::new(checkpoints).unwrap(), &*export).unwrap();
    judged.map_or_else(|finding| finding.to_string(), |_| "ok".to_owned())
}

/// The vectors, each a folder.
fn vectors() -> Vec<PathBuf> {
    let cases =
        entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/verify/vectors"));
    assert!(cases.len() >= FEWEST, "there are {} vectors", cases.len());
    cases
}

fn expected(case: &Path) -> String {
    fs::read_to_string(case.join("expected")).unwrap().trim_end().to_owned()
}

fn name(case: &Path) -> &str {
    case.file_name().unwrap().to_str().unwrap()
}

/// Runs the verifier in Python. What it says is UTF-8.
fn python(arguments: &[&Path]) -> Output {
    let asked = Command::new("python3").args(["-c", "import cryptography"]).output();
    let is_there = asked.is_ok_and(|output| output.status.success());
    assert!(
        is_there,
        "the second verifier needs python3 and its package `cryptography`: `cargo xtask test` \
         brings them; on Debian they are in python3-cryptography"
    );
    let program = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../docs/verify/verify.py");
    Command::new("python3").arg("-B").arg(program).args(arguments).output().unwrap()
}

/// The verifier in Python on one vector, with all of its checkpoints.
fn python_on(case: &str) -> Output {
    let case =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/verify/vectors").join(case);
    let (export, key) = (case.join("export.ndjson"), case.join("key"));
    let notes = entries(&case.join("checkpoints"));
    let mut arguments = vec![&*export, Path::new("--key"), &*key];
    arguments.extend(notes.iter().flat_map(|note| [Path::new("--checkpoint"), note]));
    python(&arguments)
}

#[test]
fn au_04_every_vector_is_judged_as_it_says() {
    let wrong: Vec<_> = vectors()
        .iter()
        .filter_map(|case| {
            let (expected, said) = (expected(case), said(case));
            (said != expected).then(|| format!("{}: {said}, not {expected}", case.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn au_04_the_verifier_in_python_judges_every_vector_as_it_says() {
    let vectors = vectors();
    let output = python(&[Path::new("--cases"), vectors[0].parent().unwrap()]);
    let (said, errors) = (String::from_utf8(output.stdout).unwrap(), output.stderr);
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&errors));
    let mut expected: Vec<_> =
        vectors.iter().map(|case| format!("{} {}", name(case), expected(case))).collect();
    let mut said: Vec<_> = said.lines().collect();
    // By name the two may differ: one compares paths, the other text.
    expected.sort();
    said.sort_unstable();
    assert_eq!(said, expected);
}

#[test]
fn the_verifier_in_python_says_what_is_erased() {
    for (case, expected) in [
        ("ok-3", "ok: 3 events, 3 under a checkpoint, 3 with content\n"),
        (
            "ok-content-erased",
            "ok: 6 events, 6 under a checkpoint, 3 with content; content erased: 0 to 2\n",
        ),
        (
            "ok-personal-data-erased",
            "ok: 6 events, 6 under a checkpoint, 6 with content; personal data erased: 0 to 2\n",
        ),
    ] {
        let output = python_on(case);
        assert_eq!(String::from_utf8(output.stdout).unwrap(), expected, "{case}");
        assert_eq!(output.status.code(), Some(0), "{case}");
    }
}

#[test]
fn where_nothing_has_left_yet_neither_verifier_has_anything_to_verify_with() {
    let case = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/verify/vectors/ok-3");
    let key = case.join("key");
    let mut checkpoints =
        Checkpoints::signed_by(fs::read_to_string(&key).unwrap().trim_end().parse().unwrap())
            .unwrap();
    checkpoints.add(&b""[..]).unwrap();
    assert!(Verifier::new(checkpoints).is_err());

    let (export, nothing) = (case.join("export.ndjson"), Path::new("/dev/null"));
    let checkpoint = Path::new("--checkpoint");
    let output = python(&[&export, Path::new("--key"), &key, checkpoint, nothing]);
    assert_eq!(output.status.code(), Some(2));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert_eq!(errors, "there is no checkpoint of the organization\n");
}
