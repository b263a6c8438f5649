//! The agent: what it is, what it may ask for, and how it changes.

use std::sync::Arc;

use kernel::{AgentId, OrganizationId, Revision, ScopeSet, Standing, Timestamp, standing::broken};
use thiserror::Error;

use crate::{
    change::{AgentCause, AgentChange, Field, Update},
    fields::{
        AgentType, Capabilities, DeploymentEnv, Email, Metadata, Owner, Resources, SoftwareVersion,
    },
    idempotency::Registration,
    reach::IntrospectionReach,
    role::{Role, Roles},
    status::{AgentStatus, InvalidTransition, StatusName, StatusRequest},
};

/// What somebody gives to register an agent.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the contract")]
pub struct NewAgent {
    pub email: Email,
    pub agent_type: AgentType,
    pub version: SoftwareVersion,
    pub capabilities: Capabilities,
    pub owner: Owner,
    pub deployment_env: DeploymentEnv,
    pub roles: Roles,
    pub is_public: bool,
    pub metadata: Metadata,
    pub resources: Resources,
    pub dpop_bound_access_tokens: bool,
}

/// What somebody gives to change an agent; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Default)]
#[expect(missing_docs, reason = "the fields are those of the contract")]
pub struct AgentPatch {
    pub agent_type: Option<AgentType>,
    pub version: Option<SoftwareVersion>,
    pub capabilities: Option<Capabilities>,
    pub owner: Option<Owner>,
    pub deployment_env: Option<DeploymentEnv>,
    pub status: Option<StatusRequest>,
    pub roles: Option<Roles>,
    pub is_public: Option<bool>,
    pub metadata: Option<Metadata>,
    pub resources: Option<Resources>,
    pub dpop_bound_access_tokens: Option<bool>,
}

/// Everything that a store keeps of an agent.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of the contract")]
pub struct AgentRecord {
    pub id: AgentId,
    pub organization: OrganizationId,
    pub email: Email,
    pub agent_type: AgentType,
    pub version: SoftwareVersion,
    pub capabilities: Capabilities,
    pub owner: Owner,
    pub deployment_env: DeploymentEnv,
    pub status: AgentStatus,
    pub roles: Roles,
    pub is_public: bool,
    pub metadata: Metadata,
    pub resources: Resources,
    pub dpop_bound_access_tokens: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub tokens_not_before: Option<Timestamp>,
    pub revision: Revision,
}

/// Whether the organization has an active admin besides the agent at hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OtherAdmins {
    /// At least one.
    Some,
    /// None: the agent at hand, if it is one, is the last.
    None,
}

/// The change would leave the organization without an active admin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the last active admin of an organization cannot become `{to}`")]
pub struct LastAdmin {
    /// What the admin was to become.
    pub to: &'static str,
}

/// Why an update was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UpdateError {
    /// The agent is gone for good.
    #[error("the agent is decommissioned")]
    Decommissioned,
    /// The life cycle has no such step.
    #[error(transparent)]
    Transition(InvalidTransition),
    /// It is the last active admin.
    #[error(transparent)]
    LastAdmin(LastAdmin),
}

/// Why an agent was not decommissioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecommissionError {
    /// It is already.
    #[error("the agent is decommissioned already")]
    Already,
    /// It is the last active admin.
    #[error(transparent)]
    LastAdmin(LastAdmin),
}

/// An agent. A clone shares what it holds, until one of them changes.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent(Arc<AgentRecord>);

impl Agent {
    /// Registers an agent. It is active at once.
    #[must_use]
    pub fn register(
        id: AgentId,
        organization: OrganizationId,
        new: NewAgent,
        registration: Option<Registration>,
        now: Timestamp,
    ) -> AgentChange {
        let after = Self(Arc::new(AgentRecord {
            id,
            organization,
            email: new.email,
            agent_type: new.agent_type,
            version: new.version,
            capabilities: new.capabilities,
            owner: new.owner,
            deployment_env: new.deployment_env,
            status: AgentStatus::Active,
            roles: new.roles,
            is_public: new.is_public,
            metadata: new.metadata,
            resources: new.resources,
            dpop_bound_access_tokens: new.dpop_bound_access_tokens,
            created_at: now,
            updated_at: now,
            tokens_not_before: None,
            revision: Revision::FIRST,
        }));
        AgentChange::new(None, after, AgentCause::Registered(registration))
    }

    /// Takes back what a store kept. A record is whole by its type.
    #[must_use]
    pub fn from_record(record: AgentRecord) -> Self {
        Self(Arc::new(record))
    }

    /// What a store must keep.
    #[must_use]
    pub fn record(&self) -> &AgentRecord {
        &self.0
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> AgentId {
        self.0.id
    }

    /// Its roles.
    #[must_use]
    pub fn roles(&self) -> &Roles {
        &self.0.roles
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> AgentStatus {
        self.0.status
    }

    /// Whether it may authenticate and its tokens may be good.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self.0.status {
            AgentStatus::Active => Standing::Good { not_before: self.0.tokens_not_before },
            AgentStatus::Suspended { .. }
            | AgentStatus::Revoked { .. }
            | AgentStatus::Decommissioned { .. }
            | AgentStatus::Archived { .. } => Standing::Ended,
        }
    }

    /// Everything that it may ask for at this moment: its roles' management scopes and its
    /// capabilities. No token of it permits more, whatever it was issued with.
    #[must_use]
    pub fn grantable(&self) -> ScopeSet {
        let own = self.0.capabilities.iter().filter(|own| !own.is_reserved());
        let capabilities = own.map(|own| own.scope_token().clone());
        self.0.roles.scope_tokens().chain(capabilities).collect()
    }

