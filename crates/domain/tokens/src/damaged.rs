//! Rows of signing keys that are of no possible form, and their end: they are nobody's keys, and
//! must not hold the place of one.

use audit::{Action, Audited, Event, Resource, ResourceKind};
use jose::Algorithm;
use kernel::Timestamp;
use thiserror::Error;

use crate::key::{KeyError, KeyState};

/// A row of a signing key that is of no possible form. It is nobody's key, and an operator's matter.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the row of signing key `{id}` cannot be: column `{column}`")]
pub struct DamagedKey {
    /// What the row says its id is.
    pub id: String,
    /// The column at fault.
    pub column: &'static str,
    /// What the row says it signs with, where it is one that there is.
    pub algorithm: Option<Algorithm>,
    /// What the row says its state is, by the state's name, where it is one that there is.
    pub state: Option<&'static str>,
}

impl DamagedKey {
    /// Whether the row says that its key is over. Then it is, whatever else the row says.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.state.is_some_and(|name| KeyState::OVER.contains(&name))
    }

    /// Whether the row says that verifiers should know its key.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.state.is_some() && !self.is_over()
    }

    /// Ends it: a key that cannot be read can be believed no more than one that somebody else has.
    ///
    /// # Errors
    /// [`KeyError::Transition`] where it is over already, or in no state that there is.
    pub fn end(self, now: Timestamp) -> Result<DamagedKeyEnded, KeyError> {
        let to = KeyState::Compromised { since: now };
        match self.state {
            Some(from) if self.is_published() => Ok(DamagedKeyEnded { key: self, from, to }),
            Some(from) => Err(KeyError::Transition { from, to: to.name() }),
            None => Err(KeyError::Transition { from: "unreadable", to: to.name() }),
        }
    }
}

/// A row of no possible form is over. Made by [`DamagedKey::end`] alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedKeyEnded {
    key: DamagedKey,
    from: &'static str,
    to: KeyState,
}

impl DamagedKeyEnded {
    /// What the row says its id is.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.key.id
    }

    /// The name of the state from which it ends. The revision cannot be relied on: it may be what
    /// is damaged.
    #[must_use]
    pub const fn from(&self) -> &'static str {
        self.from
    }

    /// The state in which it is for good.
    #[must_use]
    pub const fn to(&self) -> KeyState {
        self.to
    }
}

impl Audited for DamagedKeyEnded {
    type After = DamagedKey;

    fn event(&self) -> Event {
        let event = Event::success(Action::SigningKeyCompromised)
            .on(Resource { kind: ResourceKind::SigningKey, id: self.key.id.clone() })
            .with("reason", "damaged");
        match self.key.algorithm {
            Some(algorithm) => event.with("algorithm", algorithm.name()),
            None => event,
        }
    }

    fn into_after(self) -> DamagedKey {
        DamagedKey { state: Some(self.to.name()), ..self.key }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged(state: Option<&'static str>) -> DamagedKey {
        DamagedKey { id: "any".to_owned(), column: "public_key", algorithm: None, state }
    }

    #[test]
    fn a_damaged_key_ends_once_from_every_state_in_which_it_would_be_published() {
        let now = Timestamp::from_unix_micros(1).unwrap();
        for state in ["published", "active", "retiring"] {
            let key = damaged(Some(state));
            assert!(key.is_published() && !key.is_over());
            let ended = key.end(now).unwrap();
            assert_eq!((ended.from(), ended.to().name()), (state, "compromised"));
            let key = ended.into_after();
            assert!(key.is_over() && key.end(now).is_err());
        }
        for state in [Some("retired"), Some("compromised"), None] {
            assert!(!damaged(state).is_published());
            assert!(damaged(state).end(now).is_err());
        }
        assert!(!damaged(None).is_over(), "nothing is known of it");
    }
}
