//! What the tests need from the machine, brought there before they run.
//!
//! Each need has its own file, and says how it is met or what a person must install.

mod clients;
mod servers;
mod tools;

use std::path::Path;

pub(crate) use servers::Servers;

/// Makes sure that everything the tests need is there, or says what is missing. What it returns must live as long as they run.
pub(crate) fn all(root: &Path) -> anyhow::Result<Servers> {
    tools::ensure(root)?;
    clients::ensure(root)?;
    Servers::given_or_private(root, |name| std::env::var(name).ok())
}
