//! Keys that sign tokens: published before they sign, kept until the last token of theirs is over.

use std::{fmt, time::Duration};

use audit::{Action, Audited, Event, Resource, ResourceKind};
use jose::{Algorithm, Jwk, KeyId};
use kernel::{Revision, Timestamp};
use thiserror::Error;

/// A private key, encrypted. Only the adapter that sealed it can open it.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedPrivateKey(Vec<u8>);

impl SealedPrivateKey {
    /// Wraps what an adapter sealed.
    #[must_use]
    pub const fn new(sealed: Vec<u8>) -> Self {
        Self(sealed)
    }

    /// The sealed bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SealedPrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealedPrivateKey(REDACTED)")
    }
}

/// Where a key stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// In the published set, so that verifiers learn of it; it does not sign yet.
    Published {
        /// Since when.
        since: Timestamp,
    },
    /// It signs.
    Active {
        /// Since when.
        since: Timestamp,
    },
    /// It signs no more, and verifies until the last token of it is over.
    Retiring {
        /// Until when.
        until: Timestamp,
    },
    /// It verifies nothing: no token of it can be alive.
    Retired {
        /// Since when.
        since: Timestamp,
    },
    /// Somebody else may have its private half. It verifies nothing, whatever is alive of it.
    Compromised {
        /// Since when.
        since: Timestamp,
    },
}

impl KeyState {
    /// The names of all states.
    pub const NAMES: [&'static str; 5] =
        ["published", "active", "retiring", "retired", "compromised"];

    /// The names of those of a key that verifies nothing.
    pub const OVER: [&'static str; 2] = ["retired", "compromised"];

    /// The state's name in the store.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Published { .. } => "published",
            Self::Active { .. } => "active",
            Self::Retiring { .. } => "retiring",
            Self::Retired { .. } => "retired",
            Self::Compromised { .. } => "compromised",
        }
    }

    /// The instant that belongs to the state.
    #[must_use]
    pub const fn at(self) -> Timestamp {
        match self {
            Self::Published { since }
            | Self::Active { since }
            | Self::Retired { since }
            | Self::Compromised { since } => since,
            Self::Retiring { until } => until,
        }
    }

    /// Whether verifiers should know the key.
    #[must_use]
    pub const fn is_published(self) -> bool {
        match self {
            Self::Published { .. } | Self::Active { .. } | Self::Retiring { .. } => true,
            Self::Retired { .. } | Self::Compromised { .. } => false,
        }
    }
}

/// Why a key was not moved on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum KeyError {
    /// There is no such step from where it stands.
    #[error("a signing key that is `{from}` cannot become `{to}`")]
    Transition {
        /// Where it stands.
        from: &'static str,
        /// Where it was to go.
        to: &'static str,
    },
    /// Verifiers may not know it yet, or may still need it.
    #[error("too early: the key may be moved on at {at}")]
    TooEarly {
        /// When it may.
        at: Timestamp,
    },
}

impl KeyError {
    /// From when on the same step may be taken, where it was too early.
    #[must_use]
    pub const fn earliest(self) -> Option<Timestamp> {
        match self {
            Self::Transition { .. } => None,
            Self::TooEarly { at } => Some(at),
        }
    }
}

/// Everything that a store keeps of a signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are described at the getters of `SigningKey`")]
pub struct SigningKeyRecord {
    pub public: Jwk,
    pub private: SealedPrivateKey,
    pub state: KeyState,
    pub created_at: Timestamp,
    pub revision: Revision,
}

/// A signing key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKey(SigningKeyRecord);

impl SigningKey {
    /// Publishes a new key.
    #[must_use]
    pub fn publish(public: Jwk, private: SealedPrivateKey, now: Timestamp) -> SigningKeyChange {
        let after = Self(SigningKeyRecord {
            public,
            private,
            state: KeyState::Published { since: now },
            created_at: now,
            revision: Revision::FIRST,
        });
        SigningKeyChange { expected: None, after }
    }

    /// Takes back what a store kept. A record is whole by its type.
    #[must_use]
    pub const fn from_record(record: SigningKeyRecord) -> Self {
        Self(record)
    }

