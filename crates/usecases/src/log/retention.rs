//! What is over is erased: content by the plan's days, personal data perhaps earlier.

use audit::{
    Apply, AuditLog, Journal, LogReader, LogTrimmed, Logs, Notes, Organizations, Retention,
    Transactor, record, trim::Cut,
};
use kernel::{Clock, OrganizationId, StoreError};
use tenancy::{Actor, Origin, Plans, Scope};

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

/// Erases what is over, in every log. What was erased stays so if this is cut short, and the next one
/// goes on.
///
/// # Errors
/// [`StoreError`], where the store fails in one log: the logs behind it wait for the next time.
pub async fn retain<S>(
    store: &S,
    rules: &RetentionRules,
    clock: &dyn Clock,
) -> Result<(), StoreError>
where
    S: Logs + Transactor + Notes,
    S::Tx: Apply<LogTrimmed>,
    S::View: LogReader + Organizations + AuditLog,
{
    let mut last = None;
    loop {
        let logs = store.some(last, LOGS).await?;
        let Some(end) = logs.last().copied() else { return Ok(()) };
        for organization in logs {
            trim(store, organization, rules, clock).await?;
            while store.erase(organization, EVENTS).await? > 0 {}
        }
        last = Some(end);
    }
}

async fn trim<S>(
    store: &S,
    organization: OrganizationId,
    rules: &RetentionRules,
    clock: &dyn Clock,
) -> Result<(), StoreError>
where
    S: Logs + Transactor + Notes,
    S::Tx: Apply<LogTrimmed>,
    S::View: LogReader + Organizations + AuditLog,
{
    let Some(change) = over(store, organization, rules, clock).await? else { return Ok(()) };
    if organization == rules.platform {
        pepper::repeat(store, rules.platform, change.after().content).await?;
    }
    let scope = Scope::new(organization, Actor::System, Origin::internal());
    let tx = store.begin(scope).await?;
    match record(tx, change).await {
        Ok((tx, _)) => tx.commit().await,
        // Another server was faster, and has said the same.
        Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

/// What is over in a log that was not before.
async fn over<S>(
    store: &S,
    organization: OrganizationId,
    rules: &RetentionRules,
    clock: &dyn Clock,
) -> Result<Option<LogTrimmed>, StoreError>
where
    S: Transactor,
    S::View: LogReader + Organizations,
{
    let mut view = store.view(organization).await?;
    let Some(owner) = view.organization().await? else { return Ok(None) };
    let state = view.log_state().await?;
    drop(view);
    let retention = Retention {
        content_days: rules.plans.quotas(owner.record().plan).audit_retention_days,
        personal_data_days: rules.personal_data_days,
    };
    let mut cut = Cut::after(&state, retention, clock.now());
    let mut from = cut.from();
    loop {
        // A view for each page: a long one would hold up the store's own housekeeping.
        let leaves = store.view(organization).await?.leaves(from, LEAVES).await?;
        let goes_on = !leaves.is_empty() && leaves.iter().all(|leaf| cut.take(leaf));
        if !goes_on {
            return Ok(cut.change(organization));
        }
        from = from.saturating_add(u64::from(LEAVES));
    }
}
