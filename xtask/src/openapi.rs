//! `cargo xtask openapi`: the document of the HTTP contract is whole, and the server carries what it says.
//!
//! People edit `docs/openapi.yaml`; the server embeds its JSON form, in the order in which it was written, since that is the order
//! in which a reader meets the members. That the routes of the document are those of the server is tested where the routes are.

mod document;
mod examples;
mod references;
mod structure;

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde_json::Value;

use crate::violation::{self, Violation};

const SOURCE: &str = "docs/openapi.yaml";
const ASSET: &str = "crates/adapters/http/assets/openapi.json";

/// Validates the document and writes its JSON form.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    let json = json(root)?;
    validate(&json)?;
    let asset = root.join(ASSET);
    if let Some(folder) = asset.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making the folder of `{ASSET}`"))?;
    }
    fs::write(&asset, json).with_context(|| format!("writing `{ASSET}`"))?;
    println!("wrote {ASSET}");
    Ok(())
}

/// Validates the document and fails where the JSON form is not the one that would be written.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let json = json(root)?;
    validate(&json)?;
    let asset = fs::read_to_string(root.join(ASSET))
        .with_context(|| format!("reading `{ASSET}`; `cargo xtask openapi` writes it"))?;
    if asset != json {
        bail!("`{ASSET}` is not what `{SOURCE}` says; run `cargo xtask openapi`");
    }
    println!("{SOURCE} is whole, and {ASSET} says the same");
    Ok(())
}

fn json(root: &Path) -> anyhow::Result<String> {
    let text =
        fs::read_to_string(root.join(SOURCE)).with_context(|| format!("reading `{SOURCE}`"))?;
    to_json(&text).with_context(|| format!("reading `{SOURCE}`"))
}

fn to_json(yaml: &str) -> anyhow::Result<String> {
    let mut document: serde_norway::Value = serde_norway::from_str(yaml)?;
    document.apply_merge()?;
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn validate(json: &str) -> anyhow::Result<()> {
    violation::none_of(violations(&serde_json::from_str(json)?))
}

/// Everything that is wrong with the document.
fn violations(document: &Value) -> Vec<Violation> {
    let mut found = references::violations(document);
    found.extend(structure::violations(document));
    found.extend(examples::violations(document));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_whole_and_the_server_carries_it() {
        check(&crate::root()).unwrap();
    }

    #[test]
    fn the_order_of_the_document_is_kept() {
        let json = to_json("b: 1\na: {2: x}\n").unwrap();
        assert_eq!(json, "{\n  \"b\": 1,\n  \"a\": {\n    \"2\": \"x\"\n  }\n}\n");
    }

    #[test]
    fn a_member_named_twice_is_an_error() {
        assert!(to_json("a: 1\na: 2\n").is_err());
    }

    #[test]
    fn a_file_that_says_something_else_is_refused_until_it_is_written() {
        let root = tempfile::tempdir().unwrap();
        let place = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        place(SOURCE, "openapi: 3.1.0\npaths: {}\n");
        place(ASSET, "{}\n");
        assert!(check(root.path()).is_err());
        write(root.path()).unwrap();
        check(root.path()).unwrap();
    }
}
