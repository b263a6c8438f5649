//! What Redis throws away when its memory is full.

/// The policy of a server, as it names it (`maxmemory-policy`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Eviction {
    policy: String,
}

impl Eviction {
    pub(crate) fn named(policy: &str) -> Self {
        Self { policy: policy.trim().to_ascii_lowercase() }
    }

    /// As a server tells it among other things.
    pub(crate) fn in_info(info: &str) -> Option<Self> {
        let policy = info.lines().find_map(|line| line.strip_prefix("maxmemory_policy:"));
        policy.map(Self::named)
    }

    /// Its name.
    #[must_use]
    pub fn policy(&self) -> &str {
        &self.policy
    }

    /// Whether nothing goes that was not to. With any other policy a full memory may forget how often
    /// somebody asked, and lift a limit unseen: counts expire, so that `volatile-*` takes them first,
    /// and leaves the key that would tell of it.
    #[must_use]
    pub fn takes_nothing(&self) -> bool {
        self.policy == "noeviction"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sm_06_only_a_policy_that_takes_nothing_is_known_as_such() {
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", " AllKeys-LRU\r"] {
            assert!(!Eviction::named(policy).takes_nothing(), "{policy}");
        }
        for policy in ["volatile-lru", "volatile-lfu", "volatile-ttl", "volatile-random", ""] {
            assert!(!Eviction::named(policy).takes_nothing(), "{policy}");
        }
        assert!(Eviction::named("noeviction").takes_nothing());
        assert!(Eviction::named(" NoEviction\r").takes_nothing());
    }

    #[test]
    fn the_policy_is_found_among_other_lines() {
        let info = "# Memory\r\nused_memory:1\r\nmaxmemory_policy:allkeys-lru\r\nx:y\r\n";
        assert_eq!(Eviction::in_info(info).unwrap().policy(), "allkeys-lru");
        assert_eq!(Eviction::in_info("# Memory\r\nused_memory:1\r\n"), None);
    }
}
