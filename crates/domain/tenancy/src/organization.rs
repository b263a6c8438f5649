//! The organization and its life.

use std::str::FromStr;

use kernel::{OrganizationId, Revision, Standing, Text, Timestamp, standing::broken};
use thiserror::Error;

use crate::plan::Plan;

/// The name of an organization.
pub type Name = Text<128>;

/// The short name of an organization: lower-case letters, digits and inner hyphens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Slug(String);

/// Text that is no slug.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be 1 to 63 lower-case letters, digits and hyphens, with no hyphen at either end")]
pub struct InvalidSlug;

impl Slug {
    /// A slug for a name: its ASCII letters and digits in lower case, a hyphen for what lies
    /// between; `default` where nothing of it is left.
    #[must_use]
    pub fn of(name: &Name) -> Self {
        let words: Vec<_> = name
            .as_str()
            .split(|c: char| !c.is_ascii_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_ascii_lowercase)
            .collect();
        let joined: String = words.join("-").chars().take(63).collect();
        joined.trim_end_matches('-').parse().unwrap_or_else(|_| Self("default".to_owned()))
    }

    /// The slug as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Slug {
    type Err = InvalidSlug;

    fn from_str(text: &str) -> Result<Self, InvalidSlug> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let bounded = (1..=63).contains(&text.len()) && text.bytes().all(allowed);
        if bounded && !text.starts_with('-') && !text.ends_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSlug)
        }
    }
}

/// Which part an organization plays in the installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The first organization: it runs the installation, and takes the events that can be laid to
    /// no other, such as a login with an unknown client id.
    Platform,
    /// Any other.
    Tenant,
}

/// Where an organization stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationStatus {
    /// In use.
    Active,
    /// Out of use: none of its agents, credentials and tokens is good.
    Suspended {
        /// Since when.
        since: Timestamp,
    },
}

impl OrganizationStatus {
    /// The status as the contract spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended { .. } => "suspended",
        }
    }
}

/// Everything a store keeps of an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are described at the getters of `Organization`")]
pub struct OrganizationRecord {
    pub id: OrganizationId,
    pub name: Name,
    pub slug: Slug,
    pub kind: Kind,
    pub plan: Plan,
    pub status: OrganizationStatus,
    pub tokens_not_before: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub revision: Revision,
}

/// An organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization(OrganizationRecord);

impl Organization {
    /// Founds an organization.
    #[must_use]
    pub fn found(
        id: OrganizationId,
        (name, slug): (Name, Slug),
        (kind, plan): (Kind, Plan),
        now: Timestamp,
    ) -> OrganizationChange {
        let after = OrganizationRecord {
            id,
            name,
            slug,
            kind,
            plan,
            status: OrganizationStatus::Active,
            tokens_not_before: None,
            created_at: now,
            updated_at: now,
            revision: Revision::FIRST,
        };
        OrganizationChange { expected: None, after: Self(after), cause: OrganizationCause::Created }
    }

    /// Takes back what a store kept. A record is whole by its type.
    #[must_use]
    pub const fn from_record(record: OrganizationRecord) -> Self {
        Self(record)
    }

    /// What a store must keep.
    #[must_use]
    pub const fn record(&self) -> &OrganizationRecord {
        &self.0
    }

    /// Its id.
    #[must_use]
    pub const fn id(&self) -> OrganizationId {
        self.0.id
    }

    /// Its plan.
    #[must_use]
    pub const fn plan(&self) -> Plan {
        self.0.plan
    }

