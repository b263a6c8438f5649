//! What the tests need from the machine, brought there before they run.
//!
//! Each need has its own file, and says how it is met or what a person must install. Servers that tests talk to belong here
//! too, one file each.

mod clients;
mod tools;

use std::path::Path;

/// Makes sure that everything the tests need is there, or says what is missing.
pub(crate) fn all(root: &Path) -> anyhow::Result<()> {
    tools::ensure(root)?;
    clients::ensure(root)
}
