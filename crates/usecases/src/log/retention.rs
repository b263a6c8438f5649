//! What is over is announced and, an hour later, erased: content by the plan's days, personal data
//! perhaps earlier.

use std::num::NonZeroU32;

use audit::{
    Action, Apply, AuditLog, EventFilter, Journal, LogReader, LogState, LogTrimmed, Logs, Notes,
    Organizations, Retention, Transactor, record,
    sequence::LeafRecord,
    trim::{Announcement, Cut},
};
use kernel::{Clock, Limit, OrganizationId, PageRequest, Start, StoreError};
use tenancy::{Actor, Origin, Plans, Scope};

use super::observer::LogObserver;
use crate::pepper;

/// How many logs, leaves and events are taken at a time.
const LOGS: u32 = 100;
const LEAVES: u32 = 1_000;
const EVENTS: u32 = 500;

/// What is kept for how long.
#[derive(Debug, Clone, Copy)]
pub struct RetentionRules {
    /// What each plan keeps.
    pub plans: Plans,
    /// Days for which personal data is kept, where content is not over earlier.
    pub personal_data_days: u32,
    /// The organization whose log says which pepper is in use.
    pub platform: OrganizationId,
}

/// Erases what was announced long enough ago, and announces what is over, in every log. What was
/// erased stays so if this is cut short, and the next one goes on. A log that fails keeps no other
/// one waiting: the observer is told of it. Gives back how many did.
///
/// # Errors
/// [`StoreError`], where the logs cannot be listed.
pub async fn retain<S>(
    store: &S,
    rules: &RetentionRules,
    clock: &dyn Clock,
    observer: &dyn LogObserver,
) -> Result<usize, StoreError>
where
    S: Logs + Transactor + Notes,
    S::Tx: LogReader + Apply<LogTrimmed>,
    S::View: LogReader + Organizations + AuditLog,
{
    let (mut last, mut failed) = (None, 0_usize);
    loop {
        let logs = store.some(last, LOGS).await?;
        let Some(end) = logs.last().copied() else { return Ok(failed) };
        for organization in logs {
            let keeping = Keeping { store, organization, rules, clock };
            if let Err(error) = keeping.run().await {
                observer.failed(organization, &error);
                failed = failed.saturating_add(1);
            }
        }
        last = Some(end);
    }
}

/// One log, as it is now.
struct Found {
    state: LogState,
    retention: Retention,
    announcement: Option<Announcement>,
}

/// What is done in one log.
struct Keeping<'a, S> {
    store: &'a S,
    organization: OrganizationId,
    rules: &'a RetentionRules,
    clock: &'a dyn Clock,
}

impl<S> Keeping<'_, S>
where
    S: Logs + Transactor + Notes,
    S::Tx: LogReader + Apply<LogTrimmed>,
    S::View: LogReader + Organizations + AuditLog,
{
    /// Erases first: what is announced now is not to be erased in the same run.
    async fn run(&self) -> Result<(), StoreError> {
        // Looked at again before each bite: another server may announce more meanwhile, and what was
        // found in the log may halt it.
        while self.may_erase().await? {
            if self.store.erase(self.organization, EVENTS).await? == 0 {
                break;
            }
        }
        self.trim().await
    }

    /// How the log is now. `None` where nothing is to be done in it: one that is halted is evidence.
    async fn found(&self, view: &mut S::View) -> Result<Option<Found>, StoreError> {
        let state = view.log_state().await?;
        if state.halted.is_some() {
            return Ok(None);
        }
        let Some(owner) = view.organization().await? else { return Ok(None) };
        let retention = Retention {
            content_days: self.rules.plans.quotas(owner.record().plan).audit_retention_days,
            personal_data_days: self.rules.personal_data_days,
        };
        // As many as a page may hold: those of a clock that was wrong come before the newest.
        let page = PageRequest {
            start: Start::Page(NonZeroU32::MIN),
            limit: Limit::new(Limit::MAX).unwrap_or_default(),
        };
        let filter = EventFilter { action: Some(Action::LogTrimmed), ..EventFilter::default() };
        let events = view.events(&filter, page).await?;
        let announcement = Announcement::of(state.trimmed, &events.rows);
        Ok(Some(Found { state, retention, announcement }))
    }

    async fn may_erase(&self) -> Result<bool, StoreError> {
        let mut view = self.store.view(self.organization).await?;
        let Some(found) = self.found(&mut view).await? else { return Ok(false) };
        let Found { state, retention, announcement: Some(announcement) } = found else {
            return Ok(false);
        };
        let now = self.clock.now();
        if !announcement.lets_erase(&state, now) {
            return Ok(false);
        }
        let content = last_of(&mut view, state.trimmed.content).await?;
        let personal_data = last_of(&mut view, state.trimmed.personal_data).await?;
        Ok(retention.still_lets_go(content.as_ref(), personal_data.as_ref(), now))
    }

    /// Announces what is over and was not before.
    async fn trim(&self) -> Result<(), StoreError> {
        let Some(change) = self.over().await? else { return Ok(()) };
        if self.organization == self.rules.platform {
            pepper::repeat(self.store, self.rules.platform, change.after().content).await?;
        }
        let scope = Scope::new(self.organization, Actor::System, Origin::internal());
        let mut tx = self.store.begin(scope).await?;
        if tx.log_state().await?.halted.is_some() {
            return Ok(());
        }
        match record(tx, change).await {
            Ok((tx, _)) => tx.commit().await,
            // Another server was faster, and has said the same.
            Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// What is over in a log that was not before.
    async fn over(&self) -> Result<Option<LogTrimmed>, StoreError> {
        let mut view = self.store.view(self.organization).await?;
        let Some(found) = self.found(&mut view).await? else { return Ok(None) };
        drop(view);
        let now = self.clock.now();
        if found.announcement.is_some_and(|last| !last.lets_another_follow(now)) {
            return Ok(None);
        }
        let mut cut = Cut::after(&found.state, found.retention, now);
        loop {
            // A view for each page: a long one would hold up the store's own housekeeping.
            let mut view = self.store.view(self.organization).await?;
            let leaves = view.leaves(cut.from(), LEAVES).await?;
            let goes_on = !leaves.is_empty() && leaves.iter().all(|leaf| cut.take(leaf));
            if !goes_on {
                return Ok(cut.change(self.organization));
            }
        }
    }
}

/// The last leaf below this position.
async fn last_of(view: &mut impl LogReader, before: u64) -> Result<Option<LeafRecord>, StoreError> {
    match before.checked_sub(1) {
        Some(last) => Ok(view.leaves(last, 1).await?.into_iter().next()),
        None => Ok(None),
    }
}
