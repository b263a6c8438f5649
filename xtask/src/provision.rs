//! What the tests and the linters need from the machine, brought there before they run.
//!
//! Each need has its own file, and says how it is met or what a person must install.

mod cargo_programs;
mod clients;
mod linters;
mod packages;
mod servers;
mod tools;

use std::path::Path;

pub(crate) use cargo_programs::CargoProgram;
pub(crate) use linters::Linters;
pub(crate) use servers::{Folder, Servers};

/// Makes sure that everything the tests need is there, or says what is missing. What it returns must live as long as they run.
pub(crate) fn all(root: &Path) -> anyhow::Result<Servers> {
    tools::ensure(root)?;
    clients::ensure(root)?;
    Servers::given_or_private(root, |name| std::env::var(name).ok())
}

/// Makes sure that the programs of the servers are there, for tests that run servers of their own.
pub(crate) fn programs(root: &Path) -> anyhow::Result<()> {
    tools::ensure(root)
}

/// Makes sure that the programs of the benchmark are there.
pub(crate) fn benchmark(root: &Path) -> anyhow::Result<()> {
    tools::benchmark(root)
}

/// Makes sure that the program that counts instructions is there.
pub(crate) fn valgrind(root: &Path) -> anyhow::Result<()> {
    tools::valgrind(root)
}

/// Makes sure that the linters of the deployment's files are there, and says where.
pub(crate) fn linters(root: &Path) -> anyhow::Result<Linters> {
    tools::ensure(root)?;
    linters::ensure(root)
}
