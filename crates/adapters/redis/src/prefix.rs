//! What every key and channel of ours begins with, and the keys.

use std::{fmt, str::FromStr};

use kernel::OrganizationId;
use tenancy::RateKey;
use thiserror::Error;

/// Sets our keys and channels apart from those of others on the same server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix(String);

/// Text that is no prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a prefix of redis keys must be 1 to 64 letters, digits, `-` or `_`")]
pub struct InvalidPrefix;

impl Prefix {
    /// Where this one tells when Redis was found empty. It never expires.
    pub(crate) fn epoch(&self) -> String {
        format!("{self}:epoch")
    }

    /// Where this one tells since when it remembers proofs.
    pub(crate) fn proofs(&self) -> String {
        format!("{self}:proofs")
    }

    /// Where it stands that a proof was used.
    pub(crate) fn proof(&self, organization: OrganizationId, digest: &[u8; 32]) -> String {
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{self}:proof:{organization}:{digest}")
    }

    /// Where hints are announced.
    pub(crate) fn changes(&self) -> String {
        format!("{self}:changes")
    }

    /// Where the requests of one key are counted. No two keys have one name: the words and the ids
    /// are of a fixed form, and what is of no fixed form stands last.
    pub(crate) fn rate(&self, key: RateKey) -> String {
        match key {
            RateKey::Client(organization, agent) => {
                format!("{self}:rate:client:{organization}:{agent}")
            }
            RateKey::Address(address) => format!("{self}:rate:address:{address}"),
            RateKey::Visitor(address) => format!("{self}:rate:visitor:{address}"),
        }
    }
}

impl Default for Prefix {
    fn default() -> Self {
        Self("idp".to_owned())
    }
}

impl FromStr for Prefix {
    type Err = InvalidPrefix;

    fn from_str(text: &str) -> Result<Self, InvalidPrefix> {
        let is_good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if text.is_empty() || text.len() > 64 || !text.chars().all(is_good) {
            return Err(InvalidPrefix);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use kernel::AgentId;

    use super::*;

    const ONE: &str = "018bcfe5-687b-7001-8203-040506070801";
    const TWO: &str = "018bcfe5-687b-7001-8203-040506070802";

    fn client(organization: &str, agent: &str) -> RateKey {
        let organization: OrganizationId = organization.parse().unwrap();
        let agent: AgentId = agent.parse().unwrap();
        RateKey::Client(organization, agent)
    }

    #[test]
    fn names_say_what_they_count() {
        let prefix = Prefix::default();
        let address = "2001:db8::1".parse().unwrap();
        assert_eq!(prefix.rate(client(ONE, TWO)), format!("idp:rate:client:{ONE}:{TWO}"));
        assert_eq!(prefix.rate(RateKey::Address(address)), "idp:rate:address:2001:db8::1");
        assert_eq!(prefix.rate(RateKey::Visitor(address)), "idp:rate:visitor:2001:db8::1");
        assert_eq!(prefix.epoch(), "idp:epoch");
        assert_eq!(prefix.changes(), "idp:changes");
    }

    #[test]
    fn tn_11_no_two_keys_have_one_name() {
        let addresses = ["192.0.2.1", "::ffff:192.0.2.1", "::1", "1::"];
        let mut names = HashSet::new();
        for prefix in ["idp", "idp2"].map(|text| text.parse::<Prefix>().unwrap()) {
            for (organization, agent) in [(ONE, ONE), (ONE, TWO), (TWO, ONE), (TWO, TWO)] {
                assert!(names.insert(prefix.rate(client(organization, agent))));
            }
            for address in addresses.map(|text| text.parse().unwrap()) {
                assert!(names.insert(prefix.rate(RateKey::Address(address))));
                assert!(names.insert(prefix.rate(RateKey::Visitor(address))));
            }
            assert!(names.insert(prefix.epoch()) && names.insert(prefix.changes()));
            assert!(names.insert(prefix.proofs()));
            for organization in [ONE, TWO].map(|id| id.parse().unwrap()) {
                assert!(names.insert(prefix.proof(organization, &[0; 32])));
                assert!(names.insert(prefix.proof(organization, &[1; 32])));
            }
        }
    }

    #[test]
    fn a_prefix_that_could_run_into_a_name_is_refused() {
        for bad in ["", "a:b", "a b", "a*", "{a}", "é", &"a".repeat(65)] {
            assert_eq!(bad.parse::<Prefix>(), Err(InvalidPrefix), "{bad}");
        }
    }
}
