//! Keeps the signing keys as the rules of rotation want them, in every replica alike.

use ::tokens::{
    Algorithm, DamagedKeyEnded, Jwk, KeptKeys, KeyFactory, RotationPolicy, SealedPrivateKey,
    SigningKey, SigningKeyChange, SigningKeys,
    key::KeyError,
    rotation::{Keys, NotCompromised, NotNow, Step},
};
use audit::{Apply, Journal, Transactor, record};
use kernel::{Clock, EntropyUnavailable, OrganizationId, StoreError, Timestamp};
use tenancy::{Actor, Origin, Scope};
use thiserror::Error;

/// How often a plan is made anew where another replica was faster. Each time one of them was
/// through, and then there is nothing left to do.
const ATTEMPTS: usize = 5;

/// Why the signing keys are not as they were wanted.
#[derive(Debug, Error)]
pub enum SigningKeyError {
    /// A key's own rules forbid it.
    #[error(transparent)]
    Rule(#[from] KeyError),
    /// It is too early to rotate.
    #[error(transparent)]
    NotNow(#[from] NotNow),
    /// There is no such key to compromise.
    #[error(transparent)]
    NotCompromised(#[from] NotCompromised),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness for a key.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

/// Who keeps the signing keys.
#[derive(Clone, Copy)]
pub struct KeyKeeper<'a, S, F> {
    /// Where they are.
    pub store: &'a S,
    /// The organization whose log tells of them.
    pub platform: OrganizationId,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Who makes keys, and tells which can be used.
    pub factory: &'a F,
    /// What rotation goes by.
    pub policy: &'a RotationPolicy,
}

impl<S, F> std::fmt::Debug for KeyKeeper<'_, S, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyKeeper").field("policy", self.policy).finish_non_exhaustive()
    }
}

/// Key pairs that were made before the transaction that needs them: to make one of RSA takes
/// longer than a transaction should.
type Made = Vec<(Jwk, SealedPrivateKey)>;

impl<S, F> KeyKeeper<'_, S, F>
where
    S: Transactor,
    S::Tx: SigningKeys + Apply<SigningKeyChange> + Apply<DamagedKeyEnded>,
    S::View: SigningKeys,
    F: KeyFactory,
{
    /// Does what is due: at the start of a server, and every now and then. Gives back all keys as
    /// they are then.
    ///
    /// # Errors
    /// [`SigningKeyError`]
    pub async fn keep_up(&self) -> Result<KeptKeys, SigningKeyError> {
        self.carry_out(|kept, now| Ok(self.usable(kept).due(self.policy, now))).await
    }

    /// Does what is due where no key signs, and nothing where one does: by a clock that is not to be
    /// relied on. Gives back all keys as they are then.
    ///
    /// # Errors
    /// [`SigningKeyError`]
    pub async fn keep_one_signing(&self) -> Result<KeptKeys, SigningKeyError> {
        self.carry_out(|kept, now| Ok(self.usable(kept).due_in_need(self.policy, now))).await
    }

    /// Has the next keys sign from now on.
    ///
    /// # Errors
    /// [`SigningKeyError`]; [`NotNow::TooEarly`] tells from when on they may.
    pub async fn rotate(&self) -> Result<KeptKeys, SigningKeyError> {
        // Not twice where somebody else was faster: the key after the next may not sign yet.
        self.carry_out(|kept, now| Ok(self.usable(kept).rotate(self.policy, now)?)).await
    }

    /// Ceases to believe a key at once, which may be one whose row cannot be read. Its successor
    /// signs from now on. Where something is in the way of that, whatever it is, the key is believed
    /// no more all the same: that cannot wait.
    ///
    /// # Errors
    /// [`SigningKeyError`]
    pub async fn compromise(&self, key: &str) -> Result<KeptKeys, SigningKeyError> {
        let plan = |kept: &KeptKeys, now| -> Result<Vec<Step>, SigningKeyError> {
            Ok(self.usable(kept).compromise(key, self.policy, now)?)
        };
        match self.carry_out(plan).await {
            Err(SigningKeyError::Store(StoreError::Conflict | StoreError::Refused(_))) => {
                let alone =
                    |kept: &KeptKeys, now| Ok(plan(kept, now)?.into_iter().take(1).collect());
                self.carry_out(alone).await
            }
            done => done,
        }
    }

    /// All keys, those that are over included.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn list(&self) -> Result<KeptKeys, StoreError> {
        self.store.view(self.platform).await?.signing_keys().await
    }

