//! Changes an agent.

use audit::{Apply, Journal, Notes, Transactor, record};
use kernel::{AgentId, Revision, StoreError};
use registry::{
    Agent, AgentChange, AgentPatch, Agents, ResourcesRefused, RoleRefused, UnbindingRefused, Update,
};
use thiserror::Error;

use super::{AgentDetails, governed};
use crate::{
    authenticate::{CallerEnded, KnowsParties},
    caller::Caller,
    provider::IdentityProvider,
};

/// What the caller takes the agent's revision to be (RFC 9110 section 13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    /// Any that there is.
    Exists,
    /// One of these.
    OneOf(Vec<Revision>),
}

impl Precondition {
    fn holds_for(&self, agent: &Agent) -> bool {
        match self {
            Self::Exists => true,
            Self::OneOf(revisions) => revisions.contains(&agent.record().revision),
        }
    }
}

/// Why an agent was not changed.
#[derive(Debug, Error)]
pub enum UpdateError {
    /// There is none in the caller's organization, or it holds a role that permits more than the
    /// caller's own.
    #[error("there is no such agent here")]
    Unknown,
    /// It was changed since the caller read it.
    #[error("the precondition does not hold")]
    Precondition,
    /// The caller may not give or take these roles.
    #[error(transparent)]
    Roles(#[from] RoleRefused),
    /// The caller may not give or take resources.
    #[error(transparent)]
    Resources(#[from] ResourcesRefused),
    /// The caller may not let the agent have tokens that are not bound.
    #[error(transparent)]
    Unbinding(#[from] UnbindingRefused),
    /// The agent's own rules forbid it.
    #[error(transparent)]
    Rule(#[from] registry::UpdateError),
    /// The caller is not good any more.
    #[error(transparent)]
    CallerEnded(#[from] CallerEnded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + Apply<AgentChange>,
{
    /// Changes what the patch names. A patch after which everything is as before writes nothing.
    ///
    /// # Errors
    /// [`UpdateError`]
    pub async fn update_agent(
        &self,
        caller: &Caller,
        id: AgentId,
        patch: AgentPatch,
        precondition: Option<Precondition>,
    ) -> Result<AgentDetails, UpdateError> {
        let mut tx = self.begin_as::<UpdateError>(caller).await?;
        let agent = governed(&mut tx, caller, id).await?.ok_or(UpdateError::Unknown)?;
        if precondition.is_some_and(|precondition| !precondition.holds_for(&agent)) {
            return Err(UpdateError::Precondition);
        }
        may_turn(&mut tx, caller, &agent, &patch).await?;
        let others = tx.other_admins(id).await?;
        let last_auth_at = AgentDetails::of(&mut tx, agent.clone()).await?.last_auth_at;
        let agent = match agent.update(patch, others, self.now())? {
            Update::Unchanged(agent) => agent,
            Update::Changed(change) => {
                let (tx, agent) = record(tx, change).await?;
                tx.commit().await?;
                agent
            }
        };
        Ok(AgentDetails { agent, last_auth_at })
    }
}

/// Whether the caller may change what of the patch only an admin may.
async fn may_turn(
    tx: &mut impl Agents,
    caller: &Caller,
    agent: &Agent,
    patch: &AgentPatch,
) -> Result<(), UpdateError> {
    let binding = patch.dpop_bound_access_tokens;
    if patch.roles.is_none() && patch.resources.is_none() && binding.is_none() {
        return Ok(());
    }
    let own = tx.agent(caller.agent()).await?.ok_or(RoleRefused)?;
    if let Some(roles) = &patch.roles {
        own.roles().may_turn(agent.roles(), roles)?;
    }
    if let Some(resources) = &patch.resources {
        own.roles().may_turn_resources(&agent.record().resources, resources)?;
    }
    if let Some(bound) = binding {
        own.roles().may_turn_binding(agent.record().dpop_bound_access_tokens, bound)?;
    }
    Ok(())
}
