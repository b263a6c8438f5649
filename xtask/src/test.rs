//! `cargo xtask test`: every test of the project, on a machine that has no more than Rust.

use std::path::Path;

use anyhow::bail;

use crate::{process, provision};

/// Provides what the tests need, then runs them all, also past the first that fails.
pub(crate) fn run(root: &Path, arguments: &[String]) -> anyhow::Result<()> {
    let servers = provision::all(root)?;
    // Examples and benches are built by the first, which knows no documentation tests: hence two.
    let parts: [&[&str]; 2] = [
        &["test", "--workspace", "--all-targets", "--no-fail-fast"],
        &["test", "--workspace", "--doc", "--no-fail-fast"],
    ];
    let mut failures = Vec::new();
    for part in parts {
        let mut command = process::command(root, process::cargo(), part);
        let variables = servers.variables().iter().map(|(name, url)| (name, url));
        if let Err(failure) = process::step(command.args(arguments).envs(variables)) {
            failures.push(failure.to_string());
        }
    }
    if !failures.is_empty() {
        bail!("{}", failures.join("; "));
    }
    println!("\nall tests passed");
    Ok(())
}
