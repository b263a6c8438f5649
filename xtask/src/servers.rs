//! `cargo xtask servers`: the servers of the tests, for a person who runs `cargo test` by hand.

use std::io;
use std::path::Path;

use anyhow::Context;

use crate::provision::Servers;

/// Starts both, prints how a shell tells tests of them, and keeps them until standard input ends.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let servers = Servers::given_or_private(root, |_| None)?;
    for (name, url) in servers.variables() {
        println!("export {name}={url}");
    }
    eprintln!("running until Ctrl-C or the end of standard input");
    // A Ctrl-C ends this process, the kernel ends the servers with it, and the next run deletes their files.
    io::copy(&mut io::stdin().lock(), &mut io::sink()).context("reading standard input")?;
    Ok(())
}
