//! Writing the notes of a group and committing it: all by one statement of several parts, or one by one
//! where that is refused.
//!
//! Each statement costs two hand-overs between threads, which is more than an event costs. So what a
//! group needs from beginning to commit is one text.

use audit::EventRecord;
use futures_util::TryStreamExt;
use sqlx::{Executor, SqliteConnection};

use super::COMMIT;
use crate::{events, session};

/// What writes events, of several parts.
struct Script {
    text: &'static str,
    /// How many parts there are.
    parts: usize,
    /// How many parts come before those that may refuse an event.
    before: usize,
}

/// How many parts may refuse an event: its insertion, and that of the use that it is.
const REFUSING: usize = 2;

macro_rules! notes {
    () => {
        concat!(
            "SAVEPOINT notes; ",
            events::insert_events!(),
            "; ",
            events::remember_uses!(),
            "; RELEASE notes"
        )
    };
}

/// A whole transaction. `IMMEDIATE` as everywhere: see `BEGIN`.
const ALONE: Script =
    Script { text: concat!("BEGIN IMMEDIATE; ", notes!(), "; COMMIT"), parts: 6, before: 2 };

/// The rest of a transaction that is open.
const BEHIND: Script = Script { text: concat!(notes!(), "; COMMIT"), parts: 5, before: 1 };

/// In the middle of a transaction that is open.
const WITHIN: Script = Script { text: notes!(), parts: 4, before: 1 };

const UNDO: &str = "ROLLBACK TO notes; RELEASE notes";
const UNDO_PARTS: usize = 2;

/// Commits the events, in the transaction that is open or in one of their own. Gives back those that
/// cannot be written, by their place and in its order: one bad event must not take the others with it.
///
/// # Errors
/// When the transaction itself is lost.
pub(super) async fn commit(
    connection: &mut SqliteConnection,
    notes: &[EventRecord],
    is_open: bool,
) -> Result<Vec<(usize, sqlx::Error)>, sqlx::Error> {
    let mut refused = Vec::new();
    if !notes.is_empty() {
        let script = if is_open { BEHIND } else { ALONE };
        let Some(error) = attempt(connection, script, notes).await? else {
            return Ok(refused);
        };
        if notes.len() < 2 {
            refused.push((0, error));
        } else {
            for (at, note) in notes.iter().enumerate() {
                let one = std::slice::from_ref(note);
                refused.extend(attempt(connection, WITHIN, one).await?.map(|error| (at, error)));
            }
        }
    }
    session::run(connection, sqlx::query(COMMIT)).await?;
    Ok(refused)
}

/// Writes all of these or none, and tells why none: the transaction is open then, with nothing of them
/// in it.
async fn attempt(
    connection: &mut SqliteConnection,
    script: Script,
    notes: &[EventRecord],
) -> Result<Option<sqlx::Error>, sqlx::Error> {
    let mut parts_done: usize = 0;
    let run = async {
        let mut steps = connection.fetch_many(events::of_group(script.text, notes));
        while steps.try_next().await?.is_some() {
            parts_done = parts_done.saturating_add(1);
        }
        Ok(())
    };
    let Err(error) = run.await else {
        return session::ended(parts_done, script.parts).map(|()| None);
    };
    let refusing = script.before..script.before.saturating_add(REFUSING);
    if !refusing.contains(&parts_done) {
        return Err(error);
    }
    session::run_parts(connection, sqlx::query(UNDO), UNDO_PARTS).await?;
    Ok(Some(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_has_as_many_parts_as_it_is_held_to() {
        for Script { text, parts, before } in [ALONE, BEHIND, WITHIN] {
            let found: Vec<_> = text.split(';').map(str::trim).collect();
            assert_eq!(found.len(), parts, "{text}");
            assert_eq!(found.get(before - 1), Some(&"SAVEPOINT notes"));
        }
        assert_eq!(UNDO.split(';').count(), UNDO_PARTS);
    }
}
