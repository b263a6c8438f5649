//! Of which tokens an agent may learn.

use crate::{
    fields::Resources,
    role::{Permission, Role, Roles},
};

/// Of which tokens of its organization, besides its own, the roles of an agent let it learn at
/// introspection. A resource server that could ask about every token would be the place to try
/// stolen ones at, and would learn what other servers' callers may do (RFC 7662 section 4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntrospectionReach {
    /// Of none.
    Nothing,
    /// Of those that are for one of these, which are its own: it is a resource server and no more.
    For(Resources),
    /// Of all.
    Everything,
}

impl IntrospectionReach {
    pub(crate) fn of(roles: &Roles, resources: &Resources) -> Self {
        let introspects = |role: &Role| role.permissions().contains(&Permission::TokensIntrospect);
        let mut by = roles.iter().filter(introspects).peekable();
        if by.peek().is_none() {
            Self::Nothing
        } else if by.all(|role| role == Role::ResourceServer) {
            Self::For(resources.clone())
        } else {
            Self::Everything
        }
    }

    /// Whether a token for this audience is among them.
    #[must_use]
    pub fn covers(&self, audience: &[String]) -> bool {
        match self {
            Self::Nothing => false,
            Self::For(own) => audience.iter().any(|one| own.holds(one)),
            Self::Everything => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const API: &str = "https://api.example.com";

    fn reach(roles: &[Role]) -> IntrospectionReach {
        let own = Resources::new([API.parse().unwrap(), "urn:two".parse().unwrap()]).unwrap();
        IntrospectionReach::of(&roles.iter().copied().collect(), &own)
    }

    fn covers(reach: &IntrospectionReach, audience: &[&str]) -> bool {
        reach.covers(&audience.iter().map(|&one| one.to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn ir_01_a_resource_server_learns_of_tokens_for_its_own_resources_alone() {
        let server = reach(&[Role::ResourceServer]);
        assert!(covers(&server, &[API]));
        assert!(covers(&server, &["https://other.example.com", "urn:two"]));
        for foreign in [&[][..], &["https://other.example.com"], &["https://api.example.com/"]] {
            assert!(!covers(&server, foreign), "{foreign:?}");
        }
        assert_eq!(reach(&[Role::Auditor, Role::ResourceServer]), server);
    }

    #[test]
    fn ir_01_an_admin_and_an_operator_learn_of_all_and_others_of_none() {
        for role in [Role::Admin, Role::Operator] {
            assert_eq!(reach(&[role]), IntrospectionReach::Everything);
            assert_eq!(reach(&[role, Role::ResourceServer]), IntrospectionReach::Everything);
        }
        assert!(covers(&IntrospectionReach::Everything, &["https://other.example.com"]));
        for roles in [&[][..], &[Role::Auditor]] {
            assert_eq!(reach(roles), IntrospectionReach::Nothing);
        }
        assert!(!covers(&IntrospectionReach::Nothing, &[API]));
    }
}
