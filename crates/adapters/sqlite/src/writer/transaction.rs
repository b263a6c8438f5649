//! Serving one transaction: its holder sends statements, and the connection stays here.

use std::{future::pending, pin::pin, time::Duration};

use sqlx::SqliteConnection;
use tokio::{
    select,
    sync::{mpsc, oneshot},
    time::timeout,
};

use super::{Command, Reply};
use crate::session::{self, Told};

/// Runs what the holder asks for until it commits, gives up, fails or takes too long. Only a
/// transaction to be committed leaves somebody who waits.
pub(super) async fn serve(
    connection: &mut SqliteConnection,
    grant: oneshot::Sender<mpsc::Sender<Command>>,
    patience: Duration,
) -> Option<(Reply, Told)> {
    let (sender, mut commands) = mpsc::channel(1);
    // Sent to somebody who has just stopped waiting, it is dropped there, which closes the channel.
    grant.send(sender).ok()?;
    let mut over = pin!(timeout(patience, pending::<()>()));
    loop {
        // The patience first: a holder that never rests is cut off all the same.
        let command = select! {
            biased;
            _ = &mut over => {
                tracing::warn!("a transaction took too long and was rolled back");
                return None;
            }
            command = commands.recv() => command?,
        };
        match command {
            Command::Commit { reply, told } => return Some((reply, told)),
            Command::Run { statement, reply } => {
                let done = session::run(connection, statement).await;
                let failed = done.is_err();
                let _ = reply.send(done);
                // Some errors make SQLite roll back by itself, and the next statement would then
                // be committed alone.
                if failed {
                    return None;
                }
            }
        }
    }
}
