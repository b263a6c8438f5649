//! The strangers' clients that the end-to-end tests run: their packages, as their lock files name them.

use std::path::Path;

use super::packages;

const NODE: &str = "tests/clients/node";
const REQUIREMENTS: &str = "tests/clients/python/requirements.txt";
const ENVIRONMENT: &str = "target/clients-venv";
const PURPOSE: &str = "the client tests";

/// Installs the packages of both, where they are not as their files say already.
pub(crate) fn ensure(root: &Path) -> anyhow::Result<()> {
    packages::node(root, NODE, PURPOSE)?;
    packages::python(root, REQUIREMENTS, ENVIRONMENT, PURPOSE)
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
}
