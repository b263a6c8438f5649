//! Those on whom it depends whether a credential, or a token of it, is good.

use std::sync::Arc;

use ::credentials::{ClientKeys, Credentials, Means};
use audit::Organizations;
use kernel::{AgentId, CredentialId, Revision, ScopeSet, Standing, StoreError};
use registry::{Agent, Agents, IntrospectionReach};
use tenancy::Organization;

/// What a store has of them.
pub(super) struct Found {
    pub(super) organization: Option<Organization>,
    pub(super) agent: Option<Agent>,
    pub(super) credential: Option<Means>,
}

impl Found {
    /// Looks all of them up, whether the others exist or not, so that the work is the same. A
    /// credential of another agent is none.
    pub(super) async fn find(
        view: &mut (impl Organizations + Agents + Credentials + ClientKeys),
        agent: AgentId,
        credential: CredentialId,
    ) -> Result<Self, StoreError> {
        let organization = view.organization().await?;
        let found = view.agent(agent).await?;
        let secret = view.credential(credential).await?.map(Means::Secret);
        let credential = match secret {
            Some(secret) => Some(secret),
            None => view.client_key(credential).await?.map(|key| Means::Key(Box::new(key))),
        };
        let credential = credential.filter(|credential| credential.agent() == agent);
        Ok(Self { organization, agent: found, credential })
    }

    /// All of them, if nobody is missing.
    pub(super) fn whole(self) -> Option<Parties> {
        // All three first: the brief is work, which would tell an agent that exists from one that
        // does not.
        let (organization, agent, credential) = (self.organization?, self.agent?, self.credential?);
        Some(Parties::of(organization, &agent, credential))
    }
}

/// All of them. A clone shares them.
#[derive(Debug, Clone)]
pub(crate) struct Parties {
    pub(crate) organization: Arc<Organization>,
    pub(crate) agent: Arc<AgentBrief>,
    pub(crate) credential: Arc<Means>,
}

impl Parties {
    /// All of them, as a store has them.
    pub(super) fn of(organization: Organization, agent: &Agent, credential: Means) -> Self {
        Self {
            organization: Arc::new(organization),
            agent: Arc::new(AgentBrief::of(agent)),
            credential: Arc::new(credential),
        }
    }

    /// The standing of all of them together. The credential's own is the caller's question: whether
    /// it lets somebody in, or whether what it obtained lives.
    pub(crate) fn standing(&self, of_credential: impl FnOnce(&Means) -> Standing) -> Standing {
        let credential = of_credential(&self.credential);
        self.organization.standing().and(self.agent.standing).and(credential)
    }
}

/// Of an agent, what decides on its credentials and tokens. The rest, its metadata above all, would
/// make a copy many times as large.
#[derive(Debug)]
pub(crate) struct AgentBrief {
    pub(crate) id: AgentId,
    pub(crate) agent_type: &'static str,
    pub(crate) standing: Standing,
    pub(crate) grantable: ScopeSet,
    /// Of which tokens, besides its own, it may learn.
    pub(crate) introspection_reach: IntrospectionReach,
    /// Whether it gets no token without a proof of possession (RFC 9449 section 5.2).
    pub(crate) dpop_bound: bool,
    pub(crate) revision: Revision,
}

impl AgentBrief {
    pub(crate) fn of(agent: &Agent) -> Self {
        Self {
            id: agent.id(),
            agent_type: agent.record().agent_type.as_str(),
            standing: agent.standing(),
            grantable: agent.grantable(),
            introspection_reach: agent.introspection_reach(),
            dpop_bound: agent.record().dpop_bound_access_tokens,
            revision: agent.record().revision,
        }
    }
}
