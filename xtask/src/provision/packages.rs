//! Packages of other languages, installed as their lock files name them, where they are not so already.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use anyhow::{Context, bail};
use data_encoding::HEXLOWER;
use ring::digest;

use crate::process;

/// Installs what the lock file of that folder names, into the folder. `purpose` says who cannot do without.
pub(super) fn node(root: &Path, folder: &str, purpose: &str) -> anyhow::Result<()> {
    let place = root.join(folder);
    let lock = place.join("package-lock.json");
    if !lock.is_file() {
        bail!("`{folder}/package-lock.json` is missing; {purpose} cannot run without it");
    }
    if is_newer(&place.join("node_modules/.package-lock.json"), &lock) {
        return Ok(());
    }
    process::step(&mut process::command(&place, "npm", &["ci", "--no-audit", "--no-fund"]))
}

fn is_newer(file: &Path, than: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|about| about.modified()).ok();
    let than: Option<SystemTime> = changed(than);
    changed(file).zip(than).is_some_and(|(file, than)| file > than)
}

/// Installs what that list names into that environment. `purpose` says who cannot do without.
pub(super) fn python(
    root: &Path,
    requirements: &str,
    environment: &str,
    purpose: &str,
) -> anyhow::Result<()> {
    let wanted = fs::read(root.join(requirements))
        .with_context(|| format!("reading `{requirements}`; {purpose} cannot run without it"))?;
    let wanted = HEXLOWER.encode(digest::digest(&digest::SHA256, &wanted).as_ref());
    let stamp = root.join(environment).join("requirements.sha256");
    if fs::read_to_string(&stamp).is_ok_and(|had| had == wanted) {
        return Ok(());
    }
    // Made anew, since what an earlier list installed and this one does not would stay.
    process::step(&mut process::command(root, "python3", &["-m", "venv", "--clear", environment]))?;
    let arguments =
        ["install", "--disable-pip-version-check", "--quiet", "--requirement", requirements];
    let pip = root.join(environment).join("bin/pip");
    process::step(&mut process::command(root, pip, &arguments))?;
    fs::write(&stamp, wanted).with_context(|| format!("writing `{}`", stamp.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_without_a_lock_file_or_a_list_is_an_error_that_names_it() {
        let root = tempfile::tempdir().unwrap();
        let error = node(root.path(), "some/folder", "the check").unwrap_err();
        assert!(error.to_string().contains("some/folder/package-lock.json"), "{error}");
        let error = python(root.path(), "some/list.txt", "target/some", "the check").unwrap_err();
        assert!(error.to_string().contains("some/list.txt"), "{error}");
        assert!(!root.path().join("target").exists());
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