    /// What a store must keep.
    #[must_use]
    pub const fn record(&self) -> &SigningKeyRecord {
        &self.0
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.0.public.thumbprint()
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.0.public.algorithm()
    }

    /// Where it stands.
    #[must_use]
    pub const fn state(&self) -> KeyState {
        self.0.state
    }

    /// Begins to sign with it, once it has been published for as long as verifiers cache the set.
    /// Where no other key can sign it does so at once, with [`activate_at_once`](Self::activate_at_once).
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn activate(
        self,
        cached_for: Duration,
        now: Timestamp,
    ) -> Result<SigningKeyChange, KeyError> {
        let KeyState::Published { since } = self.0.state else {
            return Err(self.no_step_to("active"));
        };
        let known_at = since.plus(cached_for);
        if now < known_at {
            return Err(KeyError::TooEarly { at: known_at });
        }
        Ok(self.moved(KeyState::Active { since: now }))
    }

    /// Begins to sign with it where no other key can: the first of all, since nobody has cached
    /// anything, and the one after a compromise, since the alternative is none. For the same reason
    /// it does not matter when it was published, which a host may have told whose clock is ahead.
    ///
    /// # Errors
    /// [`KeyError::Transition`]
    pub fn activate_at_once(self, now: Timestamp) -> Result<SigningKeyChange, KeyError> {
        match self.0.state {
            KeyState::Published { .. } => Ok(self.moved(KeyState::Active { since: now })),
            KeyState::Active { .. }
            | KeyState::Retiring { .. }
            | KeyState::Retired { .. }
            | KeyState::Compromised { .. } => Err(self.no_step_to("active")),
        }
    }

    /// Ceases to sign with it; it verifies for as long as the last token of it may live.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn retire(
        self,
        tokens_live: Duration,
        now: Timestamp,
    ) -> Result<SigningKeyChange, KeyError> {
        match self.0.state {
            KeyState::Active { .. } => {
                Ok(self.moved(KeyState::Retiring { until: now.plus(tokens_live) }))
            }
            KeyState::Published { .. }
            | KeyState::Retiring { .. }
            | KeyState::Retired { .. }
            | KeyState::Compromised { .. } => Err(self.no_step_to("retiring")),
        }
    }

    /// Ceases to verify with it, once no token of it can be alive.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn finish(self, now: Timestamp) -> Result<SigningKeyChange, KeyError> {
        let KeyState::Retiring { until } = self.0.state else {
            return Err(self.no_step_to("retired"));
        };
        if now < until {
            return Err(KeyError::TooEarly { at: until });
        }
        Ok(self.moved(KeyState::Retired { since: now }))
    }

    /// Takes a key back that never signed: no token of it can be alive.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn withdraw(self, now: Timestamp) -> Result<SigningKeyChange, KeyError> {
        let KeyState::Published { .. } = self.0.state else {
            return Err(self.no_step_to("retired"));
        };
        Ok(self.moved(KeyState::Retired { since: now }))
    }

    /// Ceases to believe it, at once: somebody else may sign with it. There is no way back.
    ///
    /// # Errors
    /// [`KeyError`]
    pub fn compromise(self, now: Timestamp) -> Result<SigningKeyChange, KeyError> {
        if !self.0.state.is_published() {
            return Err(self.no_step_to("compromised"));
        }
        Ok(self.moved(KeyState::Compromised { since: now }))
    }

    const fn no_step_to(&self, to: &'static str) -> KeyError {
        KeyError::Transition { from: self.0.state.name(), to }
    }

    fn moved(mut self, state: KeyState) -> SigningKeyChange {
        let expected = Some(self.0.revision);
        self.0.state = state;
        self.0.revision = self.0.revision.next();
        SigningKeyChange { expected, after: self }
    }
}

/// A change of a signing key, made by [`SigningKey`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SigningKeyChange {
    expected: Option<Revision>,
    after: SigningKey,
}

impl SigningKeyChange {
    /// The revision that it was computed from; `None` where the key is new.
    #[must_use]
    pub const fn expected(&self) -> Option<Revision> {
        self.expected
    }

    /// The key as it will be.
    #[must_use]
    pub const fn after(&self) -> &SigningKey {
        &self.after
    }

