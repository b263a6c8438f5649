//! What an adapter gives to be tested.

use std::future::Future;

use audit::{
    Apply, AuditLog, ChangeFeed, ChangeHints, CheckpointKeyCreated, CheckpointKeys, Directory,
    EventRecord, LogAcknowledged, LogReader, LogTrimmed, Logs, Notes, Organizations, Transactor,
};
use credentials::{ClientKeyChange, ClientKeys, CredentialChange, CredentialRotation, Credentials};
use jose::SingleUses;
use registry::{AgentChange, Agents};
use tenancy::{OrganizationChange, RateLimiter};
use tokens::{
    DamagedKeyEnded, ProofUses, Revocations, SigningKeyChange, SigningKeys, TokenRevoked,
};

use crate::sample::Machine;

/// Every read port.
pub trait Reads:
    Organizations + Agents + Credentials + ClientKeys + SigningKeys + Revocations + AuditLog
{
}

impl<T> Reads for T where
    T: Organizations + Agents + Credentials + ClientKeys + SigningKeys + Revocations + AuditLog
{
}

/// Every port of a view.
pub trait Views: Reads + LogReader + CheckpointKeys {}

impl<T> Views for T where T: Reads + LogReader + CheckpointKeys {}

/// Every kind of change.
pub trait Writes:
    Reads
    + Apply<OrganizationChange>
    + Apply<AgentChange>
    + Apply<CredentialChange>
    + Apply<CredentialRotation>
    + Apply<ClientKeyChange>
    + Apply<SigningKeyChange>
    + Apply<DamagedKeyEnded>
    + Apply<TokenRevoked>
    + Apply<CheckpointKeyCreated>
    + Apply<LogTrimmed>
    + Apply<LogAcknowledged>
{
}

impl<T> Writes for T where
    T: Reads
        + Apply<OrganizationChange>
        + Apply<AgentChange>
        + Apply<CredentialChange>
        + Apply<CredentialRotation>
        + Apply<ClientKeyChange>
        + Apply<SigningKeyChange>
        + Apply<DamagedKeyEnded>
        + Apply<TokenRevoked>
        + Apply<CheckpointKeyCreated>
        + Apply<LogTrimmed>
        + Apply<LogAcknowledged>
{
}

/// A store to be tested, with a database of its own.
pub trait Harness: Sized + Send + Sync {
    /// Its transactions.
    type Tx: Writes;
    /// Its views.
    type View: Views;
    /// The store.
    type Store: Transactor<Tx = Self::Tx, View = Self::View> + Notes + Directory + Logs + SingleUses;

    /// An empty store that takes time and randomness from this machine.
    fn fresh(machine: Machine) -> impl Future<Output = Self> + Send;

    /// The store.
    fn store(&self) -> &Self::Store;

    /// Every event of every organization, none of which may be erased, read past the ports as far as that tells which there
    /// are, in the order of their ids.
    fn events(&self) -> impl Future<Output = Vec<EventRecord>> + Send;
}

/// A store that several processes work on.
pub trait FeedHarness: Harness {
    /// The feed of its changes.
    type Feed: ChangeFeed;

    /// A feed that has had no look yet.
    fn feed(&self) -> impl Future<Output = Self::Feed> + Send;
}

/// A rate limiter to be tested, with a memory of its own.
pub trait LimiterHarness: Sized + Send + Sync {
    /// One that has counted nothing yet.
    fn fresh() -> impl Future<Output = Self> + Send;

    /// The limiter.
    fn limiter(&self) -> &dyn RateLimiter;
}

/// A memory of proofs to be tested.
pub trait ProofUsesHarness: Sized + Send + Sync {
    /// One that remembers nothing yet.
    fn fresh() -> impl Future<Output = Self> + Send;

    /// The memory.
    fn uses(&self) -> &dyn ProofUses;
}

/// Hints to be tested, that nobody else announces or hears.
pub trait HintsHarness: Sized + Send + Sync {
    /// Ones of their own.
    fn fresh() -> impl Future<Output = Self> + Send;

    /// The hints.
    fn hints(&self) -> &dyn ChangeHints;
}

/// Runs a case on several threads, as a server would.
pub fn run(case: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    // On the heap: unoptimized, a case is more than the stack of a test's thread holds.
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(Box::pin(case));
}
