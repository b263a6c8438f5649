//! `cargo xtask ci`: all that a change must pass, in the order in which a failure costs least.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;

use crate::{check_arch, deployment, events, migrate, openapi, process, test};

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

/// What checks the dependencies, and where it is kept once it is built.
const CARGO_DENY: &str = "0.20.2";
const TOOLS: &str = "target/tools";

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
    let deny = cargo_deny(root)?;
    let arguments = ["check", "licenses", "bans", "sources"];
    process::step(&mut process::command(root, deny, &arguments))
}

/// The machine's own program where it has one of this version; otherwise ours, which is built once.
fn cargo_deny(root: &Path) -> anyhow::Result<PathBuf> {
    let name = format!("cargo-deny{}", std::env::consts::EXE_SUFFIX);
    let ours = root.join(TOOLS).join("bin").join(&name);
    if let Some(found) = [PathBuf::from(name), ours.clone()].into_iter().find(|one| is_current(one))
    {
        return Ok(found);
    }
    let version = ["--version", CARGO_DENY];
    let arguments =
        [&["install", "cargo-deny", "--locked"][..], &version, &["--root", TOOLS]].concat();
    process::step(&mut process::command(root, process::cargo(), &arguments)).with_context(|| {
        format!(
            "cargo-deny {CARGO_DENY} is not here and cannot be installed, so licences, bans and sources are not \
             checked; building it needs a package registry and a C compiler"
        )
    })?;
    Ok(ours)
}

fn is_current(program: &Path) -> bool {
    let version = process::answer(program, &["--version"]);
    version.is_some_and(|version| version.trim() == format!("cargo-deny {CARGO_DENY}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_missing_or_of_another_version_will_not_do() {
        assert!(!is_current(Path::new("no-such-program-here")));
        assert!(!is_current(Path::new("false")));
        // Prints something, and not that.
        assert!(!is_current(Path::new("echo")));
    }
}
