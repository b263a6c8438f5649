//! Erasing what may be erased: from the start of a log on, in steps, never before the log's row says
//! so, and by a role that can change nothing else.

use std::ops::Range;

use kernel::{OrganizationId, StoreError, Timestamp};
use stored_rows::log;

use crate::{
    held::Held,
    log_reader::whole,
    session::{Mode, Session, Writes},
};

// A log that is halted is evidence: nothing of it goes.
pub(crate) const MARKS: &str = "
    SELECT content_before, personal_data_before, content_erased, personal_data_erased
    FROM audit_log WHERE organization_id = $1 AND halted IS NULL";

/// When credentials were used is told by events: what these tell is kept before they are blank.
pub(crate) const KEEP_LAST_USES: &str = "
    INSERT INTO last_use (organization_id, credential_id, agent_id, used_at)
    SELECT means.organization_id, means.id, means.agent_id, max(event.occurred_at)
    FROM audit_leaf AS leaf
    JOIN audit_event AS event
        ON event.organization_id = leaf.organization_id AND event.id = leaf.event_id
    JOIN (
        SELECT organization_id, id, agent_id FROM credential
        UNION ALL
        SELECT organization_id, id, agent_id FROM client_key
    ) AS means
        ON means.organization_id = event.organization_id
        AND means.id = event.used_credential_id
    WHERE leaf.organization_id = $1 AND leaf.position >= $2 AND leaf.position < $3
        AND event.outcome = 'success'
    GROUP BY means.organization_id, means.id, means.agent_id
    ON CONFLICT (organization_id, credential_id) DO UPDATE
    SET used_at = greatest(last_use.used_at, excluded.used_at)";

/// Which events lie in a run of positions.
macro_rules! within {
    () => {
        " FROM audit_leaf AS leaf
        WHERE leaf.organization_id = $1 AND leaf.position >= $2 AND leaf.position < $3
            AND event.organization_id = $1 AND event.id = leaf.event_id
            AND event.erased_at IS NULL"
    };
}

pub(crate) const ERASE_CONTENT: &str = concat!(
    "UPDATE audit_event AS event
    SET agent_id = NULL, action = '', outcome = 'success', resource_kind = NULL, resource_id = NULL,
        request_id = '', address = NULL, user_agent = NULL, used_credential_id = NULL,
        metadata = '{}', occurred_at = 0, salt = NULL, erased_at = $4",
    within!()
);

// What is blank already is left alone, and what has lost its content has lost this too.
pub(crate) const ERASE_PERSONAL_DATA: &str = concat!(
    "UPDATE audit_event AS event SET salt = NULL, address = NULL, user_agent = NULL",
    within!()
);

/// Only now is the log's row taken: whoever is in a turn meanwhile is not kept waiting, and what
/// somebody else has erased meanwhile stays so.
const ADVANCE: &str = "
    UPDATE audit_log
    SET content_erased = greatest(content_erased, $2),
        personal_data_erased = greatest(personal_data_erased, $3)
    WHERE organization_id = $1";

/// Begins a transaction that may erase. The role is the transaction's: it ends with it.
pub(crate) fn begin(organization: OrganizationId) -> String {
    format!(
        "BEGIN ISOLATION LEVEL READ COMMITTED; \
         SELECT set_config('app.organization', '{organization}', true); \
         SET LOCAL ROLE idp_eraser"
    )
}

/// Erases what may be of so many events at most. Gives back of how many.
pub(crate) async fn erase(
    mut session: Session<Held>,
    most: u64,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let owner = session.owner().uuid();
    let rows = session.rows(sqlx::query(MARKS).bind(owner)).await?;
    let erasure = rows.first().map(log::erasure).transpose()?;
    let Some(step) = erasure.and_then(|erasure| erasure.next(most)) else { return Ok(0) };
    let run = |sql: &'static str, positions: &Range<u64>| {
        sqlx::query(sql).bind(owner).bind(whole(positions.start)).bind(whole(positions.end))
    };
    if !step.content.is_empty() {
        session.change(run(KEEP_LAST_USES, &step.content)).await?;
        session.change(run(ERASE_CONTENT, &step.content).bind(now.unix_micros())).await?;
    }
    if !step.personal_data.is_empty() {
        session.change(run(ERASE_PERSONAL_DATA, &step.personal_data)).await?;
    }
    let (content, personal_data) = (whole(step.after.content), whole(step.after.personal_data));
    let advance = sqlx::query(ADVANCE).bind(owner).bind(content).bind(personal_data);
    session.change_one(advance).await?;
    session.commit().await?;
    Ok(step.count())
}
