//! Erasing what may be erased: from the start of a log on, in steps, never before the log's row says
//! so.

use std::ops::Range;

use kernel::{StoreError, Timestamp};
use stored_rows::{Value, log};

use crate::{
    held::{Held, Writes},
    log_reader::whole,
    session::{Mode, Session},
    statement::statement,
};

// A log that is halted is evidence: nothing of it goes.
const MARKS: &str = "
    SELECT content_before, personal_data_before, content_erased, personal_data_erased
    FROM audit_log WHERE organization_id = ? AND halted IS NULL";

/// Which events lie in a run of positions.
macro_rules! within {
    () => {
        " WHERE organization_id = ?1 AND id IN (
            SELECT event_id FROM audit_leaf
            WHERE organization_id = ?1 AND position >= ?2 AND position < ?3
        )"
    };
}

pub(crate) const ERASE_CONTENT: &str = concat!(
    "UPDATE audit_event SET
        agent_id = NULL, action = '', outcome = 'success', resource_kind = NULL,
        resource_id = NULL, request_id = '', address = NULL, user_agent = NULL,
        used_credential_id = NULL, metadata = '{}', occurred_at = 0, salt = NULL, erased_at = ?4",
    within!()
);

// What is blank already is left alone, and what has lost its content has lost this too.
pub(crate) const ERASE_PERSONAL_DATA: &str = concat!(
    "UPDATE audit_event SET salt = NULL, address = NULL, user_agent = NULL",
    within!(),
    " AND erased_at IS NULL"
);

const ADVANCE: &str = "
    UPDATE audit_log SET content_erased = ?, personal_data_erased = ? WHERE organization_id = ?";

/// Erases what may be of so many events at most. Gives back of how many.
pub(crate) async fn erase(
    mut session: Session<Held>,
    most: u64,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let owner = Value::Id(session.owner().uuid());
    let rows = session.rows(statement(MARKS, [owner.clone()])).await?;
    let erasure = rows.first().map(log::erasure).transpose()?;
    let Some(step) = erasure.and_then(|erasure| erasure.next(most)) else { return Ok(0) };
    if !step.content.is_empty() {
        let run = run(&owner, &step.content).into_iter().chain([Value::instant(now)]);
        session.change(statement(ERASE_CONTENT, run)).await?;
    }
    if !step.personal_data.is_empty() {
        let run = run(&owner, &step.personal_data);
        session.change(statement(ERASE_PERSONAL_DATA, run)).await?;
    }
    let marks = [whole(step.after.content), whole(step.after.personal_data), owner];
    session.change_one(statement(ADVANCE, marks)).await?;
    session.commit().await?;
    Ok(step.count())
}

fn run(owner: &Value, positions: &Range<u64>) -> [Value; 3] {
    [owner.clone(), whole(positions.start), whole(positions.end)]
}
