//! `cargo xtask events`: the document of all audit events is the one that the code makes.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};

use crate::process;

const DOCUMENT: &str = "docs/events.md";

/// A tool knows nothing of the product; what it is asked for is printed by an example of it.
const SOURCE: [&str; 6] = ["run", "--quiet", "--package", "http_api", "--example", "events"];

/// Writes the document.
pub(crate) fn write(root: &Path) -> anyhow::Result<()> {
    fs::write(root.join(DOCUMENT), made(root)?).with_context(|| format!("writing `{DOCUMENT}`"))?;
    println!("wrote {DOCUMENT}");
    Ok(())
}

/// Fails where the document is not the one that would be written.
pub(crate) fn check(root: &Path) -> anyhow::Result<()> {
    let made = made(root)?;
    let there = fs::read_to_string(root.join(DOCUMENT))
        .with_context(|| format!("reading `{DOCUMENT}`; `cargo xtask events` writes it"))?;
    if there != made {
        bail!("`{DOCUMENT}` is not what the code says; run `cargo xtask events`");
    }
    println!("{DOCUMENT} says what the code does");
    Ok(())
}

fn made(root: &Path) -> anyhow::Result<String> {
    process::output(&mut process::command(root, process::cargo(), &SOURCE))
}
