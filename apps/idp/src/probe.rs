//! Asks the stores whether they answer: what readiness and the health of services follow from.
//!
//! Anybody may ask for either, as often as they like, so that a service is asked once for all who
//! ask at a time, and what it said counts for a moment.
//!
//! A database of replicas has a clock of its own. Whatever ends is judged by the server's; the
//! database's says which replica keeps a log, and until when what ended is remembered. Both hold
//! while the two are no further apart than clocks may be: where they are, it is told.

use std::{
    iter,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join_all;
use http_api::{Readiness, ReadinessProbe, Service, ServiceHealth, ServicesProbe};
use kernel::{Clock, StoreError, Timestamp};
use postgres_store::PostgresStore;
use redis_cache::RedisCache;
use sqlite_store::SqliteStore;
use tokens::policy::CLOCK_SKEW;
use tokio::{sync::Mutex, time::timeout};

/// A service that has not answered after this is given up.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long an answer counts, and likewise that there was none.
const FRESH: Duration = Duration::from_millis(250);

/// Something that can be asked whether it answers.
#[async_trait]
pub trait Pinged: Send + Sync {
    /// Asks it to do next to nothing, outside of any transaction: the future may be dropped. It
    /// answers with the time by its own clock, where it has one.
    ///
    /// # Errors
    /// Where it does not answer, or not well. Nobody is told why.
    async fn ping(&self) -> Result<Option<Timestamp>, StoreError>;
}

#[async_trait]
impl Pinged for SqliteStore {
    async fn ping(&self) -> Result<Option<Timestamp>, StoreError> {
        self.probe().await.map(|()| None)
    }
}

#[async_trait]
impl Pinged for PostgresStore {
    async fn ping(&self) -> Result<Option<Timestamp>, StoreError> {
        self.probe().await.map(Some)
    }
}

#[async_trait]
impl Pinged for RedisCache {
    async fn ping(&self) -> Result<Option<Timestamp>, StoreError> {
        self.ping().await.map(|()| None).map_err(StoreError::unavailable)
    }
}

/// A service that is asked once for all who ask at a time.
struct Shared {
    service: Service,
    pinged: Arc<dyn Pinged>,
    last: Mutex<Option<Heard>>,
}

/// What was heard of a service, and when.
#[derive(Clone, Copy)]
struct Heard {
    at: Timestamp,
    health: ServiceHealth,
}

impl Shared {
    fn new(service: Service, pinged: Arc<dyn Pinged>) -> Self {
        Self { service, pinged, last: Mutex::new(None) }
    }

    /// How the service is: asked now, or heard by somebody else who asked at the same time or less
    /// than 250 ms ago. Whoever hangs up while asking leaves it to the next one who waits, and who
    /// waits no longer for that than one who asks alone.
    async fn health(&self, clock: &dyn Clock) -> ServiceHealth {
        let since = clock.now();
        let Ok(mut last) = timeout(PATIENCE, self.last.lock()).await else {
            return self.as_heard(since, clock.now(), None);
        };
        let now = clock.now();
        match *last {
            Some(heard) if heard.is_fresh(now) => heard.health,
            _ => {
                let patience = PATIENCE.saturating_sub(now.since(since));
                let answered = timeout(patience, self.pinged.ping()).await;
                let at = clock.now();
                let health = self.as_heard(now, at, answered.ok().and_then(Result::ok));
                tell_of_clocks(last.map(|heard| heard.health), health);
                *last = Some(Heard { at, health });
                health
            }
        }
    }

    /// How it is, by what it answered to a question that was asked between two instants. Nothing
    /// where it did not, and perhaps no time where it did.
    fn as_heard(
        &self,
        asked_at: Timestamp,
        heard_at: Timestamp,
        answer: Option<Option<Timestamp>>,
    ) -> ServiceHealth {
        ServiceHealth {
            service: self.service,
            latency: heard_at.since(asked_at),
            reachable: answer.is_some(),
            clocks_apart: answer.flatten().is_some_and(|told| are_apart(told, asked_at, heard_at)),
        }
    }
}

/// Whether a clock that told this to a question, asked between two instants of another, is further
/// from that one than clocks may be.
pub(crate) fn are_apart(told: Timestamp, asked_at: Timestamp, heard_at: Timestamp) -> bool {
    asked_at.since(told).max(told.since(heard_at)) > CLOCK_SKEW
}

/// Once when the clocks are found apart, and once when they are together again.
fn tell_of_clocks(before: Option<ServiceHealth>, after: ServiceHealth) {
    let were_apart = before.is_some_and(|before| before.clocks_apart);
    match (were_apart, after.clocks_apart) {
        (false, true) => tracing::warn!(
            "the clocks of this server and of the database are more than {} s apart: set both by NTP",
            CLOCK_SKEW.as_secs()
        ),
        (true, false) if after.reachable => {
            tracing::info!("the clocks of this server and of the database are together again");
        }
        (true, _) | (false, false) => {}
    }
}

impl Heard {
    fn is_fresh(self, now: Timestamp) -> bool {
        now.since(self.at) < FRESH
    }
}

/// What the process asks to know how it is.
pub struct Probe {
    draining: Arc<AtomicBool>,
    database: Shared,
    cache: Option<Shared>,
    clock: Arc<dyn Clock>,
}

impl Probe {
    /// - `draining`: set once the process is told to end, which counts at once.
    /// - `database`: the store of record, without which there is nothing to be ready for.
    /// - `cache`: what replicas share to be fast, where they do. The process is ready without it.
    /// - `clock`: the time, by which latencies are taken and answers grow old.
    pub fn new(
        draining: Arc<AtomicBool>,
        database: Arc<dyn Pinged>,
        cache: Option<Arc<dyn Pinged>>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let database = Shared::new(Service::Database, database);
        let cache = cache.map(|cache| Shared::new(Service::Cache, cache));
        Self { draining, database, cache, clock }
    }
}

#[async_trait]
impl ReadinessProbe for Probe {
    async fn readiness(&self) -> Readiness {
        if self.draining.load(Ordering::Acquire) {
            return Readiness::Draining;
        }
        match self.database.health(&*self.clock).await.reachable {
            true => Readiness::Ready,
            false => Readiness::Unreachable,
        }
    }
}

#[async_trait]
impl ServicesProbe for Probe {
    async fn services(&self) -> Vec<ServiceHealth> {
        // All at once: one that hangs must not use up the time of the others.
        let all = iter::once(&self.database).chain(&self.cache);
        join_all(all.map(|shared| shared.health(&*self.clock))).await
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe").field("draining", &self.draining).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{future, sync::Mutex, sync::atomic::AtomicU32};

    use futures_util::FutureExt as _;
    use tokio::sync::{Barrier, Semaphore};

    use super::*;

    /// How a service behaves.
    enum Fake {
        Answers,
        /// And tells the time by its own clock.
        Tells(Timestamp),
        Refuses,
        /// Never answers.
        Hangs,
        /// Answers once everybody has been asked who has it too.
        Together(Arc<Barrier>),
    }

    #[async_trait]
    impl Pinged for Fake {
        async fn ping(&self) -> Result<Option<Timestamp>, StoreError> {
            match self {
                Self::Answers => Ok(None),
                Self::Tells(at) => Ok(Some(*at)),
                Self::Refuses => Err(StoreError::unavailable("canary")),
                Self::Hangs => future::pending().await,
                Self::Together(all) => {
                    all.wait().await;
                    Ok(None)
                }
            }
        }
    }

    /// Moves by as much at each reading.
    struct Steps {
        at: Mutex<Timestamp>,
        back: bool,
    }

    impl Clock for Steps {
        fn now(&self) -> Timestamp {
            const STEP: Duration = Duration::from_millis(7);
            let mut at = self.at.lock().unwrap();
            *at = if self.back { at.minus(STEP) } else { at.plus(STEP) };
            *at
        }
    }

    /// Moves when it is told to.
    #[derive(Clone)]
    struct Hand(Arc<Mutex<Timestamp>>);

    impl Hand {
        fn turn(&self, by: Duration) {
            let mut at = self.0.lock().unwrap();
            *at = at.plus(by);
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    /// Counts how often it is asked, and answers whoever it is told to: with what it is told.
    struct Counted {
        asked: AtomicU32,
        answers: Semaphore,
        well: AtomicBool,
    }

    #[async_trait]
    impl Pinged for Counted {
        async fn ping(&self) -> Result<Option<Timestamp>, StoreError> {
            self.asked.fetch_add(1, Ordering::Relaxed);
            self.answers.acquire().await.unwrap().forget();
            match self.well.load(Ordering::Relaxed) {
                true => Ok(None),
                false => Err(StoreError::unavailable("canary")),
            }
        }
    }

    impl Counted {
        fn asked(&self) -> u32 {
            self.asked.load(Ordering::Relaxed)
        }
    }

    fn counted(answers: usize) -> (Arc<Counted>, Hand, Probe) {
        let (asked, well) = (AtomicU32::new(0), AtomicBool::new(true));
        let counted = Arc::new(Counted { asked, answers: Semaphore::new(answers), well });
        let hand = Hand(Arc::new(Mutex::new(begin())));
        let draining = Arc::new(AtomicBool::new(false));
        let probe = Probe::new(draining, counted.clone(), None, Arc::new(hand.clone()));
        (counted, hand, probe)
    }

    fn begin() -> Timestamp {
        Timestamp::from_unix_micros(1_795_248_000_000_000).unwrap()
    }

    fn probe(database: Fake, cache: Option<Fake>) -> Probe {
        let cache = cache.map(|cache| Arc::new(cache) as Arc<dyn Pinged>);
        let clock = Steps { at: Mutex::new(begin()), back: false };
        let draining = Arc::new(AtomicBool::new(false));
        Probe::new(draining, Arc::new(database), cache, Arc::new(clock))
    }

    fn reachable(services: &[ServiceHealth]) -> Vec<(Service, bool)> {
        services.iter().map(|health| (health.service, health.reachable)).collect()
    }

    #[tokio::test]
    async fn a_service_that_is_not_configured_is_not_asked() {
        let services = probe(Fake::Answers, None).services().await;
        let latency = Duration::from_millis(7);
        let (service, reachable) = (Service::Database, true);
        let database = ServiceHealth { service, latency, reachable, clocks_apart: false };
        assert_eq!(services, [database]);
    }

    #[tokio::test]
    async fn a_service_that_refuses_is_unreachable_and_the_other_is_not() {
        let services = probe(Fake::Refuses, Some(Fake::Answers)).services().await;
        assert_eq!(reachable(&services), [(Service::Database, false), (Service::Cache, true)]);
        let services = probe(Fake::Answers, Some(Fake::Refuses)).services().await;
        assert_eq!(reachable(&services), [(Service::Database, true), (Service::Cache, false)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_service_that_hangs_is_given_up_after_two_seconds() {
        let probe = probe(Fake::Hangs, Some(Fake::Hangs));
        // Paused, time goes straight to the timer that is due next: the shorter one ends this.
        let bound = Duration::from_millis(2_001);
        let services = timeout(bound, probe.services()).await.unwrap();
        assert_eq!(reachable(&services), [(Service::Database, false), (Service::Cache, false)]);
        let readiness = timeout(bound, probe.readiness()).await.unwrap();
        assert_eq!(readiness, Readiness::Unreachable);
    }

    #[tokio::test(start_paused = true)]
    async fn services_are_asked_at_the_same_time() {
        let all = Arc::new(Barrier::new(2));
        let probe = probe(Fake::Together(all.clone()), Some(Fake::Together(all)));
        let services = probe.services().await;
        assert_eq!(reachable(&services), [(Service::Database, true), (Service::Cache, true)]);
    }

    #[tokio::test]
    async fn a_clock_that_is_set_back_makes_no_latency_of_it() {
        let mut probe = probe(Fake::Answers, None);
        let at = Mutex::new(probe.clock.now());
        probe.clock = Arc::new(Steps { at, back: true });
        let [database] = probe.services().await[..] else { panic!("one service") };
        assert_eq!((database.latency, database.reachable), (Duration::ZERO, true));
    }

    #[tokio::test]
    async fn ck_04_clocks_may_be_ten_seconds_apart_beside_what_the_question_took_and_no_more() {
        // The clock here moves by 7 ms between the question and its answer.
        let (asked, heard) = (begin().plus(Duration::from_millis(14)), Duration::from_millis(21));
        let heard = begin().plus(heard);
        let tick = Duration::from_micros(1);
        for (told, apart) in [
            (asked.minus(CLOCK_SKEW), false),
            (asked.minus(CLOCK_SKEW + tick), true),
            (heard.plus(CLOCK_SKEW), false),
            (heard.plus(CLOCK_SKEW + tick), true),
        ] {
            let probe = probe(Fake::Tells(told), Some(Fake::Answers));
            let [database, cache] = probe.services().await[..] else { panic!("two services") };
            assert_eq!((database.clocks_apart, cache.clocks_apart), (apart, false), "{told}");
            // One of the two is wrong, and nobody knows which: that is no reason to serve nobody.
            assert_eq!(probe.readiness().await, Readiness::Ready);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_process_is_ready_without_its_cache_and_not_without_its_database() {
        for (database, cache, readiness) in [
            (Fake::Answers, None, Readiness::Ready),
            (Fake::Answers, Some(Fake::Refuses), Readiness::Ready),
            (Fake::Answers, Some(Fake::Hangs), Readiness::Ready),
            (Fake::Refuses, Some(Fake::Answers), Readiness::Unreachable),
        ] {
            assert_eq!(probe(database, cache).readiness().await, readiness);
        }
    }

    #[tokio::test]
    async fn cs_01_a_process_that_was_told_to_end_is_not_ready_and_still_tells_how_it_is() {
        let probe = probe(Fake::Answers, None);
        assert_eq!(probe.readiness().await, Readiness::Ready);
        // At once, though that it was ready still counts.
        probe.draining.store(true, Ordering::Release);
        assert_eq!(probe.readiness().await, Readiness::Draining);
        assert_eq!(reachable(&probe.services().await), [(Service::Database, true)]);
    }

    #[tokio::test(start_paused = true)]
    async fn ds_10_all_who_ask_at_a_time_share_one_answer() {
        let (counted, _, probe) = counted(0);
        let answer = async {
            tokio::task::yield_now().await;
            assert_eq!(counted.asked(), 1);
            counted.answers.add_permits(1_000);
        };
        let ready = join_all((0..100).map(|_| probe.readiness()));
        let services = join_all((0..100).map(|_| probe.services()));
        let (ready, services, ()) = tokio::join!(ready, services, answer);
        assert_eq!(ready, [Readiness::Ready; 100]);
        assert!(services.iter().all(|it| reachable(it) == [(Service::Database, true)]));
        assert_eq!(counted.asked(), 1);
    }

    #[tokio::test]
    async fn an_answer_counts_for_a_quarter_of_a_second_whether_good_or_bad() {
        let (counted, hand, probe) = counted(1_000);
        for (well, round) in [(true, 1), (false, 2), (true, 3), (true, 4)] {
            counted.well.store(well, Ordering::Relaxed);
            let expected = if well { Readiness::Ready } else { Readiness::Unreachable };
            assert_eq!(probe.readiness().await, expected);
            hand.turn(Duration::from_millis(249));
            counted.well.store(!well, Ordering::Relaxed);
            assert_eq!(probe.readiness().await, expected);
            assert_eq!(counted.asked(), round);
            hand.turn(Duration::from_millis(1));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_hangs_up_while_asking_leaves_it_to_those_who_wait() {
        let (counted, _, probe) = counted(0);
        let mut hangs_up = probe.readiness();
        assert_eq!((&mut hangs_up).now_or_never(), None);
        let mut waits = probe.readiness();
        assert_eq!((&mut waits).now_or_never(), None);
        assert_eq!(counted.asked(), 1);
        drop(hangs_up);
        counted.answers.add_permits(1);
        assert_eq!(waits.await, Readiness::Ready);
        assert_eq!(counted.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_for_one_who_hangs_is_given_up_after_two_seconds_too() {
        let (counted, _, probe) = counted(0);
        let bound = Duration::from_millis(2_001);
        let all = join_all((0..100).map(|_| probe.readiness()));
        let all = timeout(bound, all).await.unwrap();
        assert_eq!(all, [Readiness::Unreachable; 100]);
        assert_eq!(counted.asked(), 1);
    }
}