    /// Whether its agents and tokens may be good.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self.0.status {
            OrganizationStatus::Active => Standing::Good { not_before: self.0.tokens_not_before },
            OrganizationStatus::Suspended { .. } => Standing::Ended,
        }
    }

    /// Suspends it, and with it every agent, credential and token. `None` where it is already.
    #[must_use]
    pub fn suspend(self, now: Timestamp) -> Option<OrganizationChange> {
        match self.0.status {
            OrganizationStatus::Active => Some(self.change(
                OrganizationStatus::Suspended { since: now },
                OrganizationCause::Suspended,
                now,
            )),
            OrganizationStatus::Suspended { .. } => None,
        }
    }

    /// Takes it back into use; tokens from before stay dead. `None` where it is in use already.
    #[must_use]
    pub fn reactivate(self, now: Timestamp) -> Option<OrganizationChange> {
        match self.0.status {
            OrganizationStatus::Suspended { .. } => {
                Some(self.change(OrganizationStatus::Active, OrganizationCause::Reactivated, now))
            }
            OrganizationStatus::Active => None,
        }
    }

    fn change(
        mut self,
        status: OrganizationStatus,
        cause: OrganizationCause,
        now: Timestamp,
    ) -> OrganizationChange {
        let expected = Some(self.0.revision);
        self.0.status = status;
        self.0.tokens_not_before = Some(broken(self.0.tokens_not_before, now));
        self.0.updated_at = now;
        self.0.revision = self.0.revision.next();
        OrganizationChange { expected, after: self, cause }
    }
}

/// Why an organization changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrganizationCause {
    /// It was founded.
    Created,
    /// It was suspended.
    Suspended,
    /// It was taken back into use.
    Reactivated,
}

/// A change of an organization, made by [`Organization`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrganizationChange {
    expected: Option<Revision>,
    after: Organization,
    cause: OrganizationCause,
}

impl OrganizationChange {
    /// The revision that it was computed from; `None` where the organization is new.
    #[must_use]
    pub const fn expected(&self) -> Option<Revision> {
        self.expected
    }

    /// The organization as it will be.
    #[must_use]
    pub const fn after(&self) -> &Organization {
        &self.after
    }

    /// Why.
    #[must_use]
    pub const fn cause(&self) -> OrganizationCause {
        self.cause
    }

    /// The organization, once the change is written.
    #[must_use]
    pub fn into_after(self) -> Organization {
        self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{Entropy, EntropyUnavailable};

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
            buffer.fill(1);
            Ok(())
        }
    }

    fn at(micros: i64) -> Timestamp {
        Timestamp::from_unix_micros(micros).unwrap()
    }

    fn founded() -> Organization {
        let id = OrganizationId::generate(at(1), &Fixed).unwrap();
        let names = ("Acme".parse().unwrap(), "acme".parse().unwrap());
        Organization::found(id, names, (Kind::Tenant, Plan::Free), at(1)).into_after()
    }

    #[test]
    fn a_suspended_organization_is_not_good_and_its_old_tokens_stay_dead_afterwards() {
        let suspended = founded().suspend(at(5)).unwrap().into_after();
        assert_eq!(suspended.standing(), Standing::Ended);
        let back = suspended.reactivate(at(9)).unwrap().into_after();
        let not_before = Some(broken(Some(broken(None, at(5))), at(9)));
        assert!(not_before > Some(at(9)));
        assert_eq!(back.standing(), Standing::Good { not_before });
    }

    #[test]
    fn doing_again_what_is_done_is_no_change() {
        assert!(founded().reactivate(at(2)).is_none());
        let suspended = founded().suspend(at(5)).unwrap().into_after();
        assert!(suspended.suspend(at(6)).is_none());
    }

    #[test]
    fn a_name_has_a_slug() {
        let slug = |name: &str| Slug::of(&name.parse().unwrap()).as_str().to_owned();
        assert_eq!(slug("Acme, Corp. 2"), "acme-corp-2");
        assert_eq!(slug("北京"), "default");
        assert_eq!(slug(&format!("{} b", "a".repeat(62))), "a".repeat(62));
    }

    #[test]
    fn a_slug_is_lower_case_with_inner_hyphens() {
        assert!("a-1".parse::<Slug>().is_ok());
        for bad in ["", "A", "-a", "a-", "a_b", &"a".repeat(64)] {
            assert_eq!(bad.parse::<Slug>(), Err(InvalidSlug), "{bad}");
        }
    }
}
