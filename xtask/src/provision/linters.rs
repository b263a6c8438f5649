//! The linters of the deployment's files, as their lock files name them.

use std::path::{Path, PathBuf};

use super::packages;

const FOLDER: &str = "tests/deployment";
const REQUIREMENTS: &str = "tests/deployment/requirements.txt";
const ENVIRONMENT: &str = "target/linters-venv";
const PURPOSE: &str = "the linters of Dockerfile and compose.yaml";

/// Where the linters are.
#[derive(Debug)]
pub(crate) struct Linters {
    /// A program that reads a Dockerfile.
    pub(crate) hadolint: PathBuf,
    /// A script for node that reads compose.yaml.
    pub(crate) dclint: PathBuf,
}

/// Installs both, where they are not as their files say already.
pub(crate) fn ensure(root: &Path) -> anyhow::Result<Linters> {
    packages::node(root, FOLDER, PURPOSE)?;
    packages::python(root, REQUIREMENTS, ENVIRONMENT, PURPOSE)?;
    Ok(Linters {
        hadolint: root.join(ENVIRONMENT).join("bin/hadolint"),
        dclint: root.join(FOLDER).join("node_modules/dclint/bin/dclint.cjs"),
    })
}
