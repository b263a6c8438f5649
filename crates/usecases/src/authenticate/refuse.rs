//! What every refused caller costs: one count against its address, and one event, or one more in an
//! event that counts.

use audit::{Action, Asker, Event, Notes, Resource, ResourceKind};
use kernel::{AgentId, OrganizationId, StoreError};
use tenancy::{Actor, Admission, Origin, RateKey, Scope};

use crate::{
    caller::{Caller, Denial},
    provider::IdentityProvider,
};

/// A refusal that stands, or of an address that is told to wait.
#[derive(Debug)]
pub enum Refused {
    /// The refusal stands, and is in the log, or counted where there are many. With what is left of
    /// the address's rate, where there is an address.
    Noted(Option<Admission>),
    /// The address has failed too often of late: it is told to wait, and is counted.
    TooMany(Admission),
}

/// Whom a refused caller named.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Named {
    /// Whether there is such an agent or not.
    pub(super) claimed: Option<AgentId>,
    /// Where such an agent exists.
    pub(super) organization: Option<OrganizationId>,
    /// The agent, if it exists.
    pub(super) agent: Option<AgentId>,
}

impl Named {
    /// An agent that was found.
    pub(super) const fn existing(organization: OrganizationId, agent: AgentId) -> Self {
        let (organization, agent) = (Some(organization), Some(agent));
        Self { claimed: agent, organization, agent }
    }
}

impl<S, G> IdentityProvider<S, G> {
    /// Counts one request of somebody who need not authenticate. `None` where there is no address
    /// to count against.
    ///
    /// # Errors
    /// [`StoreError`] where the counter is out of reach.
    pub async fn admit_visitor(&self, origin: &Origin) -> Result<Option<Admission>, StoreError> {
        self.admit_address(origin.address.map(RateKey::Visitor)).await
    }

    /// Counts one request of somebody who failed before it could authenticate. `None` where there
    /// is no address to count against.
    ///
    /// # Errors
    /// [`StoreError`] where the counter is out of reach.
    pub async fn admit_failure(&self, origin: &Origin) -> Result<Option<Admission>, StoreError> {
        self.admit_address(origin.address.map(RateKey::Address)).await
    }

    async fn admit_address(&self, key: Option<RateKey>) -> Result<Option<Admission>, StoreError> {
        let Some(key) = key else { return Ok(None) };
        self.parts.limiter.admit(key, self.parts.unauthenticated, self.now()).await.map(Some)
    }
}

impl<S, G> IdentityProvider<S, G>
where
    S: Notes,
{
    /// Counts and notes a caller that failed to authenticate. What it named decides whose log
    /// tells of it; where it named nothing that exists, the platform's own does.
    pub(super) async fn refuse(
        &self,
        origin: &Origin,
        named: Named,
        reason: &str,
    ) -> Result<Refused, StoreError> {
        let admission = self.admit_failure(origin).await?;
        let organization = named.organization.unwrap_or(self.parts.platform);
        let actor = Actor::Unauthenticated { claims: named.agent };
        let scope = Scope::new(organization, actor, origin.clone());
        let event = Event::failure(Action::AuthFailed).with("reason", reason);
        // About the platform where nobody was named: an event of another shape takes another time
        // to write, which would tell whether there is such an agent.
        let event = match named.agent {
            Some(agent) => event.on(agent),
            None => event.on(organization),
        };
        if let Some(admission) = admission.filter(|admission| !admission.admitted) {
            self.count_refusal(&scope, &event);
            return Ok(Refused::TooMany(admission));
        }
        let asker = Asker { address: origin.address, named: named.claimed };
        self.note_refusal(&scope, &event, asker).await?;
        Ok(Refused::Noted(admission))
    }

    /// Counts and notes a caller that presented nothing at all.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn refuse_anonymous(&self, origin: &Origin) -> Result<Refused, StoreError> {
        self.refuse(origin, Named::default(), "nothing presented").await
    }

    /// Notes a caller that authenticated and was denied what it asked for.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn note_denial(&self, caller: &Caller, denial: Denial) -> Result<(), StoreError> {
        let event = Event::failure(Action::AccessDenied);
        let event = match denial {
            Denial::Scope(denied) => {
                event.on(caller.agent()).with("required", denied.required.scope())
            }
            Denial::Target { operation, id } => {
                let route = Resource { kind: ResourceKind::Route, id: operation.to_owned() };
                event.on(route).with("target", id)
            }
        };
        let asker = Asker::authenticated(caller.agent());
        self.note_refusal(caller.scope(), &event, asker).await
    }
}
