//! When signing keys are made, sign, cease to sign and are over: rules alone, without a clock.
//!
//! Of each algorithm that is configured there is one key that signs and one that is next: published
//! long before it signs, so that no verifier meets a token by a key that it cannot know of. A key
//! that ceased to sign stays published until the last token of it is over. Only an emergency breaks
//! both rules: a compromised key is believed no longer, and its successor signs at once.

use std::time::Duration;

use jose::Algorithm;
use kernel::Timestamp;
use thiserror::Error;

use crate::{
    damaged::{DamagedKey, DamagedKeyEnded},
    key::{KeyError, KeyState, SigningKey, SigningKeyChange},
    policy::{CLOCK_SKEW, Lifetime},
};

/// For how long anybody may keep the published set without asking again: the `max-age` with which
/// it is answered.
pub const CACHED_FOR: Duration = Duration::from_secs(300);

/// For how long a new key may be on its way to every replica, and every replica's clock may be off.
pub const PROPAGATION: Duration = Duration::from_secs(60);

/// What rotation goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RotationPolicy {
    /// What to sign with. The first that has a key that may sign is the one that signs.
    pub algorithms: Vec<Algorithm>,
    /// For how long a key is published before it signs.
    pub cached_for: Duration,
    /// For how long it is published after it signed.
    pub tokens_live: Duration,
    /// For how long it signs.
    pub period: Duration,
}

impl RotationPolicy {
    /// The policy for tokens of this lifetime.
    #[must_use]
    pub fn new(algorithms: Vec<Algorithm>, lifetime: Lifetime, period: Duration) -> Self {
        let cached_for = CACHED_FOR.saturating_add(PROPAGATION);
        let tokens_live = lifetime.get().saturating_add(CLOCK_SKEW).saturating_add(cached_for);
        Self { algorithms, cached_for, tokens_live, period }
    }
}

/// One step of a plan. The steps of a plan are done in their order, and together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A key that is there is moved on.
    Move(SigningKeyChange),
    /// A row that cannot be read ends, which is in the way of a key that can.
    End(DamagedKeyEnded),
    /// A key is made and published.
    Make {
        /// What it signs with.
        algorithm: Algorithm,
        /// Whether it signs at once: there is no other that could.
        signs: bool,
    },
}

/// Why nothing is rotated now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotNow {
    /// No key signs that a next one could take over from.
    #[error("there is no key to rotate yet; a server that starts makes one")]
    NoneSigns,
    /// No key is next.
    #[error("there is no next key for `{}` yet; a running server makes one within a minute", .0.name())]
    NoNext(Algorithm),
    /// The next key may sign only later.
    #[error("verifiers may not know the next key for `{}` yet; it may sign from {at} on", .algorithm.name())]
    TooEarly {
        /// Of which algorithm.
        algorithm: Algorithm,
        /// From when on.
        at: Timestamp,
    },
}

/// Why a key is not compromised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotCompromised {
    /// There is no such key.
    #[error("there is no such signing key")]
    Unknown,
    /// None of the keys opens, so that there could be no successor.
    #[error(
        "none of the signing keys opens with this sealing key: nobody could sign afterwards; set \
         IDP_SEALING_KEY, or restore sealing.key, to the one that the servers have"
    )]
    NoneOpens,
    /// It is over already: nothing verifies by it.
    #[error(transparent)]
    Over(#[from] KeyError),
}

/// All keys, and which of them can be used: those whose private half opens.
#[derive(Debug, Clone, Copy)]
pub struct Keys<'a, U> {
    all: &'a [SigningKey],
    damaged: &'a [DamagedKey],
    usable: U,
}

impl<'a, U: Fn(&SigningKey) -> bool> Keys<'a, U> {
    /// These keys, of which these can be used.
    #[must_use]
    pub const fn new(all: &'a [SigningKey], usable: U) -> Self {
        Self { all, damaged: &[], usable }
    }

    /// These keys beside those whose rows cannot be read.
    #[must_use]
    pub fn beside(self, damaged: &'a [DamagedKey]) -> Self {
        Self { damaged, ..self }
    }

    /// What is to be done now; nothing, mostly.
    ///
    /// Where no key at all can be used nothing is done: the keys are all right, and whoever looks
    /// at them is not. Rows that cannot be read end where they are in the way of keys that can be
    /// used: of each algorithm there is a place for one that signs, and for one that is next.
    #[must_use]
    pub fn due(&self, policy: &RotationPolicy, now: Timestamp) -> Vec<Step> {
        self.plan(policy, None, now)
    }

