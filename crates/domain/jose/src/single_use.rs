//! What is good once: the `jti` of an assertion or of a proof, remembered until it would be refused
//! for its age.

use std::{future::Future, time::Duration};

use kernel::{OrganizationId, StoreError, Timestamp};
use ring::digest::{Context, SHA256};

/// For how much longer than it must be something is remembered: a clock that was set back by an
/// hour must not make it good again.
const MARGIN: Duration = Duration::from_secs(3_600);

/// Something that may be used once. It is known by a digest: what it came from may be long, and is
/// chosen by others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SingleUse {
    digest: [u8; 32],
    expires_at: Timestamp,
}

impl SingleUse {
    /// What is used once: of a kind, by somebody, under an id that is theirs to choose, so that
    /// nobody can use up the ids of others. From `over` on it would be refused for its age.
    #[must_use]
    pub fn new(kind: &str, by: &str, id: &str, over: Timestamp) -> Self {
        let mut context = Context::new(&SHA256);
        // The lengths keep two triples from running together into the same bytes.
        for part in [kind, by, id] {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        let mut digest = [0; 32];
        digest.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
        Self { digest, expires_at: over.plus(MARGIN) }
    }

    /// What it is known by.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whether a store does well to forget what is long over when this is used: one in thirty-two,
    /// so that those who do so at the same time rarely meet.
    #[must_use]
    pub const fn is_an_occasion_to_forget(&self) -> bool {
        self.digest[0] < 8
    }

    /// From when on it would be refused for its age, where no clock is set back.
    #[must_use]
    pub fn over(&self) -> Timestamp {
        self.expires_at.minus(MARGIN)
    }

    /// Until when it must be remembered.
    #[must_use]
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// What was used already, in each organization.
///
/// A store has it, and no transaction of a use case: nobody who changes a record keeps those waiting
/// who authenticate.
pub trait SingleUses: Send + Sync {
    /// Uses it. True for the first that does so, and for nobody else: of many at the same time
    /// exactly one is first, on whatever replica. It is durable when this is done: nobody can use it
    /// after a crash of whoever used it and had not answered yet.
    ///
    /// What is long over may be forgotten on the occasion.
    ///
    /// # Errors
    /// [`StoreError`]; nobody knows then whether it was used, and it must count as used.
    fn use_once(
        &self,
        organization: OrganizationId,
        single_use: &SingleUse,
        now: Timestamp,
    ) -> impl Future<Output = Result<bool, StoreError>> + Send;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(kind: &str, by: &str, id: &str) -> [u8; 32] {
        *SingleUse::new(kind, by, id, Timestamp::from_unix_micros(0).unwrap()).digest()
    }

    #[test]
    fn ca_10_an_id_is_of_its_kind_and_of_its_user() {
        let one = digest("assertion", "a", "1");
        assert_eq!(one, digest("assertion", "a", "1"));
        for other in [
            digest("proof", "a", "1"),
            digest("assertion", "b", "1"),
            digest("assertion", "a", "2"),
            digest("assertion", "a1", ""),
            digest("assertiona", "", "1"),
        ] {
            assert_ne!(one, other);
        }
    }
}
