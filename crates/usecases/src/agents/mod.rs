//! Registering agents, reading them, changing them and ending them.

mod decommission;
mod get;
mod list;
mod register;
mod update;

pub use decommission::DecommissionError;
pub use get::GetError;
pub use register::{RegisterError, Registered};
pub use update::{Precondition, UpdateError};

use kernel::{AgentId, StoreError, Timestamp};
use registry::{Agent, Agents};

use crate::caller::Caller;

/// An agent, and when it last got a token.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentDetails {
    /// The agent.
    pub agent: Agent,
    /// When it last got a token; `None` until the first.
    pub last_auth_at: Option<Timestamp>,
}

impl AgentDetails {
    pub(crate) async fn of(agents: &mut impl Agents, agent: Agent) -> Result<Self, StoreError> {
        let last = agents.last_authentications(&[agent.id()]).await?;
        let last_auth_at = last.get(&agent.id()).copied();
        Ok(Self { agent, last_auth_at })
    }
}

/// An agent that may be acted upon: it exists in the caller's organization, and holds no role that
/// permits more than the caller's own.
///
/// Without the second part, whoever may write credentials could make one for an admin and log in
/// as it.
pub(crate) async fn governed(
    agents: &mut impl Agents,
    caller: &Caller,
    target: AgentId,
) -> Result<Option<Agent>, StoreError> {
    let Some(agent) = agents.agent(target).await? else { return Ok(None) };
    if target == caller.agent() {
        return Ok(Some(agent));
    }
    let own = agents.agent(caller.agent()).await?;
    Ok(own.is_some_and(|own| own.roles().cover(agent.roles())).then_some(agent))
}