    /// What is to be done now where no key signs, and nothing where one does: all that may be done by
    /// a clock that is not to be relied on.
    #[must_use]
    pub fn due_in_need(&self, policy: &RotationPolicy, now: Timestamp) -> Vec<Step> {
        if self.signs(policy).is_some() { Vec::new() } else { self.due(policy, now) }
    }

    /// Has the next key of every algorithm take over now, whatever the age of the one that signs.
    ///
    /// # Errors
    /// [`NotNow`]
    pub fn rotate(&self, policy: &RotationPolicy, now: Timestamp) -> Result<Vec<Step>, NotNow> {
        let mut plan = Vec::new();
        for algorithm in policy.algorithms.iter().copied() {
            let Some(active) = self.active(algorithm) else { continue };
            let next = self.next(algorithm).ok_or(NotNow::NoNext(algorithm))?;
            let too_early = |at| NotNow::TooEarly { algorithm, at };
            let successor = next
                .clone()
                .activate(policy.cached_for, now)
                .map_err(|error| too_early(error.earliest().unwrap_or(now)))?;
            plan.extend(moved(active.clone().retire(policy.tokens_live, now)));
            plan.extend([Step::Move(successor), Step::Make { algorithm, signs: false }]);
        }
        if plan.is_empty() { Err(NotNow::NoneSigns) } else { Ok(plan) }
    }

    /// Ceases to believe a key at once. Where it is the one that signs, the next one does from now
    /// on, whether or not every verifier can know it: that some must ask again is better than that
    /// nobody gets a token. Where there is no next one either, one is made. A key that is active
    /// beside the one that signs is not urgent: its successor waits like any other, or it would be
    /// ready to sign unknown as soon as its algorithm is the first.
    ///
    /// The first step is that of the key itself, and can be done without the others. Of a row that
    /// cannot be read the id is what the row says.
    ///
    /// # Errors
    /// [`NotCompromised`]
    pub fn compromise(
        &self,
        id: &str,
        policy: &RotationPolicy,
        now: Timestamp,
    ) -> Result<Vec<Step>, NotCompromised> {
        let Some(key) = self.all.iter().find(|key| key.id().as_str() == id) else {
            return self.end(id, policy, now);
        };
        let change = key.clone().compromise(now)?;
        // That key, if it is the only one that opens, still shows that keys can be opened here.
        if !self.any_usable() {
            return Err(NotCompromised::NoneOpens);
        }
        let signs = self.signs(policy).filter(|signs| signs.id() == key.id());
        let urgent = signs.map(SigningKey::algorithm);
        let left: Vec<_> = self.all.iter().filter(|one| one.id() != key.id()).cloned().collect();
        let left = Keys { all: &left, damaged: self.damaged, usable: &self.usable };
        let mut plan = vec![Step::Move(change)];
        plan.extend(left.steps(policy, urgent, now));
        Ok(plan)
    }

    /// Ends a row that cannot be read, as if its key were compromised.
    fn end(
        &self,
        id: &str,
        policy: &RotationPolicy,
        now: Timestamp,
    ) -> Result<Vec<Step>, NotCompromised> {
        let damaged = self.damaged.iter().find(|one| one.id == id);
        let ended = damaged.ok_or(NotCompromised::Unknown)?.clone().end(now)?;
        let any_published = self.all.iter().any(|key| key.state().is_published());
        if any_published && !self.any_usable() {
            return Err(NotCompromised::NoneOpens);
        }
        let left: Vec<_> = self.damaged.iter().filter(|one| one.id != id).cloned().collect();
        let left = Keys { all: self.all, damaged: &left, usable: &self.usable };
        let mut plan = vec![Step::End(ended)];
        plan.extend(left.plan(policy, None, now));
        Ok(plan)
    }

    fn plan(
        &self,
        policy: &RotationPolicy,
        urgent: Option<Algorithm>,
        now: Timestamp,
    ) -> Vec<Step> {
        let published = self.all.iter().any(|key| key.state().is_published())
            || self.damaged.iter().any(DamagedKey::is_published);
        if published && !self.any_usable() {
            return Vec::new();
        }
        self.steps(policy, urgent, now)
    }

    fn steps(
        &self,
        policy: &RotationPolicy,
        urgent: Option<Algorithm>,
        now: Timestamp,
    ) -> Vec<Step> {
        let mut plan: Vec<_> =
            self.all.iter().flat_map(|key| moved(key.clone().finish(now))).collect();
        let mut any_signs = Algorithm::ALL.into_iter().any(|one| self.active(one).is_some());
        let mut chosen_signs = false;
        for algorithm in policy.algorithms.iter().copied() {
            let urgent = urgent == Some(algorithm) && !chosen_signs;
            let alone = !any_signs || urgent;
            let (steps, signs) = self.of_algorithm(algorithm, policy, alone, now);
            plan.extend(steps);
            any_signs |= signs;
            chosen_signs |= signs;
        }
        // Those of other algorithms go on until one of the configured ones signs.
        if chosen_signs {
            plan.extend(self.of_no_use(policy, now));
        }
        plan
    }

