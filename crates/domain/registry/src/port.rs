//! The port that stores agents: reads alone. Writing is [`Apply`](audit::Apply)`<AgentChange>`.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
};

use kernel::{AgentId, Page, PageRequest, Resource, StoreError, Timestamp};

use crate::{
    agent::{Agent, OtherAdmins},
    fields::{AgentType, Capability, DeploymentEnv, Email, Owner},
    idempotency::{IdempotencyKey, PastRegistration},
    status::StatusName,
};

/// Which agents are asked for. What is `None` does not matter, except that archived agents come
/// only when asked for by status.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgentFilter {
    /// Of this owner.
    pub owner: Option<Owner>,
    /// Of this type.
    pub agent_type: Option<AgentType>,
    /// Of this status.
    pub status: Option<StatusName>,
    /// Running there.
    pub deployment_env: Option<DeploymentEnv>,
    /// With this capability.
    pub capability: Option<Capability>,
}

/// The agents of one organization, to read. An agent of another one is not there.
pub trait Agents: Send {
    /// One agent.
    ///
    /// # Errors
    /// [`StoreError`]
    fn agent(
        &mut self,
        id: AgentId,
    ) -> impl Future<Output = Result<Option<Agent>, StoreError>> + Send;

    /// The agent that holds this address: one that is neither decommissioned nor archived.
    ///
    /// # Errors
    /// [`StoreError`]
    fn agent_by_email(
        &mut self,
        email: &Email,
    ) -> impl Future<Output = Result<Option<Agent>, StoreError>> + Send;

    /// A page of those that match, newest first.
    ///
    /// # Errors
    /// [`StoreError`]
    fn agents(
        &mut self,
        filter: &AgentFilter,
        page: PageRequest<AgentId>,
    ) -> impl Future<Output = Result<Page<Agent, AgentId>, StoreError>> + Send;

    /// How many there are that are neither decommissioned nor archived.
    ///
    /// In a transaction the answer must hold until it commits: of two that register the last agent
    /// of a quota at once, not both may succeed.
    ///
    /// # Errors
    /// [`StoreError`]
    fn agent_count(&mut self) -> impl Future<Output = Result<u64, StoreError>> + Send;

    /// Whether there is an active admin besides this agent.
    ///
    /// In a transaction the answer must hold until it commits: two admins that retire each other
    /// at once must not both succeed.
    ///
    /// # Errors
    /// [`StoreError`]
    fn other_admins(
        &mut self,
        than: AgentId,
    ) -> impl Future<Output = Result<OtherAdmins, StoreError>> + Send;

    /// Which of these are resources that an active agent answers to (RFC 8707).
    ///
    /// # Errors
    /// [`StoreError`]
    fn registered_resources(
        &mut self,
        asked: &[Resource],
    ) -> impl Future<Output = Result<BTreeSet<Resource>, StoreError>> + Send;

    /// What this caller registered under this key, if it is remembered still.
    ///
    /// # Errors
    /// [`StoreError`]
    fn registration(
        &mut self,
        caller: AgentId,
        key: &IdempotencyKey,
        now: Timestamp,
    ) -> impl Future<Output = Result<Option<PastRegistration>, StoreError>> + Send;

    /// When each of these agents last got a token; those that never did are missing.
    ///
    /// # Errors
    /// [`StoreError`]
    fn last_authentications(
        &mut self,
        ids: &[AgentId],
    ) -> impl Future<Output = Result<BTreeMap<AgentId, Timestamp>, StoreError>> + Send;
}
