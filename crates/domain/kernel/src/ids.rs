//! Typed identifiers. One macro makes them all, so that they behave alike and never mix.

use std::{fmt, str::FromStr, sync::Arc};

use thiserror::Error;
use uuid::Uuid;

use crate::{
    ports::{Entropy, EntropyUnavailable},
    time::Timestamp,
};

/// Text that is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("must be a UUID in lower case with hyphens")]
pub struct InvalidId;

/// Accepts the one canonical spelling and no other.
///
/// A second spelling of the same id (upper case, braces, `urn:uuid:`) would be a second name for
/// one thing: caches, logs and limits that key on text would then disagree about who is meant.
fn parse_canonical(text: &str) -> Result<Uuid, InvalidId> {
    let uuid = Uuid::try_parse(text).map_err(|_| InvalidId)?;
    let mut buffer = Uuid::encode_buffer();
    if uuid.hyphenated().encode_lower(&mut buffer) == text && !uuid.is_nil() {
        Ok(uuid)
    } else {
        Err(InvalidId)
    }
}

fn new_version_7(now: Timestamp, entropy: &dyn Entropy) -> Result<Uuid, EntropyUnavailable> {
    let [high, low] = now.fraction_of_millisecond().to_be_bytes();
    let mut tail = [0; 8];
    entropy.fill(&mut tail)?;
    let [a, b, c, d, e, f, g, h] = tail;
    let rest = [high, low, a, b, c, d, e, f, g, h];
    Ok(uuid::Builder::from_unix_timestamp_millis(now.unix_millis(), &rest).into_uuid())
}

macro_rules! typed_ids {
    ($($(#[$doc:meta])* $name:ident;)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Makes a new id: a UUID version 7 (RFC 9562 section 5.7) with the fraction of the
            /// millisecond in `rand_a` (section 6.2, method 3), so that ids sort by the time at
            /// which they were made, to the quarter of a microsecond.
            ///
            /// # Errors
            /// When the source of randomness fails.
            pub fn generate(
                now: Timestamp,
                entropy: &dyn Entropy,
            ) -> Result<Self, EntropyUnavailable> {
                new_version_7(now, entropy).map(Self)
            }

            /// The id as a UUID, for an adapter that stores it as one.
            #[must_use]
            pub const fn uuid(self) -> Uuid {
                self.0
            }

            /// Takes a stored UUID back for an id.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The millisecond in which the id was made, where it is of version 7.
            #[must_use]
            pub fn made_at_millis(self) -> Option<u64> {
                let made = self.0.get_timestamp()?;
                let (seconds, nanos) = made.to_unix();
                seconds.checked_mul(1_000)?.checked_add(u64::from(nanos / 1_000_000))
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                parse_canonical(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    )+};
}

typed_ids! {
    /// An organization: the tenant that agents, credentials and events belong to.
    OrganizationId;
    /// An agent. It is also the agent's OAuth client id and the subject of its tokens.
    AgentId;
    /// A credential that an agent authenticates with.
    CredentialId;
    /// An audit event.
    EventId;
    /// An access token: its `jti` (RFC 7519 section 4.1.7).
    TokenId;
}

/// The name of one request, the caller's own or one that the server made. A clone shares it.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct RequestId(Arc<str>);

impl RequestId {
    const MAX_LENGTH: usize = 128;

    /// Takes a caller's id if it is sane: 1 to 128 of `A-Z a-z 0-9 . _ -`. Anything else could
    /// forge a line in somebody's log.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let sane = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        ((1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(sane))
            .then(|| Self(text.into()))
    }

    /// Makes a new one.
    ///
    /// # Errors
    /// When the source of randomness fails.
    pub fn generate(now: Timestamp, entropy: &dyn Entropy) -> Result<Self, EntropyUnavailable> {
        let id = EventId::generate(now, entropy)?;
        let mut text = Uuid::encode_buffer();
        Ok(Self((&*id.uuid().hyphenated().encode_lower(&mut text)).into()))
    }

    /// The id for work that no request asked for, such as the first start.
    #[must_use]
    pub fn internal() -> Self {
        Self("internal".into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Counting;
    impl Entropy for Counting {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
            buffer.iter_mut().enumerate().for_each(|(i, byte)| *byte = u8::try_from(i).unwrap());
            Ok(())
        }
    }

    #[test]
    fn a_new_id_is_a_version_7_uuid_that_remembers_its_millisecond() {
        let now = Timestamp::from_unix_micros(1_700_000_000_123_456).unwrap();
        let id = AgentId::generate(now, &Counting).unwrap();
        assert_eq!(id.to_string(), "018bcfe5-687b-774b-8001-020304050607");
        assert_eq!(id.uuid().get_version_num(), 7);
        assert_eq!(id.made_at_millis(), Some(1_700_000_000_123));
        assert_eq!(id.to_string().parse::<AgentId>(), Ok(id));
    }

    #[test]
    fn ids_sort_by_the_microsecond_in_which_they_were_made() {
        let at = |micros| Timestamp::from_unix_micros(micros).unwrap();
        let made = |micros| EventId::generate(at(micros), &Counting).unwrap();
        assert!((0..5_000).all(|micros| made(micros) < made(micros + 1)));
    }

    #[test]
    fn rg_09_an_id_has_one_spelling() {
        let good = "018bcfe5-687b-7001-8203-040506070809";
        assert!(good.parse::<AgentId>().is_ok());
        for bad in [
            "018BCFE5-687B-7001-8203-040506070809",
            "{018bcfe5-687b-7001-8203-040506070809}",
            "urn:uuid:018bcfe5-687b-7001-8203-040506070809",
            "018bcfe5687b70018203040506070809",
            "018bcfe5-687b-7001-8203-040506070809;x",
            "00000000-0000-0000-0000-000000000000",
            "..%2f",
            "",
        ] {
            assert_eq!(bad.parse::<AgentId>(), Err(InvalidId), "{bad}");
        }
    }

    #[test]
    fn a_request_id_that_could_forge_a_log_line_is_refused() {
        assert!(RequestId::parse("trace-1.A_b").is_some());
        for bad in ["", "a b", "a\nb", "é", &"x".repeat(129)] {
            assert!(RequestId::parse(bad).is_none(), "{bad}");
        }
    }
}
