//! `cargo xtask ci`: all that a change must pass, in the order in which a failure costs least.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;

use crate::{
    check_arch, deployment, events, migrate, openapi, process, provision::CargoProgram, test,
};

/// A named part of the run.
type Step = (&'static str, fn(&Path) -> anyhow::Result<()>);

const STEPS: [Step; 10] = [
    ("format", |root| cargo(root, &["fmt", "--all", "--check"])),
    ("lints", |root| {
        cargo(root, &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])
    }),
    ("architecture", check_arch::run),
    ("openapi", openapi::check),
    ("events", events::check),
    ("migrations", migrate::run),
    ("deployment", deployment::run),
    ("documentation", documentation),
    ("licences, bans and sources", dependencies),
    ("tests", |root| test::run(root, &[])),
];

/// What checks the dependencies.
const CARGO_DENY: CargoProgram = CargoProgram {
    name: "cargo-deny",
    version: "0.20.2",
    purpose: "licences, bans and sources are not checked",
};

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

/// Licences, bans and sources. The advisories are left out: their database comes over a network that a run does not
/// always have, and changes by the day, so that the same tree would pass today and fail tomorrow.
fn dependencies(root: &Path) -> anyhow::Result<()> {
    let deny = CARGO_DENY.ensure(root)?;
    let arguments = ["check", "licenses", "bans", "sources"];
    process::step(&mut process::command(root, deny, &arguments))
}
