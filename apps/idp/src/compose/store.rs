//! What a store must be able to do, that the use cases be put on it.

use audit::{
    Apply, AuditLog, ChangeFeed, CheckpointKeyCreated, CheckpointKeys, Directory, LogAcknowledged,
    LogReader, LogTrimmed, Logs, News, Notes, Transactor,
};
use credentials::{ClientKeyChange, CredentialChange, CredentialRotation};
use jose::SingleUses;
use kernel::StoreError;
use postgres_store::{PostgresFeed, PostgresStore};
use registry::AgentChange;
use sqlite_store::SqliteStore;
use tenancy::OrganizationChange;
use tokens::{DamagedKeyEnded, SigningKeyChange, SigningKeys, TokenRevoked};
use usecases::authenticate::KnowsParties;

use crate::probe::Pinged;

/// A store that a server can stand on.
pub trait Store:
    Transactor<
        Tx: KnowsParties
                + SigningKeys
                + Apply<OrganizationChange>
                + Apply<AgentChange>
                + Apply<CredentialChange>
                + Apply<CredentialRotation>
                + Apply<ClientKeyChange>
                + Apply<SigningKeyChange>
                + Apply<DamagedKeyEnded>
                + Apply<TokenRevoked>
                + LogReader
                + CheckpointKeys
                + Apply<CheckpointKeyCreated>
                + Apply<LogTrimmed>
                + Apply<LogAcknowledged>,
        View: KnowsParties + SigningKeys + AuditLog + LogReader,
    > + Directory
    + Notes
    + SingleUses
    + Logs
    + Pinged
    + Clone
    + 'static
{
    /// Whether other processes write to it too.
    const IS_SHARED: bool;

    /// How their changes are learned of.
    type Feed: ChangeFeed + 'static;

    /// The changes of every process, where there are others.
    fn changes(&self) -> Option<Self::Feed>;
}

/// The feed of a store that has none.
#[derive(Debug)]
pub enum NoFeed {}

impl ChangeFeed for NoFeed {
    async fn news(&mut self) -> Result<News, StoreError> {
        match *self {}
    }
}

impl Store for SqliteStore {
    const IS_SHARED: bool = false;
    type Feed = NoFeed;

    fn changes(&self) -> Option<NoFeed> {
        None
    }
}

impl Store for PostgresStore {
    const IS_SHARED: bool = true;
    type Feed = PostgresFeed;

    fn changes(&self) -> Option<PostgresFeed> {
        Some(self.feed())
    }
}
