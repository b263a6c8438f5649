//! `cargo xtask check-deployment`: holds the Dockerfile and compose.yaml to their formats and to good practice, with no engine.

use std::path::Path;

use anyhow::Context;

use crate::{process, provision};

/// A value that will do for each variable that compose.yaml asks for, ports among them.
const ANY_VALUE: &str = "3000";

/// Runs the linters, and the reader of compose itself where the machine has it.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let linters = provision::linters(root)?;
    let hadolint = ["--failure-threshold", "info", "Dockerfile"];
    process::step(&mut process::command(root, linters.hadolint, &hadolint))?;
    let dclint =
        ["--config", "tests/deployment/dclint.json", "--max-warnings", "0", "compose.yaml"];
    let mut command = process::command(root, "node", &[]);
    process::step(command.arg(linters.dclint).args(dclint))?;
    compose(root)
}

/// Only a part of the machines has the client, so that the linters are what everybody runs.
fn compose(root: &Path) -> anyhow::Result<()> {
    if process::answer("docker", &["compose", "version"]).is_none() {
        println!("\n`docker compose` is not here: compose.yaml was read by its linter alone");
        return Ok(());
    }
    let example = std::fs::read_to_string(root.join(".env.example"))
        .context("reading `.env.example`, which names the variables of compose.yaml")?;
    let arguments = ["compose", "--env-file", ".env.example", "config", "--quiet"];
    let mut command = process::command(root, "docker", &arguments);
    process::step(command.envs(variables(&example).map(|name| (name, ANY_VALUE))))
}

/// The names that a file of variables sets.
fn variables(file: &str) -> impl Iterator<Item = &str> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    lines.filter_map(|line| line.split_once('=')).map(|(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_names_no_variable() {
        let file = "# the key\n# KEY=of nobody\nKEY=\n\nPORTS=3000\n";
        assert_eq!(variables(file).collect::<Vec<_>>(), ["KEY", "PORTS"]);
    }
}