    /// The key, once the change is written.
    #[must_use]
    pub fn into_after(self) -> SigningKey {
        self.after
    }
}

impl Audited for SigningKeyChange {
    type After = SigningKey;

    fn event(&self) -> Event {
        let action = match self.after.0.state {
            KeyState::Published { .. } => Action::SigningKeyPublished,
            KeyState::Active { .. } => Action::SigningKeyActivated,
            KeyState::Retiring { .. } => Action::SigningKeyRetiring,
            KeyState::Retired { .. } => Action::SigningKeyRetired,
            KeyState::Compromised { .. } => Action::SigningKeyCompromised,
        };
        let id = self.after.id();
        Event::success(action)
            .on(Resource { kind: ResourceKind::SigningKey, id: id.as_str().to_owned() })
            .with("algorithm", self.after.0.public.algorithm().name())
    }

    fn into_after(self) -> SigningKey {
        self.after
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_micros(seconds * 1_000_000).unwrap()
    }

    fn published() -> SigningKey {
        let public = Jwk::P256 { x: [1; 32], y: [2; 32] };
        SigningKey::publish(public, SealedPrivateKey::new(vec![9]), at(0)).into_after()
    }

    #[test]
    fn jr_02_a_key_does_not_sign_before_verifiers_can_know_it() {
        let cached = Duration::from_secs(300);
        assert_eq!(
            published().activate(cached, at(299)).err(),
            Some(KeyError::TooEarly { at: at(300) })
        );
        assert!(published().activate(cached, at(300)).is_ok());
    }

    #[test]
    fn jr_04_where_no_other_key_signs_one_does_that_a_clock_ahead_has_published() {
        let public = published().record().public.clone();
        let key = SigningKey::publish(public, SealedPrivateKey::new(vec![9]), at(9)).into_after();
        let before = at(0);
        assert!(key.clone().activate(Duration::ZERO, before).is_err());
        let active = key.activate_at_once(before).unwrap().into_after();
        assert_eq!(active.state(), KeyState::Active { since: before });
        assert!(active.activate_at_once(before).is_err());
    }

    #[test]
    fn jr_03_a_key_verifies_until_its_last_token_is_over() {
        let active = published().activate(Duration::ZERO, at(0)).unwrap().into_after();
        let retiring = active.retire(Duration::from_secs(910), at(100)).unwrap().into_after();
        assert!(retiring.state().is_published());
        let early = retiring.clone().finish(at(1_009));
        assert_eq!(early.err(), Some(KeyError::TooEarly { at: at(1_010) }));
        let retired = retiring.finish(at(1_010)).unwrap().into_after();
        assert!(!retired.state().is_published());
        assert!(retired.activate(Duration::ZERO, at(2_000)).is_err());
    }

    #[test]
    fn jr_04_a_compromised_key_is_so_for_good_whatever_it_was() {
        let active = published().activate(Duration::ZERO, at(0)).unwrap().into_after();
        let retiring = active.clone().retire(Duration::ZERO, at(0)).unwrap().into_after();
        for key in [published(), active, retiring.clone()] {
            let change = key.compromise(at(1)).unwrap();
            assert_eq!(change.event().action(), Action::SigningKeyCompromised);
            let key = change.into_after();
            assert!(!key.state().is_published());
            assert!(key.clone().activate(Duration::ZERO, at(9)).is_err());
            assert!(key.clone().retire(Duration::ZERO, at(9)).is_err());
            assert!(key.clone().finish(at(9)).is_err() && key.clone().withdraw(at(9)).is_err());
            assert!(key.compromise(at(9)).is_err());
        }
        let retired = retiring.finish(at(1)).unwrap().into_after();
        assert!(retired.compromise(at(2)).is_err());
    }

    #[test]
    fn only_a_key_that_never_signed_is_taken_back() {
        let withdrawn = published().withdraw(at(1)).unwrap().into_after();
        assert_eq!(withdrawn.state(), KeyState::Retired { since: at(1) });
        let active = published().activate(Duration::ZERO, at(0)).unwrap().into_after();
        assert!(active.withdraw(at(1)).is_err());
    }
}
