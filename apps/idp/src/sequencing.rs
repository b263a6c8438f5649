//! Keeping the logs beside the requests: the sequencer's rounds, and what is erased now and then.

use std::{future::Future, sync::Arc, time::Duration};

use kernel::{Clock, OrganizationId, StoreError};
use outlets::CheckpointFile;
use tokio::time::{MissedTickBehavior, interval, timeout};
use usecases::log::{LogObserver, RetentionRules, Round, Sequencer, retain};

use crate::{
    compose::{LogKeeping, Store},
    runtime::Company,
};

/// How long the sequencer rests where nothing more waits. With the time of a round it is far less
/// than the second within which a checkpoint is promised.
const REST: Duration = Duration::from_millis(150);

/// How often it is looked what is over.
const RETENTION: Duration = Duration::from_secs(3_600);

/// How often the file of checkpoints is looked at for what an operator's command wrote to it.
const REREAD: Duration = Duration::from_secs(2);

/// How often, and how many times, a log is held again that another sequencer kept at the start: for
/// longer than one that was killed has its lease.
const HOLD_AGAIN: Duration = Duration::from_secs(1);
const HOLDS: u32 = 10;

/// The least time between two looks at the end.
const BETWEEN_LAST_LOOKS: Duration = Duration::from_millis(20);

/// How long the last round may take: a store that is away must not hold the end up.
const AT_THE_END: Duration = Duration::from_secs(1);

/// Keeps the logs beside the requests.
pub fn accompany<S: Store>(
    company: &mut Company,
    keeping: &LogKeeping<S>,
    (store, clock): (S, Arc<dyn Clock>),
    (rules, observer): (RetentionRules, Arc<dyn LogObserver>),
) {
    let (sequencer, delivering) = (keeping.sequencer.clone(), keeping.sequencer.clone());
    let consulting = keeping.sequencer.clone();
    company.accompany("sequencing", move || sequence(sequencer.clone()));
    company.accompany("delivering", move || deliver(delivering.clone()));
    company.accompany("consulting", move || consult(consulting.clone()));
    company.accompany("erasing", move || {
        erase(store.clone(), (rules, observer.clone()), clock.clone())
    });
    if let Some(file) = keeping.file.clone() {
        company.accompany("rereading", move || reread(file.clone()));
    }
}

/// Sequences what is left, once no more requests come.
pub async fn finish<S: Store>(keeping: LogKeeping<S>) {
    let rounds = async {
        let (mut looks, mut idle) = (interval(BETWEEN_LAST_LOOKS), 0);
        // Twice in a row: once it may be that the work beside the requests was in a turn just then.
        while idle < 2 {
            looks.tick().await;
            match keeping.sequencer.finish().await {
                Ok(Round::Done | Round::More) => idle = 0,
                Ok(Round::Idle) => idle += 1,
                Err(_) => return,
            }
        }
    };
    if timeout(AT_THE_END, rounds).await.is_err() {
        tracing::warn!("not everything was sequenced; the next start goes on with it");
    }
}

/// Sequences for ever.
pub async fn sequence<S: Store>(sequencer: Arc<Sequencer<S>>) {
    let mut outage = Outage::default();
    let mut rests = interval(REST);
    rests.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // Before anything is added to a log that an older state was put back for.
    let kept = loop {
        match outage.tell(sequencer.hold_all().await) {
            Some(kept) => break kept,
            None => rests.tick().await,
        };
    };
    tokio::join!(again_and_again(|| sequencer.round(), outage), hold_later(&sequencer, kept));
}

/// Holds what somebody else kept at the start, as soon as it is let go. Whoever keeps it for longer
/// lives, and holds it against what it knows itself.
async fn hold_later<S: Store>(sequencer: &Sequencer<S>, mut kept: Vec<OrganizationId>) {
    let mut now_and_then = interval(HOLD_AGAIN);
    now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for _ in 0..HOLDS {
        if kept.is_empty() {
            return;
        }
        now_and_then.tick().await;
        // A store that is away is told of by the rounds.
        if let Ok(still_kept) = sequencer.hold_those(&kept).await {
            kept = still_kept;
        }
    }
}

/// Sends out what is to leave, for ever.
async fn deliver<S: Store>(sequencer: Arc<Sequencer<S>>) {
    again_and_again(|| sequencer.deliver(), Outage::default()).await;
}

/// Asks the witness, for ever.
async fn consult<S: Store>(sequencer: Arc<Sequencer<S>>) {
    again_and_again(|| sequencer.consult(), Outage::default()).await;
}

/// Does it at once where there is more to do, and else after a rest.
async fn again_and_again<F>(work: impl Fn() -> F, mut outage: Outage)
where
    F: Future<Output = Result<Round, StoreError>>,
{
    let mut rests = interval(REST);
    rests.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        match outage.tell(work().await) {
            Some(Round::More) => tokio::task::yield_now().await,
            Some(Round::Idle | Round::Done) | None => {
                rests.reset();
                rests.tick().await;
            }
        }
    }
}

/// Learns what an operator acknowledged, for ever.
async fn reread(file: Arc<CheckpointFile>) {
    let mut now_and_then = interval(REREAD);
    now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        now_and_then.tick().await;
        if let Err(error) = file.reread().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "the file of checkpoints cannot be read");
        }
    }
}

/// Erases what is over, every now and then, for ever.
async fn erase<S: Store>(
    store: S,
    (rules, observer): (RetentionRules, Arc<dyn LogObserver>),
    clock: Arc<dyn Clock>,
) {
    let mut now_and_then = interval(RETENTION);
    now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        now_and_then.tick().await;
        match retain(&store, &rules, &*clock, &*observer).await {
            Ok(0) => {}
            Ok(logs) => {
                tracing::warn!(
                    logs,
                    "in some logs what is over was not erased; it will be tried in an hour"
                );
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "what is over was not erased; it will be tried in an hour");
            }
        }
    }
}

/// Whether the store was away at the last try, so that an outage is told of once.
#[derive(Debug, Default)]
struct Outage(bool);

impl Outage {
    fn tell<T>(&mut self, tried: Result<T, StoreError>) -> Option<T> {
        match tried {
            Ok(value) => {
                self.0 = false;
                Some(value)
            }
            Err(error) => {
                if !self.0 {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "the logs cannot be sequenced");
                }
                self.0 = true;
                None
            }
        }
    }
}
