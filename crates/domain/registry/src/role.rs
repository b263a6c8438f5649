//! Roles for the management API, and the scopes that each may ask for.

use std::{collections::BTreeSet, str::FromStr};

use kernel::ScopeToken;
use thiserror::Error;

use crate::fields::Resources;

/// What the management API permits: its scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// See agents and their credentials.
    AgentsRead,
    /// Register, change and decommission agents.
    AgentsWrite,
    /// Make, rotate and revoke credentials.
    CredentialsWrite,
    /// Introspect the organization's tokens.
    TokensIntrospect,
    /// Revoke any of the organization's tokens.
    TokensRevoke,
    /// Read the audit log.
    AuditRead,
}

impl Permission {
    /// All of them.
    pub const ALL: &'static [Self] = &[
        Self::AgentsRead,
        Self::AgentsWrite,
        Self::CredentialsWrite,
        Self::TokensIntrospect,
        Self::TokensRevoke,
        Self::AuditRead,
    ];

    /// The scope token.
    #[must_use]
    pub const fn scope(self) -> &'static str {
        match self {
            Self::AgentsRead => "agents:read",
            Self::AgentsWrite => "agents:write",
            Self::CredentialsWrite => "credentials:write",
            Self::TokensIntrospect => "tokens:introspect",
            Self::TokensRevoke => "tokens:revoke",
            Self::AuditRead => "audit:read",
        }
    }

    /// The namespaces before the colon that belong to the management API, now or later.
    ///
    /// A capability inside one would be a management scope that anybody who may write agents
    /// could hand out.
    pub const RESERVED_NAMESPACES: &'static [&'static str] = &[
        "agents",
        "audit",
        "credentials",
        "keys",
        "organization",
        "organizations",
        "platform",
        "tokens",
    ];
}

/// A role of an agent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Everything in its organization.
    Admin,
    /// Day-to-day care of agents and credentials.
    Operator,
    /// Reading, the audit log included.
    Auditor,
    /// A resource server that introspects the tokens it is shown.
    ResourceServer,
}

/// Text that names no role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be one of `admin`, `operator`, `auditor`, `resource_server`")]
pub struct UnknownRole;

impl Role {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Admin, Self::Operator, Self::Auditor, Self::ResourceServer];

    /// The role as the contract spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Operator => "operator",
            Self::Auditor => "auditor",
            Self::ResourceServer => "resource_server",
        }
    }

    /// What it permits.
    #[must_use]
    pub const fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Admin => Permission::ALL,
            Self::Operator => &[
                Permission::AgentsRead,
                Permission::AgentsWrite,
                Permission::CredentialsWrite,
                Permission::TokensIntrospect,
                Permission::TokensRevoke,
            ],
            Self::Auditor => &[Permission::AgentsRead, Permission::AuditRead],
            Self::ResourceServer => &[Permission::TokensIntrospect],
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or(UnknownRole)
    }
}

/// Why roles may not be given or taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("only an admin may give or take roles, and none that permits more than its own")]
pub struct RoleRefused;

/// Why resources may not be given or taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("only an admin may give or take resources")]
pub struct ResourcesRefused;

/// Why an agent may not be let have tokens that are bound to no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("only an admin may let an agent have tokens again that are not bound")]
pub struct UnbindingRefused;

/// The roles of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Roles(BTreeSet<Role>);

impl Roles {
    /// Whether the role is among them.
    #[must_use]
    pub fn contains(&self, role: Role) -> bool {
        self.0.contains(&role)
    }

    /// The roles, in order.
    pub fn iter(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().copied()
    }

    /// Everything that they permit together.
    #[must_use]
    pub fn permissions(&self) -> BTreeSet<Permission> {
        self.0.iter().flat_map(|role| role.permissions()).copied().collect()
    }

    /// The scope tokens that they allow to ask for.
    pub fn scope_tokens(&self) -> impl Iterator<Item = ScopeToken> {
        self.permissions().into_iter().filter_map(|permission| permission.scope().parse().ok())
    }

    /// Whether the holder of these roles may act upon the holder of `others` where that would
    /// let it act as them: everything that they permit, these permit too.
    #[must_use]
    pub fn cover(&self, others: &Self) -> bool {
        others.permissions().is_subset(&self.permissions())
    }

