//! A change of an agent, and the event that it leaves.

use audit::{Action, Audited, Event};
use kernel::{Resource, Revision};
use serde_json::Value;

use crate::{
    agent::{Agent, AgentRecord},
    idempotency::Registration,
    status::{AgentStatus, StatusName},
};

/// A field that an update can change, as the contract spells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are those of the contract")]
pub enum Field {
    AgentType,
    Version,
    Capabilities,
    Owner,
    DeploymentEnv,
    Roles,
    IsPublic,
    Metadata,
    Resources,
    DpopBoundAccessTokens,
}

impl Field {
    /// The text of the contract.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::AgentType => "agentType",
            Self::Version => "version",
            Self::Capabilities => "capabilities",
            Self::Owner => "owner",
            Self::DeploymentEnv => "deploymentEnv",
            Self::Roles => "roles",
            Self::IsPublic => "isPublic",
            Self::Metadata => "metadata",
            Self::Resources => "resources",
            Self::DpopBoundAccessTokens => "dpopBoundAccessTokens",
        }
    }
}

/// Why an agent changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentCause {
    /// It was registered, perhaps under an idempotency key.
    Registered(Option<Registration>),
    /// Fields other than its status were changed.
    Updated(Vec<Field>),
    /// It was suspended, and these fields changed with it.
    Suspended(Vec<Field>),
    /// It came back into use, and these fields changed with it.
    Reactivated(Vec<Field>),
    /// It was revoked, and these fields changed with it.
    Revoked(Vec<Field>),
    /// It was decommissioned.
    Decommissioned,
    /// It was archived.
    Archived,
}

impl AgentCause {
    pub(crate) fn of_update(before: AgentStatus, after: AgentStatus, fields: Vec<Field>) -> Self {
        match (before.name() == after.name(), after.name()) {
            (false, StatusName::Active) => Self::Reactivated(fields),
            (false, StatusName::Suspended) => Self::Suspended(fields),
            (false, StatusName::Revoked) => Self::Revoked(fields),
            (false, StatusName::Decommissioned) => Self::Decommissioned,
            (false, StatusName::Archived) => Self::Archived,
            (true, _) => Self::Updated(fields),
        }
    }

    const fn action(&self) -> Action {
        match self {
            Self::Registered(_) => Action::AgentCreated,
            Self::Updated(_) => Action::AgentUpdated,
            Self::Suspended(_) => Action::AgentSuspended,
            Self::Reactivated(_) => Action::AgentReactivated,
            Self::Revoked(_) => Action::AgentRevoked,
            Self::Decommissioned => Action::AgentDecommissioned,
            Self::Archived => Action::AgentArchived,
        }
    }
}

/// What an update comes to.
#[derive(Debug, Clone, PartialEq)]
pub enum Update {
    /// Something differs and must be written.
    Changed(AgentChange),
    /// Everything was so already: there is nothing to write, and no event.
    Unchanged(Agent),
}

/// A change of an agent, made by [`Agent`] alone.
#[derive(Debug, Clone, PartialEq)]
pub struct AgentChange {
    expected: Option<Revision>,
    after: Agent,
    cause: AgentCause,
}

impl AgentChange {
    pub(crate) const fn new(expected: Option<Revision>, after: Agent, cause: AgentCause) -> Self {
        Self { expected, after, cause }
    }

    /// The revision that it was computed from; `None` where the agent is new.
    #[must_use]
    pub const fn expected(&self) -> Option<Revision> {
        self.expected
    }

    /// The agent as it will be.
    #[must_use]
    pub const fn after(&self) -> &Agent {
        &self.after
    }

    /// The idempotency key to keep with it, if it is a registration under one.
    #[must_use]
    pub const fn registration(&self) -> Option<&Registration> {
        match &self.cause {
            AgentCause::Registered(registration) => registration.as_ref(),
            AgentCause::Updated(_)
            | AgentCause::Suspended(_)
            | AgentCause::Reactivated(_)
            | AgentCause::Revoked(_)
            | AgentCause::Decommissioned
            | AgentCause::Archived => None,
        }
    }
}

impl AgentChange {
    /// The agent, once the change is written.
    #[must_use]
    pub fn into_after(self) -> Agent {
        self.after
    }
}

impl Audited for AgentChange {
    type After = Agent;

    fn event(&self) -> Event {
        let agent = self.after.record();
        let event = Event::success(self.cause.action()).on(agent.id);
        match &self.cause {
            AgentCause::Registered(_) => of_registration(event, agent),
            AgentCause::Updated(fields)
            | AgentCause::Suspended(fields)
            | AgentCause::Reactivated(fields)
            | AgentCause::Revoked(fields) => of_update(event, agent, fields),
            AgentCause::Decommissioned | AgentCause::Archived => event,
        }
    }

    fn into_after(self) -> Agent {
        self.after
    }
}

/// Of what most agents have not, the event tells only of one that has.
fn of_registration(event: Event, agent: &AgentRecord) -> Event {
    let event = event
        .with("email", agent.email.as_str())
        .with("agentType", agent.agent_type.as_str())
        .with("roles", role_names(agent))
        .with("capabilities", names(agent.capabilities.iter().map(|c| c.as_str())));
    let event = if agent.resources.is_empty() {
        event
    } else {
        event.with("resources", resource_names(agent))
    };
    if agent.dpop_bound_access_tokens { event.with("dpopBoundAccessTokens", true) } else { event }
}

/// The names of the fields that differ, and the values of those on which trust depends.
fn of_update(event: Event, agent: &AgentRecord, changed: &[Field]) -> Event {
    let event = match changed {
        [] => event,
        some => event.with("changed", names(some.iter().map(|field| field.as_str()))),
    };
    changed.iter().fold(event, |event, field| match field {
        Field::Roles => event.with("roles", role_names(agent)),
        Field::Resources => event.with("resources", resource_names(agent)),
        Field::DpopBoundAccessTokens => {
            event.with("dpopBoundAccessTokens", agent.dpop_bound_access_tokens)
        }
        Field::AgentType
        | Field::Version
        | Field::Capabilities
        | Field::Owner
        | Field::DeploymentEnv
        | Field::IsPublic
        | Field::Metadata => event,
    })
}

fn role_names(agent: &AgentRecord) -> Value {
    names(agent.roles.iter().map(crate::Role::name))
}

fn resource_names(agent: &AgentRecord) -> Value {
    names(agent.resources.iter().map(Resource::as_str))
}

fn names<'a>(all: impl Iterator<Item = &'a str>) -> Value {
    all.map(Value::from).collect()
}
