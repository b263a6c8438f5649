//! The one way to write: a change goes in with its event, or not at all.

use std::future::Future;

use kernel::{Entropy, EntropyUnavailable, EventId, OrganizationId, StoreError, Timestamp};
use tenancy::Scope;

use crate::{
    bounds::bounded,
    entry::{SALT_LENGTH, Salt},
    event::Event,
    log::EventRecord,
};

/// A change of a record, which knows the event that it must leave behind.
///
/// Only the aggregate makes one, from the state that it was computed from.
pub trait Audited: Send + Sync {
    /// What the change leads to.
    type After: Send;

    /// The event that says what was done.
    fn event(&self) -> Event;

    /// Gives out what the change leads to, once it is written.
    fn into_after(self) -> Self::After;
}

/// What each event has of its own.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    id: EventId,
    at: Timestamp,
    salt: Salt,
}

impl Stamp {
    /// A stamp of this instant.
    ///
    /// # Errors
    /// When the source of randomness fails.
    pub fn new(at: Timestamp, entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
        let (id, mut salt) = (EventId::generate(at, entropy)?, [0; SALT_LENGTH]);
        entropy.fill(&mut salt)?;
        Ok(Self { id, at, salt })
    }

    /// The event's id.
    #[must_use]
    pub const fn id(&self) -> EventId {
        self.id
    }
}

/// An event on its way into the journal. Only this crate makes one.
#[derive(Debug)]
pub struct Draft<'a> {
    event: &'a Event,
}

impl Draft<'_> {
    /// The whole event as it is to be kept. Who, where and on whose request come from the scope,
    /// so that no use case can get them wrong.
    #[must_use]
    pub fn stamp(&self, scope: &Scope, stamp: Stamp) -> EventRecord {
        EventRecord {
            id: stamp.id,
            organization: scope.organization(),
            agent: scope.actor().agent(),
            action: self.event.action(),
            outcome: self.event.outcome(),
            resource: self.event.resource().cloned(),
            origin: scope.origin().clone(),
            used: self.event.used(),
            salt: Some(stamp.salt),
            metadata: bounded(self.event.metadata()),
            timestamp: stamp.at,
        }
    }
}

/// A change whose event is in the journal: the right to write it. Only [`record`] makes one.
#[derive(Debug)]
pub struct Entry<'a, C> {
    change: &'a C,
    event: EventId,
}

impl<C> Entry<'_, C> {
    /// The change to write.
    #[must_use]
    pub const fn change(&self) -> &C {
        self.change
    }

    /// The event that the written row must name as its last.
    #[must_use]
    pub const fn event(&self) -> EventId {
        self.event
    }
}

/// A transaction that keeps events.
///
/// Dropping it undoes everything; only [`Journal::commit`] makes it last.
pub trait Journal: Send + Sized {
    /// Adds the event to the transaction.
    ///
    /// # Errors
    /// [`StoreError`]; the transaction must then be dropped.
    fn append(
        &mut self,
        draft: Draft<'_>,
    ) -> impl Future<Output = Result<EventId, StoreError>> + Send;

    /// Makes everything durable. It returns after the data is safe from a power cut.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was written then, or, where the store was lost meanwhile, it is
    /// not known whether it was.
    fn commit(self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// A transaction that can write changes of this kind.
pub trait Apply<C: Audited>: Journal {
    /// Writes the change: the row as it is after, if it still is as it was before.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] where somebody else was faster.
    fn apply(&mut self, entry: Entry<'_, C>)
    -> impl Future<Output = Result<(), StoreError>> + Send;
}

/// Writes a change and its event into the transaction.
///
/// Takes the transaction by value and gives it back only on success: after an error there is
/// nothing left to commit.
///
/// # Errors
/// Those of [`Journal::append`] and [`Apply::apply`].
pub async fn record<T, C>(mut tx: T, change: C) -> Result<(T, C::After), StoreError>
where
    T: Apply<C>,
    C: Audited,
{
    let event = change.event();
    let id = tx.append(Draft { event: &event }).await?;
    tx.apply(Entry { change: &change, event: id }).await?;
    Ok((tx, change.into_after()))
}

/// A store that keeps events of what changes no record.
pub trait Notes: Send + Sync {
    /// Keeps the event; durable when it returns. Events of concurrent callers are written
    /// together, and each caller is told about its own.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the event could not be made durable.
    fn keep(
        &self,
        scope: &Scope,
        draft: Draft<'_>,
    ) -> impl Future<Output = Result<EventId, StoreError>> + Send;
}

/// Keeps an event of something that changes no record.
///
/// # Errors
/// Those of [`Notes::keep`].
pub async fn note<N: Notes>(
    notes: &N,
    scope: &Scope,
    event: &Event,
) -> Result<EventId, StoreError> {
    notes.keep(scope, Draft { event }).await
}

/// A store: it begins transactions and gives views to read from.
pub trait Transactor: Send + Sync {
    /// A transaction that reads and writes.
    type Tx: Journal;
    /// A consistent view of one organization, to read from.
    type View: Send;

    /// Begins a transaction on behalf of this scope.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where none can be had in time.
    fn begin(&self, scope: Scope) -> impl Future<Output = Result<Self::Tx, StoreError>> + Send;

    /// Opens a view of this organization's rows.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where none can be had in time.
    fn view(
        &self,
        organization: OrganizationId,
    ) -> impl Future<Output = Result<Self::View, StoreError>> + Send;
}
