//! The port that stores credentials: reads alone. Writing is [`Apply`](audit::Apply) of a change.

use std::{collections::BTreeMap, future::Future};

use kernel::{AgentId, CredentialId, Page, PageRequest, StoreError, Timestamp};

use crate::credential::{Credential, LiveCount};

/// The credentials of one organization, to read. One of another organization is not there.
pub trait Credentials: Send {
    /// One credential.
    ///
    /// # Errors
    /// [`StoreError`]
    fn credential(
        &mut self,
        id: CredentialId,
    ) -> impl Future<Output = Result<Option<Credential>, StoreError>> + Send;

    /// A page of an agent's credentials, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn credentials(
        &mut self,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> impl Future<Output = Result<Page<Credential, CredentialId>, StoreError>> + Send;

    /// How many of an agent's credentials are neither revoked nor expired.
    ///
    /// In a transaction the answer must hold until it commits: the limit would otherwise give way
    /// to requests that run side by side.
    ///
    /// # Errors
    /// [`StoreError`]
    fn live_credentials(
        &mut self,
        agent: AgentId,
        now: Timestamp,
    ) -> impl Future<Output = Result<LiveCount, StoreError>> + Send;

    /// When each of these credentials last obtained a token; those that never did are missing.
    ///
    /// # Errors
    /// [`StoreError`]
    fn last_uses(
        &mut self,
        ids: &[CredentialId],
    ) -> impl Future<Output = Result<BTreeMap<CredentialId, Timestamp>, StoreError>> + Send;
}
