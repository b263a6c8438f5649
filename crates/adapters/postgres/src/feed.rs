//! The change feed: what every replica committed, without a gap.
//!
//! A row's number is given out before its transaction commits, so that a later number may be seen
//! first. A look therefore reads on from the oldest transaction that was still under way at the look
//! before, and leaves out what it has told already.

use std::{collections::BTreeSet, fmt, time::Duration};

use audit::{ChangeFeed, Changed, News, Resource};
use kernel::{OrganizationId, StoreError};
use sqlx::{ConnectOptions, PgConnection, postgres::PgConnectOptions};
use stored_rows::{Cells, Columns};

use crate::{
    deadline::Deadline,
    error::store_error,
    row::Row,
    session::{self, Done, Statement},
};

const TABLE: &str = "change_feed";

/// One snapshot: which transactions are not over yet, the server's time, and what came since. Not by
/// `coalesce`, which the database does not trust with rows that a policy may hide: each look would
/// read the whole table.
pub(crate) const LOOK: &str = "
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS floor,
        (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS looked_at,
        (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint AS started_at,
        number, organization_id, resource_kind, resource_id
    FROM (SELECT) AS always
    LEFT JOIN change_feed
        ON transaction >= CASE
            WHEN $1::text IS NULL THEN pg_snapshot_xmin(pg_current_snapshot()) ELSE $1::text::xid8
        END
    LIMIT 10001";

/// How many changes are told of at one look. Where a transaction that runs for long makes more of
/// them come again, nobody keeps count: whatever changed is not known.
const MOST: usize = 10_000;

/// A few at a time, since a look must not wait for many, and by one replica at a time.
const FORGET: &str = "
    DELETE FROM change_feed
    WHERE (SELECT pg_try_advisory_xact_lock(hashtext('change_feed is cleared'))) AND number IN (
        SELECT number FROM change_feed
        WHERE changed_at < now() - interval '5 minutes'
        ORDER BY number
        LIMIT 1000
    )";

/// How many one statement clears at most.
const FEW: u64 = 1_000;

/// Well within the time for which changes are kept.
const LONGEST_GAP: Duration = Duration::from_secs(60);

/// How many looks one clears up after: about a minute of them.
const LOOKS_TO_FORGET: u32 = 240;

/// Where the last look ended.
#[derive(Debug)]
struct Place {
    /// The oldest transaction that was under way then.
    floor: i64,
    /// Milliseconds by the server's clock.
    looked_at: i64,
    /// Since when the server runs: another one that took its place began at another time.
    started_at: i64,
    /// What was told of transactions from the floor on.
    told: BTreeSet<i64>,
}

/// The changes of every replica.
pub struct PostgresFeed {
    settings: PgConnectOptions,
    patience: Duration,
    connection: Option<PgConnection>,
    place: Option<Place>,
    looks: u32,
}

impl fmt::Debug for PostgresFeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresFeed").field("place", &self.place).finish_non_exhaustive()
    }
}

impl PostgresFeed {
    pub(crate) fn new(settings: PgConnectOptions, patience: Duration) -> Self {
        let settings = settings.options([("app.feed", "on")]);
        Self { settings, patience, connection: None, place: None, looks: 0 }
    }

    async fn run(&mut self, statement: Statement) -> Result<Done, StoreError> {
        let deadline = Deadline::after(self.patience);
        // Taken out, so that a connection in the middle of something is never used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => {
                let connecting = Box::pin(self.settings.connect());
                deadline.within(connecting).await?.map_err(store_error)?
            }
        };
        let done = deadline.within(session::run(&mut connection, statement)).await?;
        let done = done.map_err(store_error)?;
        self.connection = Some(connection);
        Ok(done)
    }

    /// Clears up once in a while, and again after the next look where there was more to clear.
    async fn forget(&mut self) {
        self.looks = self.looks.saturating_add(1);
        if self.looks < LOOKS_TO_FORGET {
            return;
        }
        match self.run(sqlx::query(FORGET)).await {
            Ok(done) if done.changed == FEW => {}
            Ok(_) => self.looks = 0,
            Err(error) => {
                self.looks = 0;
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "old changes are still kept");
            }
        }
    }
}

impl ChangeFeed for PostgresFeed {
    async fn news(&mut self) -> Result<News, StoreError> {
        let floor = self.place.as_ref().map(|place| place.floor.to_string());
        let rows = self.run(sqlx::query(LOOK).bind(floor)).await?.rows;
        let before = self.place.take();
        let (place, changes) = read(&rows, before.as_ref())?;
        let follows = before.is_some_and(|before| place.follows(&before));
        self.place = Some(place);
        self.forget().await;
        Ok(changes.filter(|_| follows).map_or(News::Unknown, News::Changes))
    }
}

impl Place {
    /// Whether nothing can have been missed in between: the gap was short, and the server is the
    /// same. One that was set back to an earlier state, or that took over without the latest
    /// changes, gives out the same numbers a second time.
    fn follows(&self, before: &Self) -> bool {
        let gap = self.looked_at.saturating_sub(before.looked_at).unsigned_abs();
        self.started_at == before.started_at
            && self.floor >= before.floor
            && Duration::from_millis(gap) < LONGEST_GAP
    }
}

/// The new place, and what was not told before. Where that has a change of something that is not
/// known here, as a later release may have it, nobody can say what changed; it is no reason to be
/// blind to the next.
fn read(rows: &[Row], before: Option<&Place>) -> Result<(Place, Option<Vec<Changed>>), StoreError> {
    let corrupt = StoreError::Corrupt { table: TABLE, column: "floor" };
    let head = Columns::of(TABLE, rows.first().ok_or(corrupt)?);
    let (floor, looked_at) = (head.number("floor")?, head.number("looked_at")?);
    let started_at = head.number("started_at")?;
    let mut place = Place { floor, looked_at, started_at, told: BTreeSet::new() };
    let mut fresh = Vec::new();
    for row in rows {
        let row = Columns::of(TABLE, row);
        let Some(number) = row.optional_number("number")? else { continue };
        place.told.insert(number);
        if before.is_none_or(|before| !before.told.contains(&number)) {
            fresh.push(row);
        }
    }
    let all = (rows.len() <= MOST).then_some(fresh);
    let changes = all.and_then(|fresh| fresh.iter().map(changed).collect::<Result<_, _>>().ok());
    Ok((place, changes))
}

fn changed(row: &Columns<'_, impl Cells>) -> Result<Changed, StoreError> {
    let organization = row.id("organization_id", OrganizationId::from_uuid)?;
    let resource =
        Resource { kind: row.parsed("resource_kind")?, id: row.text("resource_id")?.to_owned() };
    Ok(Changed { organization, resource })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(floor: i64, looked_at: i64, started_at: i64) -> Place {
        Place { floor, looked_at, started_at, told: BTreeSet::new() }
    }

    #[test]
    fn a_look_follows_a_recent_one_at_the_same_server_and_no_other() {
        let before = place(100, 1_000_000, 5);
        for (after, follows) in [
            (place(100, 1_000_000, 5), true),
            (place(101, 1_059_999, 5), true),
            // Too long ago, or at a clock that was set.
            (place(101, 1_060_000, 5), false),
            (place(101, 940_000, 5), false),
            (place(101, i64::MIN, 5), false),
            // An earlier state of the server, and another server.
            (place(99, 1_000_250, 5), false),
            (place(101, 1_000_250, 6), false),
        ] {
            assert_eq!(after.follows(&before), follows, "{after:?}");
        }
    }
}
