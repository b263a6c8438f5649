//! The list is whole: a case that is written and not listed would be run by nobody.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]
#![expect(clippy::panic, reason = "likewise")]

use std::{collections::BTreeSet, fs, path::Path};

const LIST: &str = include_str!("../src/list.rs");

/// Every public case, as `file::name`.
fn written() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases");
    let mut cases = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(&path).unwrap();
        for line in text.lines().filter(|line| line.starts_with("pub ")) {
            let name = line.strip_prefix("pub async fn ").and_then(|rest| rest.split_once('<'));
            let (name, _) = name.unwrap_or_else(|| panic!("{file}: not a case: {line}"));
            assert!(cases.insert(format!("{file}::{name}")));
        }
    }
    cases
}

/// Every case of the two lists, likewise.
fn listed() -> BTreeSet<String> {
    let (mut file, mut cases) = (None, BTreeSet::new());
    for line in LIST.lines().map(str::trim) {
        if let Some(name) = line.strip_suffix(": [") {
            file = Some(name);
        } else if line == "]," {
            file = None;
        } else if let (Some(file), Some(case)) = (file, line.strip_suffix(',')) {
            assert!(cases.insert(format!("{file}::{case}")), "{case} is listed twice");
        }
    }
    cases
}

#[test]
fn every_case_is_listed_and_every_listed_one_is_written() {
    let written = written();
    assert!(written.len() > 50, "only {} cases were found", written.len());
    assert_eq!(listed(), written);
}
