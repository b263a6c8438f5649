//! The vectors that every verifier agrees on: `docs/verify/vectors/`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
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

#[test]
fn au_04_every_vector_is_judged_as_it_says() {
    let cases =
        entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/verify/vectors"));
    assert!(cases.len() >= FEWEST, "there are {} vectors", cases.len());
    let wrong: Vec<_> = cases
        .iter()
        .filter_map(|case| {
            let expected = fs::read_to_string(case.join("expected")).unwrap();
            let (expected, said) = (expected.trim_end(), said(case));
            (said != expected).then(|| format!("{}: {said}, not {expected}", case.display()))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