    /// Of which tokens of its organization, besides its own, its roles let it learn.
    #[must_use]
    pub fn introspection_reach(&self) -> IntrospectionReach {
        IntrospectionReach::of(&self.0.roles, &self.0.resources)
    }

    /// Changes the fields that the patch names.
    ///
    /// # Errors
    /// [`UpdateError`]; nothing is changed then.
    pub fn update(
        self,
        patch: AgentPatch,
        others: OtherAdmins,
        now: Timestamp,
    ) -> Result<Update, UpdateError> {
        if matches!(
            self.0.status,
            AgentStatus::Decommissioned { .. } | AgentStatus::Archived { .. }
        ) {
            return Err(UpdateError::Decommissioned);
        }
        let status = match patch.status {
            Some(to) => self.0.status.moved(to, now).map_err(UpdateError::Transition)?,
            None => self.0.status,
        };
        let mut after = self.clone();
        let record = Arc::make_mut(&mut after.0);
        record.status = status;
        let changed = record.take(patch);
        self.keeps_an_admin(&after, others).map_err(UpdateError::LastAdmin)?;
        if changed.is_empty() && status == self.0.status {
            return Ok(Update::Unchanged(self));
        }
        let cause = AgentCause::of_update(self.0.status, status, changed);
        Ok(Update::Changed(self.changed_to(after, cause, now)))
    }

    /// Ends the agent for good. Its credentials and tokens die with it.
    ///
    /// # Errors
    /// [`DecommissionError`]; nothing is changed then.
    pub fn decommission(
        self,
        others: OtherAdmins,
        now: Timestamp,
    ) -> Result<AgentChange, DecommissionError> {
        match self.0.status {
            AgentStatus::Decommissioned { .. } | AgentStatus::Archived { .. } => {
                return Err(DecommissionError::Already);
            }
            AgentStatus::Active | AgentStatus::Suspended { .. } | AgentStatus::Revoked { .. } => {}
        }
        let after = self.moved_to(AgentStatus::Decommissioned { since: now });
        self.keeps_an_admin(&after, others).map_err(DecommissionError::LastAdmin)?;
        Ok(self.changed_to(after, AgentCause::Decommissioned, now))
    }

    /// Takes a decommissioned agent out of lists. `None` where it is not decommissioned.
    #[must_use]
    pub fn archive(self, now: Timestamp) -> Option<AgentChange> {
        let AgentStatus::Decommissioned { since } = self.0.status else {
            return None;
        };
        let status = AgentStatus::Archived { since: now, decommissioned_at: since };
        let after = self.moved_to(status);
        Some(self.changed_to(after, AgentCause::Archived, now))
    }

    fn moved_to(&self, status: AgentStatus) -> Self {
        let mut after = self.clone();
        Arc::make_mut(&mut after.0).status = status;
        after
    }

    fn is_active_admin(&self) -> bool {
        self.0.status == AgentStatus::Active && self.0.roles.contains(Role::Admin)
    }

    fn keeps_an_admin(&self, after: &Self, others: OtherAdmins) -> Result<(), LastAdmin> {
        if others == OtherAdmins::Some || !self.is_active_admin() || after.is_active_admin() {
            return Ok(());
        }
        let to = match after.0.status.name() {
            StatusName::Active => "without the role admin",
            left @ (StatusName::Suspended
            | StatusName::Revoked
            | StatusName::Decommissioned
            | StatusName::Archived) => left.as_str(),
        };
        Err(LastAdmin { to })
    }

    /// Finishes a change. Whatever crosses the border of `active` moves the watermark: tokens
    /// from before a suspension stay dead when the agent comes back.
    fn changed_to(self, mut after: Self, cause: AgentCause, now: Timestamp) -> AgentChange {
        let was_active = self.0.status == AgentStatus::Active;
        let record = Arc::make_mut(&mut after.0);
        if was_active != (record.status == AgentStatus::Active) {
            record.tokens_not_before = Some(broken(self.0.tokens_not_before, now));
        }
        record.updated_at = now;
        record.revision = self.0.revision.next();
        AgentChange::new(Some(self.0.revision), after, cause)
    }
}

impl AgentRecord {
    /// Takes over what the patch names, the status apart, and tells what differs now.
    fn take(&mut self, patch: AgentPatch) -> Vec<Field> {
        let mut changed = Vec::new();
        let mut note = |differs: bool, field: Field| {
            if differs {
                changed.push(field);
            }
        };
        note(replace(&mut self.agent_type, patch.agent_type), Field::AgentType);
        note(replace(&mut self.version, patch.version), Field::Version);
        note(replace(&mut self.capabilities, patch.capabilities), Field::Capabilities);
        note(replace(&mut self.owner, patch.owner), Field::Owner);
        note(replace(&mut self.deployment_env, patch.deployment_env), Field::DeploymentEnv);
        note(replace(&mut self.roles, patch.roles), Field::Roles);
        note(replace(&mut self.is_public, patch.is_public), Field::IsPublic);
        note(replace(&mut self.metadata, patch.metadata), Field::Metadata);
        note(replace(&mut self.resources, patch.resources), Field::Resources);
        note(
            replace(&mut self.dpop_bound_access_tokens, patch.dpop_bound_access_tokens),
            Field::DpopBoundAccessTokens,
        );
        changed
    }
}

fn replace<T: PartialEq>(field: &mut T, with: Option<T>) -> bool {
    match with {
        Some(value) if value != *field => {
            *field = value;
            true
        }
        Some(_) | None => false,
    }
}

#[cfg(test)]
mod tests;