    /// What is due of one algorithm, and whether a key of it signs then. `alone` means that none of
    /// another could sign instead.
    fn of_algorithm(
        &self,
        algorithm: Algorithm,
        policy: &RotationPolicy,
        alone: bool,
        now: Timestamp,
    ) -> (Vec<Step>, bool) {
        let make = |signs| Step::Make { algorithm, signs };
        let (active, next) = (self.active(algorithm), self.next(algorithm));
        // Only one can be next: what cannot be used gives its place up.
        let mut plan: Vec<_> =
            self.broken(algorithm).flat_map(|key| moved(key.clone().withdraw(now))).collect();
        plan.extend(self.ends(algorithm, "published", now));
        let age_is_over = active.is_none_or(|key| key.state().at().plus(policy.period) <= now);
        let at_once = alone && active.is_none();
        let successor = next.filter(|_| age_is_over).cloned().and_then(|key| {
            let successor = if at_once {
                key.activate_at_once(now)
            } else {
                key.activate(policy.cached_for, now)
            };
            successor.ok()
        });
        if successor.is_some() || (active.is_none() && next.is_none() && alone) {
            // Only one can sign: also the one that ought to and cannot.
            let ends = active.into_iter().chain(self.broken(algorithm));
            plan.extend(ends.flat_map(|key| moved(key.clone().retire(policy.tokens_live, now))));
            plan.extend(self.ends(algorithm, "active", now));
            plan.push(successor.map_or_else(|| make(true), Step::Move));
            plan.push(make(false));
            return (plan, true);
        }
        if next.is_none() {
            plan.push(make(false));
        }
        (plan, active.is_some())
    }

    /// The ends of keys of algorithms that are no longer configured.
    fn of_no_use(&self, policy: &RotationPolicy, now: Timestamp) -> impl Iterator<Item = Step> {
        let (algorithms, tokens_live) = (policy.algorithms.clone(), policy.tokens_live);
        let of_no_use = self.all.iter().filter(move |key| !algorithms.contains(&key.algorithm()));
        of_no_use.flat_map(move |key| match key.state() {
            KeyState::Published { .. } => moved(key.clone().withdraw(now)),
            KeyState::Active { .. } => moved(key.clone().retire(tokens_live, now)),
            KeyState::Retiring { .. } | KeyState::Retired { .. } | KeyState::Compromised { .. } => {
                None
            }
        })
    }

    /// The ends of the rows that cannot be read and hold this place.
    fn ends(
        &self,
        algorithm: Algorithm,
        state: &'static str,
        now: Timestamp,
    ) -> impl Iterator<Item = Step> {
        let holds =
            move |one: &&DamagedKey| one.algorithm == Some(algorithm) && one.state == Some(state);
        let held = self.damaged.iter().filter(holds);
        held.flat_map(move |one| one.clone().end(now).ok().map(Step::End))
    }

    fn any_usable(&self) -> bool {
        self.all.iter().any(|key| key.state().is_published() && (self.usable)(key))
    }

    /// The key that signs: that of the first algorithm that has one, the configured ones first.
    fn signs(&self, policy: &RotationPolicy) -> Option<&'a SigningKey> {
        policy.algorithms.iter().chain(&Algorithm::ALL).find_map(|one| self.active(*one))
    }

    fn active(&self, algorithm: Algorithm) -> Option<&'a SigningKey> {
        self.usable_of(algorithm, |state| matches!(state, KeyState::Active { .. }))
    }

    fn next(&self, algorithm: Algorithm) -> Option<&'a SigningKey> {
        self.usable_of(algorithm, |state| matches!(state, KeyState::Published { .. }))
    }

    fn usable_of(
        &self,
        algorithm: Algorithm,
        wanted: impl Fn(KeyState) -> bool,
    ) -> Option<&'a SigningKey> {
        let wanted = |key: &&SigningKey| key.algorithm() == algorithm && wanted(key.state());
        self.all.iter().filter(wanted).find(|key| (self.usable)(key))
    }

    fn broken(&self, algorithm: Algorithm) -> impl Iterator<Item = &'a SigningKey> {
        let published =
            move |key: &&SigningKey| key.algorithm() == algorithm && key.state().is_published();
        self.all.iter().filter(published).filter(|key| !(self.usable)(key))
    }
}

/// A step, where the key's own rules allow it.
fn moved(change: Result<SigningKeyChange, KeyError>) -> Option<Step> {
    change.ok().map(Step::Move)
}

#[cfg(test)]
mod tests;