    fn usable<'k>(&self, kept: &'k KeptKeys) -> Keys<'k, impl Fn(&SigningKey) -> bool> {
        let opens = |key: &SigningKey| self.factory.opens(key);
        Keys::new(&kept.whole, opens).beside(&kept.damaged)
    }

    /// Plans, makes what keys the plan needs, and carries it out as it is by then. Keys that another
    /// replica has changed meanwhile are a conflict, by their revisions; so is a second key that
    /// would sign, or be next, for an algorithm.
    async fn carry_out(
        &self,
        decide: impl Fn(&KeptKeys, Timestamp) -> Result<Vec<Step>, SigningKeyError> + Send + Sync,
    ) -> Result<KeptKeys, SigningKeyError> {
        let mut made = Made::new();
        for _ in 0..ATTEMPTS {
            let kept = self.list().await?;
            let plan = decide(&kept, self.clock.now())?;
            if plan.is_empty() {
                return Ok(kept);
            }
            self.make_for(&plan, &mut made).await?;
            match self.write(&decide, &made).await {
                Ok(true) => return Ok(self.list().await?),
                Ok(false) | Err(SigningKeyError::Store(StoreError::Conflict)) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn make_for(&self, plan: &[Step], made: &mut Made) -> Result<(), SigningKeyError> {
        let mut there: Vec<_> = made.iter().map(|(public, _)| public.algorithm()).collect();
        for algorithm in plan.iter().filter_map(made_by) {
            match there.iter().position(|one| *one == algorithm) {
                Some(place) => drop(there.swap_remove(place)),
                None => made.push(self.factory.generate(algorithm).await?),
            }
        }
        Ok(())
    }

    /// Decides anew within a transaction, by the time that it is then, and writes. `false` where
    /// that takes keys that were not made.
    async fn write(
        &self,
        decide: impl Fn(&KeptKeys, Timestamp) -> Result<Vec<Step>, SigningKeyError> + Send + Sync,
        made: &Made,
    ) -> Result<bool, SigningKeyError> {
        let scope = Scope::new(self.platform, Actor::System, Origin::internal());
        let mut tx = self.store.begin(scope).await?;
        let kept = tx.signing_keys().await?;
        let now = self.clock.now();
        let mut made = made.clone();
        for step in decide(&kept, now)? {
            let change = match step {
                Step::Move(change) => change,
                Step::End(ended) => {
                    tx = record(tx, ended).await?.0;
                    continue;
                }
                Step::Make { algorithm, signs } => {
                    let fits = |(public, _): &(Jwk, _)| public.algorithm() == algorithm;
                    let Some(place) = made.iter().position(fits) else { return Ok(false) };
                    let (public, private) = made.swap_remove(place);
                    let published = SigningKey::publish(public, private, now);
                    if !signs {
                        tx = record(tx, published).await?.0;
                        continue;
                    }
                    let (next_tx, key) = record(tx, published).await?;
                    tx = next_tx;
                    key.activate_at_once(now)?
                }
            };
            tx = record(tx, change).await?.0;
        }
        tx.commit().await?;
        Ok(true)
    }
}

/// What a step makes a key for.
const fn made_by(step: &Step) -> Option<Algorithm> {
    match step {
        Step::Make { algorithm, .. } => Some(*algorithm),
        Step::Move(_) | Step::End(_) => None,
    }
}
