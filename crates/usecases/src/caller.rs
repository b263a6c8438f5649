//! Who calls, what it may do, and the one check that every route's permission goes through.

use kernel::{AgentId, ScopeSet};
use registry::Permission;
use tenancy::{Organization, Plan, Scope};
use thiserror::Error;
use tokens::Client;

/// A caller that has authenticated, as it stands at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    agent: AgentId,
    scope: Scope,
    permitted: ScopeSet,
    plan: Plan,
}

impl Caller {
    pub(crate) const fn new(agent: AgentId, scope: Scope, permitted: ScopeSet, plan: Plan) -> Self {
        Self { agent, scope, permitted, plan }
    }

    /// The agent that calls.
    #[must_use]
    pub const fn agent(&self) -> AgentId {
        self.agent
    }

    /// On whose behalf it calls.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The plan of its organization.
    #[must_use]
    pub const fn plan(&self) -> Plan {
        self.plan
    }

    /// Whether its token, or for a client its roles, permit this.
    #[must_use]
    pub fn permits(&self, permission: Permission) -> bool {
        self.permitted.contains(permission.scope())
    }

    /// Checks that it meets what a route requires, for the agent that the route names, if it does.
    ///
    /// # Errors
    /// [`Denied`]
    pub fn meets(&self, requirement: Requirement, target: Option<AgentId>) -> Result<(), Denied> {
        match requirement {
            Requirement::Authenticated => Ok(()),
            Requirement::OwnOr(_) if target == Some(self.agent) => Ok(()),
            Requirement::Has(permission) | Requirement::OwnOr(permission) => {
                if self.permits(permission) { Ok(()) } else { Err(Denied { required: permission }) }
            }
        }
    }
}

/// What a route requires of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requirement {
    /// Any caller that has authenticated.
    Authenticated,
    /// This permission.
    Has(Permission),
    /// This permission, or that the agent at hand is the caller itself.
    OwnOr(Permission),
}

/// The caller's token lacks a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the token lacks the scope `{}`", .required.scope())]
pub struct Denied {
    /// What it lacks.
    pub required: Permission,
}

/// Why a caller that has authenticated did not get what it asked for, as the log tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Denial {
    /// Its token lacks a scope.
    Scope(Denied),
    /// The target does not exist in its organization, or may do more than the caller.
    Target {
        /// The operation that it tried.
        operation: &'static str,
        /// The id that it named, if it named one.
        id: Option<String>,
    },
}

/// A client that has authenticated with its own credential.
#[derive(Debug, Clone, PartialEq)]
pub struct AuthenticatedClient {
    client: Client,
    scope: Scope,
    organization: Organization,
}

impl AuthenticatedClient {
    pub(crate) const fn new(client: Client, scope: Scope, organization: Organization) -> Self {
        Self { client, scope, organization }
    }

    /// The client as issuing sees it.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// On whose behalf it calls.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The organization that it belongs to.
    #[must_use]
    pub const fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The client as a caller: it may do whatever its agent may ask for.
    #[must_use]
    pub fn as_caller(&self) -> Caller {
        let permitted = self.client.grantable.clone();
        Caller::new(self.client.agent, self.scope.clone(), permitted, self.organization.plan())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenancy::{Actor, Origin};

    fn caller(scope: &str) -> Caller {
        let agent: AgentId = "018bcfe5-687b-7001-8203-040506070809".parse().unwrap();
        let organization = "018bcfe5-687b-7001-8203-04050607080a".parse().unwrap();
        let on_behalf = Scope::new(organization, Actor::Agent(agent), Origin::internal());
        Caller::new(agent, on_behalf, scope.parse().unwrap(), Plan::Free)
    }

    #[test]
    fn a_requirement_is_met_by_its_scope_and_no_other() {
        let reader = caller("agents:read x:y");
        let has = |permission| reader.meets(Requirement::Has(permission), Some(reader.agent()));
        assert_eq!(has(Permission::AgentsRead), Ok(()));
        let denied = Denied { required: Permission::AgentsWrite };
        assert_eq!(has(Permission::AgentsWrite), Err(denied));
        assert_eq!(reader.meets(Requirement::Authenticated, None), Ok(()));
    }

    #[test]
    fn ones_own_needs_no_scope_and_anothers_does() {
        let plain = caller("x:y");
        let other = "018bcfe5-687b-7001-8203-04050607080c".parse().unwrap();
        let own_or = Requirement::OwnOr(Permission::AgentsRead);
        assert_eq!(plain.meets(own_or, Some(plain.agent())), Ok(()));
        assert!(plain.meets(own_or, Some(other)).is_err());
        assert!(plain.meets(own_or, None).is_err());
    }
}
