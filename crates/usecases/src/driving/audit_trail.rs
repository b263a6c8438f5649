//! The port of the audit log.

use async_trait::async_trait;
use audit::{
    AuditLog, EventFilter, LogReader, LoggedEvent, SignedCheckpoint, Transactor, VerifierKey,
    merkle::TilePath,
};
use kernel::{EventId, Page, PageRequest, StoreError};
#[cfg(feature = "mocks")]
use mockall::automock;

use crate::{
    audit_log::{
        ConsistencyProof, ExportCursor, ExportError, ExportPage, GetEventError, InclusionProof,
        ProofError, TileError,
    },
    caller::Caller,
    provider::IdentityProvider,
};

/// The audit log, to read and to prove.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait AuditTrail: Send + Sync {
    /// See [`IdentityProvider::event`].
    async fn get(&self, caller: &Caller, id: EventId) -> Result<LoggedEvent, GetEventError>;

    /// See [`IdentityProvider::events`].
    async fn list(
        &self,
        caller: &Caller,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Page<LoggedEvent, EventId>, StoreError>;

    /// See [`IdentityProvider::newest_checkpoint`].
    async fn checkpoint(&self, caller: &Caller) -> Result<Option<SignedCheckpoint>, StoreError>;

    /// See [`IdentityProvider::verifier_key`].
    async fn key(&self, caller: &Caller) -> Result<Option<VerifierKey>, StoreError>;

    /// See [`IdentityProvider::prove_inclusion`].
    async fn inclusion(
        &self,
        caller: &Caller,
        event: EventId,
        size: Option<u64>,
    ) -> Result<InclusionProof, ProofError>;

    /// See [`IdentityProvider::prove_consistency`].
    async fn consistency(
        &self,
        caller: &Caller,
        from: u64,
        to: Option<u64>,
    ) -> Result<ConsistencyProof, ProofError>;

    /// See [`IdentityProvider::tile`].
    async fn tile(&self, caller: &Caller, path: TilePath) -> Result<Vec<u8>, TileError>;

    /// See [`IdentityProvider::begin_export`].
    async fn begin_export(&self, caller: &Caller, from: u64) -> Result<ExportCursor, ExportError>;

    /// See [`IdentityProvider::export`].
    async fn export(&self, caller: &Caller, cursor: ExportCursor)
    -> Result<ExportPage, StoreError>;
}

#[async_trait]
impl<S, G> AuditTrail for IdentityProvider<S, G>
where
    S: Transactor,
    S::View: AuditLog + LogReader,
    G: Send + Sync,
{
    async fn get(&self, caller: &Caller, id: EventId) -> Result<LoggedEvent, GetEventError> {
        self.event(caller, id).await
    }

    async fn list(
        &self,
        caller: &Caller,
        filter: &EventFilter,
        page: PageRequest<EventId>,
    ) -> Result<Page<LoggedEvent, EventId>, StoreError> {
        self.events(caller, filter, page).await
    }

    async fn checkpoint(&self, caller: &Caller) -> Result<Option<SignedCheckpoint>, StoreError> {
        self.newest_checkpoint(caller).await
    }

    async fn key(&self, caller: &Caller) -> Result<Option<VerifierKey>, StoreError> {
        self.verifier_key(caller).await
    }

    async fn inclusion(
        &self,
        caller: &Caller,
        event: EventId,
        size: Option<u64>,
    ) -> Result<InclusionProof, ProofError> {
        self.prove_inclusion(caller, event, size).await
    }

    async fn consistency(
        &self,
        caller: &Caller,
        from: u64,
        to: Option<u64>,
    ) -> Result<ConsistencyProof, ProofError> {
        self.prove_consistency(caller, from, to).await
    }

    async fn tile(&self, caller: &Caller, path: TilePath) -> Result<Vec<u8>, TileError> {
        Self::tile(self, caller, path).await
    }

    async fn begin_export(&self, caller: &Caller, from: u64) -> Result<ExportCursor, ExportError> {
        Self::begin_export(self, caller, from).await
    }

    async fn export(
        &self,
        caller: &Caller,
        cursor: ExportCursor,
    ) -> Result<ExportPage, StoreError> {
        Self::export(self, caller, cursor).await
    }
}
