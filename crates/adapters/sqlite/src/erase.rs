//! Erasing what may be erased: from the start of a log on, in steps, never before the log's row says
//! so.

use kernel::{StoreError, Timestamp};
use stored_rows::{Columns, Value, log};

use crate::{
    held::{Held, Writes},
    log_reader::whole,
    row::Row,
    session::{Mode, Session},
    statement::statement,
};

const MARKS: &str = "
    SELECT content_before, personal_data_before, content_erased, personal_data_erased
    FROM audit_log WHERE organization_id = ?";

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

/// Up to where something may be erased, and is.
struct Marks {
    may: u64,
    is: u64,
}

impl Marks {
    fn read(
        columns: &Columns<'_, Row>,
        may: &'static str,
        is: &'static str,
    ) -> Result<Self, StoreError> {
        Ok(Self { may: columns.count(may)?, is: columns.count(is)? })
    }

    /// The next positions, at most so many.
    fn next(&self, most: u64) -> Option<(u64, u64)> {
        let end = self.may.min(self.is.saturating_add(most));
        (end > self.is).then_some((self.is, end))
    }
}

/// Erases what may be of so many events at most. Gives back of how many.
pub(crate) async fn erase(
    mut session: Session<Held>,
    most: u64,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let owner = Value::Id(session.owner().uuid());
    let rows = session.rows(statement(MARKS, [owner.clone()])).await?;
    let Some(row) = rows.first() else {
        return Ok(0);
    };
    let columns = Columns::of(log::TABLE, row);
    let mut content = Marks::read(&columns, "content_before", "content_erased")?;
    let mut personal = Marks::read(&columns, "personal_data_before", "personal_data_erased")?;
    let mut handled = 0;
    if let Some((start, end)) = content.next(most) {
        let run = run(&owner, (start, end)).into_iter().chain([Value::instant(now)]);
        session.change(statement(ERASE_CONTENT, run)).await?;
        handled = end - start;
        content.is = end;
        personal.is = personal.is.max(end);
    }
    if let Some((start, end)) = personal.next(most - handled) {
        session.change(statement(ERASE_PERSONAL_DATA, run(&owner, (start, end)))).await?;
        handled += end - start;
        personal.is = end;
    }
    if handled > 0 {
        let marks = [whole(content.is), whole(personal.is), owner];
        session.change_one(statement(ADVANCE, marks)).await?;
        session.commit().await?;
    }
    Ok(handled)
}

fn run(owner: &Value, (start, end): (u64, u64)) -> [Value; 3] {
    [owner.clone(), whole(start), whole(end)]
}