    /// Checks that the holder of these roles may turn `before` into `after`.
    ///
    /// # Errors
    /// [`RoleRefused`] where roles differ and the holder is no admin, or lacks what one permits.
    pub fn may_turn(&self, before: &Self, after: &Self) -> Result<(), RoleRefused> {
        let changed = Self(before.0.symmetric_difference(&after.0).copied().collect());
        if changed.0.is_empty() || (self.contains(Role::Admin) && self.cover(&changed)) {
            Ok(())
        } else {
            Err(RoleRefused)
        }
    }

    /// Checks that the holder of these roles may turn the resources that an agent answers to from
    /// `before` into `after`. Whoever could give them would open the organization's tokens to
    /// another audience, and other servers' tokens to the agent.
    ///
    /// # Errors
    /// [`ResourcesRefused`] where they differ and the holder is no admin.
    pub fn may_turn_resources(
        &self,
        before: &Resources,
        after: &Resources,
    ) -> Result<(), ResourcesRefused> {
        if before == after || self.contains(Role::Admin) { Ok(()) } else { Err(ResourcesRefused) }
    }

    /// Checks that the holder of these roles may turn whether an agent gets bound tokens alone (RFC
    /// 9449 section 5.2) from `before` into `after`. To demand it protects the agent; to cease to
    /// makes a token that is stolen good for whoever stole it.
    ///
    /// # Errors
    /// [`UnbindingRefused`] where it is demanded no more and the holder is no admin.
    pub fn may_turn_binding(&self, before: bool, after: bool) -> Result<(), UnbindingRefused> {
        let weakens = before && !after;
        if weakens && !self.contains(Role::Admin) { Err(UnbindingRefused) } else { Ok(()) }
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self(roles.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roles(roles: &[Role]) -> Roles {
        roles.iter().copied().collect()
    }

    #[test]
    fn only_an_admin_gives_or_takes_roles() {
        let none = Roles::default();
        let auditor = roles(&[Role::Auditor]);
        assert_eq!(roles(&[Role::Admin]).may_turn(&none, &auditor), Ok(()));
        assert_eq!(roles(&[Role::Operator]).may_turn(&none, &auditor), Err(RoleRefused));
        assert_eq!(roles(&[Role::Operator]).may_turn(&auditor, &none), Err(RoleRefused));
        assert_eq!(none.may_turn(&auditor, &auditor), Ok(()));
    }

    #[test]
    fn te_06_only_an_admin_gives_or_takes_resources() {
        let none = Resources::default();
        let one = Resources::new(["urn:one".parse().unwrap()]).unwrap();
        let all_but_admin = roles(&[Role::Operator, Role::Auditor, Role::ResourceServer]);
        assert_eq!(roles(&[Role::Admin]).may_turn_resources(&none, &one), Ok(()));
        assert_eq!(all_but_admin.may_turn_resources(&none, &one), Err(ResourcesRefused));
        assert_eq!(all_but_admin.may_turn_resources(&one, &none), Err(ResourcesRefused));
        assert_eq!(all_but_admin.may_turn_resources(&one, &one), Ok(()));
    }

    #[test]
    fn dp_09_only_an_admin_lets_an_agent_have_tokens_again_that_are_not_bound() {
        let all_but_admin = roles(&[Role::Operator, Role::Auditor, Role::ResourceServer]);
        for (before, after) in [(false, false), (false, true), (true, true), (true, false)] {
            assert_eq!(roles(&[Role::Admin]).may_turn_binding(before, after), Ok(()));
            let weakens = (before, after) == (true, false);
            let outcome = if weakens { Err(UnbindingRefused) } else { Ok(()) };
            assert_eq!(all_but_admin.may_turn_binding(before, after), outcome);
        }
    }

    #[test]
    fn roles_cover_others_only_when_they_permit_as_much() {
        let operator = roles(&[Role::Operator]);
        assert!(operator.cover(&roles(&[Role::ResourceServer])));
        assert!(operator.cover(&Roles::default()));
        assert!(!operator.cover(&roles(&[Role::Auditor])));
        assert!(!operator.cover(&roles(&[Role::Admin])));
    }

    #[test]
    fn every_permission_is_a_scope_in_a_reserved_namespace() {
        for permission in Permission::ALL {
            let (namespace, _) = permission.scope().split_once(':').unwrap();
            assert!(Permission::RESERVED_NAMESPACES.contains(&namespace));
            assert!(permission.scope().parse::<ScopeToken>().is_ok());
        }
    }
}
