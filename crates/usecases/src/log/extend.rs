//! A turn that gives events their places.

use audit::{
    LogOrigin, Logs, Turn, announcement,
    merkle::Frontier,
    sequence::{self, LogState},
};
use kernel::{OrganizationId, StoreError};

use super::sequencer::{Round, Sequencer};

/// About how many events one turn takes: enough that its commit hardly counts, and few enough that
/// nobody else waits long for the store, a few milliseconds.
const EVENTS: u32 = 500;

impl<S: Logs> Sequencer<S> {
    /// Gives events that wait their places. `None` where somebody else keeps the log, or is in a turn.
    pub(super) async fn extend(
        &self,
        organization: OrganizationId,
    ) -> Result<Option<Round>, StoreError> {
        let parts = &self.parts;
        let Some(mut turn) = parts.store.turn(organization, parts.id).await? else {
            return Ok(None);
        };
        let state = turn.state().clone();
        if state.halted.is_some() || self.has_gone_back(organization, &state) {
            return Ok(Some(Round::Idle));
        }
        let events = turn.unsequenced(EVENTS).await?;
        if events.is_empty() {
            return Ok(Some(Round::Idle));
        }
        if let Some(breach) =
            events.iter().find_map(|event| announcement::check(event, state.trimmed).err())
        {
            self.halt(turn, organization, &breach).await?;
            return Ok(Some(Round::Idle));
        }
        let origin = match state.origin {
            Some(origin) => origin,
            None => LogOrigin::new(&parts.issuer, organization).map_err(StoreError::unavailable)?,
        };
        let mut frontier = Frontier::load(&mut turn, state.size).await?;
        let extension = sequence::extend(origin, (&mut frontier, state.latest), &events)
            .map_err(|_| StoreError::Corrupt { table: "audit_event", column: "salt" })?;
        turn.extend(&extension).await?;
        turn.commit().await?;
        parts.observer.sequenced(events.len());
        let were_all = u32::try_from(events.len()).is_ok_and(|events| events < EVENTS);
        Ok(Some(if were_all { Round::Done } else { Round::More }))
    }

    /// Whether a checkpoint that left is greater than the log: nothing may be added behind a log that
    /// has gone back. The turn that signs says so.
    fn has_gone_back(&self, organization: OrganizationId, state: &LogState) -> bool {
        let left = self.parts.outside.newest(organization);
        left.is_some_and(|left| left.size > state.size)
    }
}
