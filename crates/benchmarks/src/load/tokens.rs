//! Collects tokens, to be used later.

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, ensure};

use super::{requests::Client, share};

/// Requests in flight.
const THREADS: usize = 64;

/// Gets so many tokens with this scope, from the clients of the file in turns, and writes each on a line.
///
/// # Errors
/// Where one is refused, and where a file cannot be read or written.
pub fn collect(
    url: &str,
    clients: &Path,
    scope: &str,
    count: usize,
    file: &Path,
) -> anyhow::Result<()> {
    let read = fs::read_to_string(clients);
    let read = read.with_context(|| format!("reading `{}`", clients.display()))?;
    let clients = read.lines().map(Client::of).collect::<anyhow::Result<Vec<_>>>()?;
    ensure!(!clients.is_empty(), "the file names no clients");
    let out = File::create(file).with_context(|| format!("writing `{}`", file.display()))?;
    let out = Mutex::new(BufWriter::new(out));
    share(url, THREADS, count, |server, number| {
        let client = clients.get(number % clients.len()).context("no client")?;
        let token = client.token(server, scope)?;
        writeln!(out.lock().unwrap_or_else(PoisonError::into_inner), "{token}")?;
        Ok(())
    })?;
    let mut out = out.into_inner().unwrap_or_else(PoisonError::into_inner);
    out.flush().context("writing tokens")
}
