//! Writing the notes of a group by one statement, or one by one where that fails.

use audit::EventRecord;
use sqlx::{Executor, SqliteConnection};

use crate::{events, session};

const SAVEPOINT: &str = "SAVEPOINT notes";
const RELEASE: &str = "RELEASE notes";
const UNDO: &str = "ROLLBACK TO notes";

/// Writes the events inside the transaction that is open. Gives back those that cannot be written,
/// by their place and in its order: one bad event must not take the others with it.
///
/// # Errors
/// When the transaction itself is lost.
pub(super) async fn insert(
    connection: &mut SqliteConnection,
    notes: &[EventRecord],
) -> Result<Vec<(usize, sqlx::Error)>, sqlx::Error> {
    let mut refused = Vec::new();
    let Some(error) = attempt(connection, notes).await? else {
        return Ok(refused);
    };
    if notes.len() < 2 {
        refused.push((0, error));
        return Ok(refused);
    }
    for (at, note) in notes.iter().enumerate() {
        if let Some(error) = attempt(connection, std::slice::from_ref(note)).await? {
            refused.push((at, error));
        }
    }
    Ok(refused)
}

/// Writes all of these or none, and tells why none.
async fn attempt(
    connection: &mut SqliteConnection,
    notes: &[EventRecord],
) -> Result<Option<sqlx::Error>, sqlx::Error> {
    if notes.is_empty() {
        return Ok(None);
    }
    connection.execute(SAVEPOINT).await?;
    let written = write(connection, notes).await;
    if written.is_err() {
        connection.execute(UNDO).await?;
    }
    connection.execute(RELEASE).await?;
    Ok(written.err())
}

async fn write(
    connection: &mut SqliteConnection,
    notes: &[EventRecord],
) -> Result<(), sqlx::Error> {
    session::run(connection, events::insert(notes)).await?;
    if let Some(statement) = events::remember_use(notes) {
        session::run(connection, statement).await?;
    }
    Ok(())
}
