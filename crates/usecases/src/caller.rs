//! Who calls, what it may do, and the one check that every route's permission goes through.

use std::sync::Arc;

use jose::CertificateThumbprint;
use kernel::{AgentId, CredentialId, ScopeSet};
use registry::Permission;
use tenancy::{Organization, Plan, Scope};
use thiserror::Error;
use tokens::{Client, Confirmation, VerifiedToken};

/// What a caller authenticated with, so that it can be weighed again where it acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A token.
    Token(Arc<VerifiedToken>),
    /// A credential of its own.
    Credential(CredentialId),
}

/// A caller that has authenticated, as it stood when it did.
///
/// Between that and what it does, time may pass: its body may be slow. So it carries what it
/// authenticated with and what was required of it, and every transaction that is begun for it
/// weighs both again.
#[derive(Debug, Clone, PartialEq)]
pub struct Caller {
    agent: AgentId,
    scope: Scope,
    permitted: ScopeSet,
    plan: Plan,
    proof: Proof,
    met: Vec<(Requirement, Option<AgentId>)>,
}

impl Caller {
    pub(crate) const fn new(
        agent: AgentId,
        scope: Scope,
        permitted: ScopeSet,
        plan: Plan,
        proof: Proof,
    ) -> Self {
        Self { agent, scope, permitted, plan, proof, met: Vec::new() }
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

    pub(crate) const fn proof(&self) -> &Proof {
        &self.proof
    }

    /// Whether its token, or for a client its roles, permit this, or the target is the caller
    /// itself.
    pub(crate) fn may(
        &self,
        requirement: Requirement,
        target: Option<AgentId>,
    ) -> Result<(), Denied> {
        requirement.check(self.agent, &self.permitted, target)
    }

    /// Checks that it meets what a route requires, for the agent that the route names, if it does,
    /// and remembers that it had to.
    ///
    /// # Errors
    /// [`Denied`]
    pub fn meet(
        &mut self,
        requirement: Requirement,
        target: Option<AgentId>,
    ) -> Result<(), Denied> {
        self.may(requirement, target)?;
        self.met.push((requirement, target));
        Ok(())
    }

    /// Whether it would still meet all that was required of it if it were permitted just this.
    pub(crate) fn still_meets(&self, permitted: &ScopeSet) -> bool {
        self.met
            .iter()
            .all(|(requirement, target)| requirement.check(self.agent, permitted, *target).is_ok())
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

impl Requirement {
    /// The permission that meets it, where one is needed.
    #[must_use]
    pub const fn permission(self) -> Option<Permission> {
        match self {
            Self::Authenticated => None,
            Self::Has(permission) | Self::OwnOr(permission) => Some(permission),
        }
    }

    fn check(
        self,
        caller: AgentId,
        permitted: &ScopeSet,
        target: Option<AgentId>,
    ) -> Result<(), Denied> {
        match self {
            Self::Authenticated => Ok(()),
            Self::OwnOr(_) if target == Some(caller) => Ok(()),
            Self::Has(permission) | Self::OwnOr(permission) => {
                if permitted.contains(permission.scope()) {
                    Ok(())
                } else {
                    Err(Denied { required: permission })
                }
            }
        }
    }
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
    organization: Arc<Organization>,
    certificate: Option<CertificateThumbprint>,
}

impl AuthenticatedClient {
    pub(crate) const fn new(client: Client, scope: Scope, organization: Arc<Organization>) -> Self {
        Self { client, scope, organization, certificate: None }
    }

    /// The same, that authenticated by this certificate.
    pub(crate) fn bound_to(self, certificate: CertificateThumbprint) -> Self {
        Self { certificate: Some(certificate), ..self }
    }

    /// What its tokens are bound to, where it shows no proof of a key (RFC 8705 section 3). A client
    /// that authenticated otherwise has not asked for that, whatever its connection has.
    pub(crate) fn confirmation(&self) -> Option<Confirmation> {
        self.certificate.map(Confirmation::Certificate)
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
    pub fn organization(&self) -> &Organization {
        &self.organization
    }

    /// The client as a caller: it may do whatever its agent may ask for.
    #[must_use]
    pub fn as_caller(&self) -> Caller {
        let permitted = self.client.grantable.clone();
        let proof = Proof::Credential(self.client.credential);
        let plan = self.organization.plan();
        Caller::new(self.client.agent, self.scope.clone(), permitted, plan, proof)
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
        let proof = Proof::Credential("018bcfe5-687b-7001-8203-04050607080d".parse().unwrap());
        Caller::new(agent, on_behalf, scope.parse().unwrap(), Plan::Free, proof)
    }

    #[test]
    fn a_requirement_is_met_by_its_scope_and_no_other() {
        let mut reader = caller("agents:read x:y");
        let agent = reader.agent();
        let mut has = |permission| reader.meet(Requirement::Has(permission), Some(agent));
        assert_eq!(has(Permission::AgentsRead), Ok(()));
        let denied = Denied { required: Permission::AgentsWrite };
        assert_eq!(has(Permission::AgentsWrite), Err(denied));
        assert_eq!(reader.meet(Requirement::Authenticated, None), Ok(()));
    }

    #[test]
    fn ones_own_needs_no_scope_and_anothers_does() {
        let mut plain = caller("x:y");
        let itself = plain.agent();
        let other = "018bcfe5-687b-7001-8203-04050607080c".parse().unwrap();
        let own_or = Requirement::OwnOr(Permission::AgentsRead);
        assert_eq!(plain.meet(own_or, Some(itself)), Ok(()));
        assert!(plain.meet(own_or, Some(other)).is_err());
        assert!(plain.meet(own_or, None).is_err());
    }

    #[test]
    fn what_was_required_once_is_required_still() {
        let mut writer = caller("agents:read agents:write");
        writer.meet(Requirement::Has(Permission::AgentsWrite), None).unwrap();
        assert!(writer.still_meets(&"agents:write".parse().unwrap()));
        assert!(!writer.still_meets(&"agents:read".parse().unwrap()));
    }
}
