//! Rotating the signing keys beside the requests, in every replica, and keeping those at hand up to
//! date.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kernel::OrganizationId;
use local::OpenError;
use tokens::{DamagedKey, Signer, SigningKeys};
use tokio::{
    select,
    sync::{Mutex, Notify},
    time::{MissedTickBehavior, interval},
};

use crate::{
    compose::{CLOCKS_APART, KeyKeeping, Provider, Store},
    runtime::Company,
};

/// How often it is looked whether anything is due.
const LOOK: Duration = Duration::from_secs(60);

/// The least time between two looks where no key signs.
const BREATH: Duration = Duration::from_secs(1);

/// The signing keys that a server signs and verifies with.
pub struct KeysAtHand<S> {
    provider: Arc<Provider<S>>,
    /// The organization from which they are read.
    platform: OrganizationId,
    /// Held from the reading until the keys are at hand, so that nobody puts older ones there; it
    /// holds what was told of keys that cannot be used.
    told: Mutex<Told>,
    /// Told where the keys were read and none of them signs.
    in_need: Notify,
}

/// What the log tells only when it changes.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
struct Told {
    unreadable: bool,
    none_signs: bool,
    left_out: BTreeSet<String>,
}

impl<S> std::fmt::Debug for KeysAtHand<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeysAtHand").field("platform", &self.platform).finish_non_exhaustive()
    }
}

impl<S: Store> KeysAtHand<S> {
    /// Those of this server.
    #[must_use]
    pub fn new(provider: Arc<Provider<S>>, platform: OrganizationId) -> Self {
        Self { provider, platform, told: Mutex::default(), in_need: Notify::new() }
    }

    /// Reads them anew, and tells whether that was done. Until it is, those at hand stay. Where none
    /// signs then, one is made to at once.
    pub async fn renew(&self) -> bool {
        let renewed = self.read().await;
        if self.provider.signer().active().is_none() {
            self.in_need.notify_one();
        }
        renewed
    }

    async fn read(&self) -> bool {
        let mut told = self.told.lock().await;
        let read = async {
            let mut view = self.provider.store().view(self.platform).await?;
            view.signing_keys().await
        };
        let kept = match read.await {
            Ok(kept) => kept,
            Err(error) => {
                let before = std::mem::replace(&mut told.unreadable, true);
                if !before {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the signing keys cannot be read anew yet");
                }
                return false;
            }
        };
        told.unreadable = false;
        let ring = self.provider.signer();
        let before = ring.active();
        let left_out = match ring.replace_beside(&kept.whole, &kept.damaged) {
            Ok(left_out) => left_out,
            Err(error) => {
                if !std::mem::replace(&mut told.none_signs, true) {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "the signing keys of another replica cannot be opened");
                }
                return false;
            }
        };
        let none_signs = ring.active().is_none();
        if none_signs && !told.none_signs {
            tracing::error!("no key signs: tokens are issued once one does");
        }
        told.none_signs = none_signs;
        let names = left_out.iter().map(|one| one.key.to_string());
        let names: BTreeSet<_> =
            names.chain(kept.damaged.iter().map(|one| one.id.clone())).collect();
        if names != told.left_out {
            tell_left_out(&kept.damaged, &left_out);
            told.left_out = names;
        }
        match ring.active() {
            Some((key, algorithm)) if before.as_ref().is_none_or(|(old, _)| *old != key) => {
                tracing::info!(%key, algorithm = algorithm.name(), "another key signs from now on");
            }
            Some(_) | None => {}
        }
        true
    }
}

/// Tells an operator of keys that cannot be used. Others sign.
pub fn tell_left_out(damaged: &[DamagedKey], left_out: &[OpenError]) {
    for error in damaged {
        let error = error as &dyn std::error::Error;
        tracing::error!(error, "a signing key is damaged and left out");
    }
    for error in left_out {
        let error = error as &dyn std::error::Error;
        tracing::error!(error, "a signing key cannot be opened and is left out");
    }
}

/// Rotates beside the requests.
pub fn accompany<S: Store>(
    company: &mut Company,
    keeping: KeyKeeping<S>,
    at_hand: Arc<KeysAtHand<S>>,
) {
    let keeping = Arc::new(keeping);
    company.accompany("rotating", move || rotate(keeping.clone(), at_hand.clone()));
}

/// Looks again and again, for ever, and at once where no key signs. The start has looked just before.
async fn rotate<S: Store>(keeping: Arc<KeyKeeping<S>>, at_hand: Arc<KeysAtHand<S>>) {
    let mut now_and_then = interval(LOOK);
    now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
    now_and_then.tick().await;
    let mut breath = interval(BREATH);
    breath.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut apart = false;
    loop {
        select! {
            _ = now_and_then.tick() => {}
            () = at_hand.in_need.notified() => drop(breath.tick().await),
        }
        match keeping.keep_up().await {
            Ok((_, now_apart)) => {
                if now_apart && !apart {
                    tracing::warn!("{CLOCKS_APART}");
                }
                apart = now_apart;
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "the signing keys cannot be rotated yet");
            }
        }
        // Also where nothing was due: keys that could not be opened may be by now.
        at_hand.renew().await;
    }
}
