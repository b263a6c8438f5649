//! The strangers' clients that the end-to-end tests run: their packages, as their lock files name them.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use ring::digest;

use crate::process;

const NODE: &str = "tests/clients/node";
const REQUIREMENTS: &str = "tests/clients/python/requirements.txt";
const ENVIRONMENT: &str = "target/clients-venv";

/// Installs the packages of both, where they are not as their files say already.
pub(crate) fn ensure(root: &Path) -> anyhow::Result<()> {
    node(root)?;
    python(root)
}

fn node(root: &Path) -> anyhow::Result<()> {
    let folder = root.join(NODE);
    let lock = folder.join("package-lock.json");
    if !lock.is_file() {
        bail!("`{NODE}/package-lock.json` is missing; without it the client tests cannot run");
    }
    if is_newer(&folder.join("node_modules/.package-lock.json"), &lock) {
        return Ok(());
    }
    process::step(&mut process::command(&folder, "npm", &["ci", "--no-audit", "--no-fund"]))
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    let than: Option<SystemTime> = changed(than);
    changed(file).zip(than).is_some_and(|(file, than)| file > than)
}

fn python(root: &Path) -> anyhow::Result<()> {
    let wanted = fs::read(root.join(REQUIREMENTS)).with_context(|| {
        format!("reading `{REQUIREMENTS}`; the client tests cannot run without it")
    })?;
    let wanted = HEXLOWER.encode(digest::digest(&digest::SHA256, &wanted).as_ref());
    let stamp = root.join(ENVIRONMENT).join("requirements.sha256");
    if fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) {
        return Ok(());
    }
    // Made anew, since what an earlier list installed and this one does not would stay.
    process::step(&mut process::command(root, "python3", &["-m", "venv", "--clear", ENVIRONMENT]))?;
    let arguments =
        ["install", "--disable-pip-version-check", "--quiet", "--requirement", REQUIREMENTS];
    let pip = root.join(ENVIRONMENT).join("bin/pip");
    process::step(&mut process::command(root, pip, &arguments))?;
    fs::write(&stamp, wanted).with_context(|| format!("writing `{}`", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_without_the_clients_is_an_error_that_names_the_file() {
        let root = tempfile::tempdir().unwrap();
        let error = ensure(root.path()).unwrap_err();
        assert!(error.to_string().contains("tests/clients/node/package-lock.json"), "{error}");
    }

    #[test]
    fn a_file_that_is_not_there_is_newer_than_none() {
        let root = tempfile::tempdir().unwrap();
        let there = root.path().join("there");
        fs::write(&there, "").unwrap();
        assert!(!is_newer(&root.path().join("absent"), &there));
        assert!(!is_newer(&there, &root.path().join("absent")));
    }
}
