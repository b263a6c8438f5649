//! Programs that cargo builds: the machine's own where it has the very version, otherwise ours, which
//! is built once.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::process;

/// Where ours are kept.
const TOOLS: &str = "target/tools";

/// A program, as its package and its version name it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CargoProgram {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// What is not done without it.
    pub(crate) purpose: &'static str,
}

impl CargoProgram {
    /// Finds it, or builds it.
    pub(crate) fn ensure(self, root: &Path) -> anyhow::Result<PathBuf> {
        let name = format!("{}{}", self.name, std::env::consts::EXE_SUFFIX);
        let ours = root.join(TOOLS).join("bin").join(&name);
        let candidates = [PathBuf::from(name), ours.clone()];
        if let Some(found) = candidates.into_iter().find(|one| self.is_current(one)) {
            return Ok(found);
        }
        let version = ["--version", self.version, "--root", TOOLS];
        let arguments = [&["install", self.name, "--locked"][..], &version].concat();
        let mut command = process::command(root, process::cargo(), &arguments);
        process::step(&mut command).with_context(|| {
            format!(
                "{} {} is not here and cannot be installed, so {}; building it needs a package registry and a C compiler",
                self.name, self.version, self.purpose
            )
        })?;
        Ok(ours)
    }

    fn is_current(self, program: &Path) -> bool {
        let version = process::answer(program, &["--version"]);
        version.is_some_and(|version| version.trim() == format!("{} {}", self.name, self.version))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_is_missing_or_of_another_version_will_not_do() {
        let program = CargoProgram { name: "cargo-deny", version: "0.1.0", purpose: "nothing" };
        assert!(!program.is_current(Path::new("no-such-program-here")));
        assert!(!program.is_current(Path::new("false")));
        // Prints something, and not that.
        assert!(!program.is_current(Path::new("echo")));
    }
}
