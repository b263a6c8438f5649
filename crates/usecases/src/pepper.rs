//! Recognizes the pepper that the secrets of this installation were hashed with.
//!
//! With another one no secret is right any more: a replica that was given a wrong pepper would refuse
//! every client, and the secrets that it makes would be refused by all others.

use std::num::NonZeroU32;

use ::credentials::Peppers;
use audit::{Action, AuditLog, Event, EventFilter, LoggedEvent, Notes, Transactor, note};
use kernel::{Limit, OrganizationId, PageRequest, Start, StoreError};
use tenancy::{Actor, Origin, Scope};
use thiserror::Error;

const FINGERPRINT: &str = "fingerprint";

/// Why a pepper is not recognized.
#[derive(Debug, Error)]
pub enum PepperError {
    /// The secrets that are here were hashed with another.
    #[error("the secrets here were hashed with another pepper")]
    Another,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Holds the pepper against the one that the log of the platform's organization tells of; where it
/// tells of none, this one is noted there as the one in use.
///
/// # Errors
/// [`PepperError`]
pub async fn recognize<S>(
    store: &S,
    platform: OrganizationId,
    peppers: &Peppers,
) -> Result<(), PepperError>
where
    S: Transactor + Notes,
    S::View: AuditLog,
{
    let ours = peppers.fingerprint();
    match adopted(store, platform).await? {
        Some(fingerprint) if fingerprint == ours => Ok(()),
        Some(_) => Err(PepperError::Another),
        None => {
            let scope = Scope::new(platform, Actor::System, Origin::internal());
            let event = Event::success(Action::PepperAdopted).on(platform).with(FINGERPRINT, ours);
            note(store, &scope, &event).await?;
            Ok(())
        }
    }
}

/// Says again which pepper was adopted last, where the event that says so lies before this position of
/// the log: it is about to be erased, and any pepper would then pass for the first.
///
/// # Errors
/// [`StoreError`]
pub async fn repeat<S>(store: &S, platform: OrganizationId, before: u64) -> Result<(), StoreError>
where
    S: Transactor + Notes,
    S::View: AuditLog,
{
    let Some(newest) = newest(store, platform).await? else { return Ok(()) };
    let is_going = newest.place.is_some_and(|place| place.position < before);
    match newest.event.metadata.get(FINGERPRINT) {
        Some(fingerprint) if is_going => {
            let scope = Scope::new(platform, Actor::System, Origin::internal());
            let event = Event::success(Action::PepperAdopted).on(platform);
            note(store, &scope, &event.with(FINGERPRINT, fingerprint.clone())).await.map(|_| ())
        }
        Some(_) | None => Ok(()),
    }
}

/// The fingerprint of the pepper that was adopted last.
async fn adopted<S>(store: &S, platform: OrganizationId) -> Result<Option<String>, StoreError>
where
    S: Transactor,
    S::View: AuditLog,
{
    let newest = newest(store, platform).await?;
    let told = newest.as_ref().and_then(|logged| logged.event.metadata.get(FINGERPRINT));
    Ok(told.and_then(|value| value.as_str()).map(str::to_owned))
}

/// The newest event that says which pepper was adopted.
async fn newest<S>(store: &S, platform: OrganizationId) -> Result<Option<LoggedEvent>, StoreError>
where
    S: Transactor,
    S::View: AuditLog,
{
    let filter = EventFilter { action: Some(Action::PepperAdopted), ..EventFilter::default() };
    let newest = PageRequest { start: Start::Page(NonZeroU32::MIN), limit: Limit::default() };
    let events = store.view(platform).await?.events(&filter, newest).await?;
    Ok(events.rows.into_iter().next())
}
