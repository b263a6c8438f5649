//! Running other programs, visibly.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};

/// The cargo that started us, so that a pinned toolchain stays pinned.
pub(crate) fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A program in the workspace's folder, to be run with [`step`] or [`output`].
pub(crate) fn command(root: &Path, program: impl AsRef<OsStr>, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root).args(arguments);
    // What cargo told us about this package is news to a cargo that we start: build scripts that read it would run again,
    // and all that stands on them be built again, each time that a person changes between `cargo test` and us.
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_about_this_package(name)) {
        command.env_remove(name);
    }
    command
}

fn is_about_this_package(name: &OsStr) -> bool {
    let name = name.to_string_lossy();
    name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_")
}

/// Prints the command line, runs it, and fails where it fails.
pub(crate) fn step(command: &mut Command) -> anyhow::Result<()> {
    let line = line(command);
    println!("\n==> {line}");
    let status = command.status().with_context(|| format!("`{line}` does not start"))?;
    if !status.success() {
        bail!("`{line}` failed ({status})");
    }
    Ok(())
}

/// What the program prints on standard output; its standard error is shown.
pub(crate) fn output(command: &mut Command) -> anyhow::Result<String> {
    let line = line(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("`{line}` does not start"))?;
    if !output.status.success() {
        bail!("`{line}` failed ({})", output.status);
    }
    String::from_utf8(output.stdout).with_context(|| format!("`{line}` did not print UTF-8"))
}

/// What the program prints, or nothing where it is missing or fails: for asking whether a tool is there.
pub(crate) fn answer(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    if !output.status.success() {
        return None;
    }
    String::from_utf8(output.stdout).ok()
}

fn line(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let mut words = vec![program.file_name().unwrap_or(program.as_os_str()).to_string_lossy()];
    words.extend(command.get_args().map(OsStr::to_string_lossy));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_an_error_that_names_it() {
        let error = step(&mut command(Path::new("."), "false", &["--loudly"])).unwrap_err();
        assert!(error.to_string().starts_with("`false --loudly` failed"), "{error}");
    }

    #[test]
    fn a_program_is_not_told_of_this_package() {
        // cargo sets the variable for every test that it runs.
        assert!(std::env::var_os("CARGO_PKG_NAME").is_some());
        let printed = output(&mut command(Path::new("."), "env", &[])).unwrap();
        assert!(!printed.contains("CARGO_PKG_NAME"), "{printed}");
    }

    #[test]
    fn a_missing_program_has_no_answer() {
        assert_eq!(answer("no-such-program-here", &["--version"]), None);
    }
}
