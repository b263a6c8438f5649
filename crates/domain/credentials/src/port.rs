//! The ports that store credentials and keys: reads alone. Writing is [`Apply`](audit::Apply) of a change.

use std::{collections::BTreeMap, future::Future};

use kernel::{AgentId, CredentialId, Page, PageRequest, StoreError, Timestamp};

use crate::{
    client_key::ClientKey,
    credential::{Credential, LiveCount},
    material::ClientKeyId,
};

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

/// The keys of one organization's clients, to read. One of another organization is not there.
///
/// In a transaction the answers hold until it commits: that an agent has one way to authenticate, and
/// ten keys at most, would otherwise give way to requests that run side by side.
pub trait ClientKeys: Send {
    /// One key, removed or not.
    ///
    /// # Errors
    /// [`StoreError`]
    fn client_key(
        &mut self,
        id: CredentialId,
    ) -> impl Future<Output = Result<Option<ClientKey>, StoreError>> + Send;

    /// The key that the agent calls so: the one that was not removed, of which there is one at most,
    /// or else the newest that was.
    ///
    /// # Errors
    /// [`StoreError`]
    fn client_key_called(
        &mut self,
        agent: AgentId,
        kid: &ClientKeyId,
    ) -> impl Future<Output = Result<Option<ClientKey>, StoreError>> + Send;

    /// An agent's keys that were not removed, oldest first: at most [`LiveCount::MAX`]. Some may have
    /// expired.
    ///
    /// # Errors
    /// [`StoreError`]
    fn live_keys_of(
        &mut self,
        agent: AgentId,
    ) -> impl Future<Output = Result<Vec<ClientKey>, StoreError>> + Send;

    /// An agent's secrets that are neither revoked nor expired: at most [`LiveCount::MAX`].
    ///
    /// # Errors
    /// [`StoreError`]
    fn live_secrets_of(
        &mut self,
        agent: AgentId,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Credential>, StoreError>> + Send;

    /// A page of an agent's keys, removed ones too, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn client_keys_of(
        &mut self,
        agent: AgentId,
        page: PageRequest<CredentialId>,
    ) -> impl Future<Output = Result<Page<ClientKey, CredentialId>, StoreError>> + Send;
}
