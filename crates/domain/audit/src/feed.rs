//! What changed, told to those who keep copies of records.
//!
//! A copy is never the record. Whoever keeps one hears of each change of this process before it is
//! acknowledged, and reads those of other processes from the feed of changes.

use std::future::Future;

use async_trait::async_trait;
use kernel::{OrganizationId, StoreError};

use crate::event::Resource;

/// A record that may have changed: what the event of the change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The organization in whose log the event is.
    pub organization: OrganizationId,
    /// The record.
    pub resource: Resource,
}

/// Is told of every record that may have changed in this process.
///
/// A store tells it after the commit and before anybody is told that it succeeded, so that on the
/// process that acknowledged a change its effect is immediate. It tells it, too, where the commit
/// may have succeeded and nobody knows.
pub trait ChangeListener: Send + Sync {
    /// Hears of the records of one transaction. It must not wait for anything.
    fn changed(&self, changes: &[Changed]);
}

/// What a look at the feed of changes finds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Every record that changed since the look before, in no order. One may be told of again.
    Changes(Vec<Changed>),
    /// Changes may have been missed: since this is the first look, or the one before was too long
    /// ago. Every copy must be given up.
    Unknown,
}

/// The changes of every process that works on the same store.
pub trait ChangeFeed: Send {
    /// What was committed up to this call, and was not told of by an earlier one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]; what was not told now is told by a later call.
    fn news(&mut self) -> impl Future<Output = Result<News, StoreError>> + Send;
}

/// Tells other processes that a look at the feed is worth it now.
///
/// A hint may be lost, and then costs the time until the next regular look. It never carries what
/// changed: whoever can send hints can make others look, and no more.
#[async_trait]
pub trait ChangeHints: Send + Sync {
    /// Tells everybody who listens, this process included.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where nobody was told.
    async fn announce(&self) -> Result<(), StoreError>;

    /// Begins to listen.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where that cannot be had now.
    async fn listen(&self) -> Result<Box<dyn Hearing>, StoreError>;
}

/// A listener to hints.
#[async_trait]
pub trait Hearing: Send {
    /// Waits until something was announced since the last time, or since the listening began. Any
    /// number of announcements may be heard as one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] where the listening has ended; begin anew.
    async fn heard(&mut self) -> Result<(), StoreError>;
}
