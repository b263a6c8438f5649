//! Clients of a server that is measured: they make agents, collect tokens, and send requests at a fixed
//! rate.

pub mod agents;
mod connection;
pub mod paced;
mod requests;
pub mod tokens;

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

use connection::Connection;

/// Does the work with so many threads, each with a connection of its own, and the number of each piece.
/// The first error ends it, once each thread is done with its piece.
///
/// # Errors
/// What the work says, and where nobody listens at the URL.
fn share(
    url: &str,
    threads: usize,
    pieces: usize,
    work: impl Fn(&mut Connection, usize) -> anyhow::Result<()> + Sync,
) -> anyhow::Result<()> {
    let queue = Mutex::new(0..pieces);
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let one = || {
        let mut connection = Connection::open(url)?;
        while let Some(piece) = next() {
            work(&mut connection, piece).inspect_err(|_| while next().is_some() {})?;
        }
        Ok(())
    };
    thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
        let ends = workers.into_iter().map(|worker| {
            worker.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a thread panicked")))
        });
        ends.fold(Ok(()), Result::and)
    })
}
