//! `cargo xtask check-arch`: the architecture, held by a check instead of by habit.
//!
//! The folder of a crate is its tier. Each rule is a function from what was read to the violations found, so that a
//! test can show it a made-up tree. The rules also run as a test over this workspace: see the end of this file.

mod callers;
mod direction;
mod input_output;
mod manifests;
mod resolved;
mod rust_text;
mod sources;
mod sql;
mod tiers;

use std::path::Path;

use crate::migrate;
use crate::violation::{self, Violation};

/// Prints every violation and fails where there is one.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    violation::none_of(violations(root)?)?;
    println!("the tree keeps to the architecture");
    Ok(())
}

fn violations(root: &Path) -> anyhow::Result<Vec<Violation>> {
    let members = manifests::members(root)?;
    let resolved = resolved::Resolved::read(root)?;
    let files = sources::read(root)?;

    let mut found = direction::violations(&members);
    found.extend(input_output::direct(&members));
    found.extend(input_output::transitive(&members, &resolved));
    found.extend(sql::dependencies(&members));
    found.extend(sql::text(&files));
    found.extend(sources::violations(&files));
    found.extend(callers::violations(&files));
    found.extend(migrate::violations(root)?);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_workspace_keeps_to_the_architecture() {
        let found = violations(&crate::root()).unwrap();
        let told: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(told.is_empty(), "\n{}", told.join("\n"));
    }
}
