//! `cargo xtask ci`: all that a change must pass, in the order in which a failure costs least.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use crate::{check_arch, migrate, openapi, process, test};

/// A named part of the run.
type Step = (&'static str, fn(&Path) -> anyhow::Result<()>);

const STEPS: [Step; 8] = [
    ("format", |root| cargo(root, &["fmt", "--all", "--check"])),
    ("lints", |root| {
        cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    }),
    ("architecture", check_arch::run),
    ("openapi", openapi::check),
    ("migrations", migrate::run),
    ("documentation", documentation),
    ("licences, bans and sources", dependencies),
    ("tests", |root| test::run(root, &[])),
];

/// Stops at the first step that fails, and says which.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let start = Instant::now();
    for (number, (name, step)) in (1..).zip(STEPS) {
        println!("\n=== {number} of {}: {name}", STEPS.len());
        step(root).with_context(|| format!("ci failed at step {number}, {name}"))?;
    }
    println!("\nci passed in {} s", start.elapsed().as_secs());
    Ok(())
}

fn cargo(root: &Path, arguments: &[&str]) -> anyhow::Result<()> {
    process::step(&mut process::command(root, process::cargo(), arguments))
}

fn documentation(root: &Path) -> anyhow::Result<()> {
    let arguments = ["doc", "--workspace", "--no-deps"];
    let mut command = process::command(root, process::cargo(), &arguments);
    process::step(command.env("RUSTDOCFLAGS", "-D warnings"))
}

fn dependencies(root: &Path) -> anyhow::Result<()> {
    if process::answer(process::cargo(), &["deny", "--version"]).is_none() {
        println!(
            "left out: `cargo deny` is not installed here (`cargo install cargo-deny --locked`), \
             so licences, bans and sources are not checked"
        );
        return Ok(());
    }
    cargo(root, &["deny", "check", "licenses", "bans", "sources"])
}
