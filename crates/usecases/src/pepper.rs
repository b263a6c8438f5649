//! Recognizes the pepper that the secrets of this installation were hashed with.
//!
//! With another one no secret is right any more: a replica that was given a wrong pepper would refuse
//! every client, and the secrets that it makes would be refused by all others.

use std::num::NonZeroU32;

use ::credentials::Peppers;
use audit::{Action, AuditLog, Event, EventFilter, Notes, Transactor, note};
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

/// The fingerprint of the pepper that was adopted last.
async fn adopted<S>(store: &S, platform: OrganizationId) -> Result<Option<String>, StoreError>
where
    S: Transactor,
    S::View: AuditLog,
{
    let filter = EventFilter { action: Some(Action::PepperAdopted), ..EventFilter::default() };
    let newest = PageRequest { start: Start::Page(NonZeroU32::MIN), limit: Limit::default() };
    let events = store.view(platform).await?.events(&filter, newest).await?;
    let told = events.rows.first().and_then(|logged| logged.event.metadata.get(FINGERPRINT));
    Ok(told.and_then(|value| value.as_str()).map(str::to_owned))
}
