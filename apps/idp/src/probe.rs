//! Asks the stores whether they answer: what readiness and the health of services follow from.

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
use kernel::{Clock, StoreError};
use postgres_store::PostgresStore;
use redis_cache::RedisCache;
use sqlite_store::SqliteStore;

/// A service that has not answered after this is given up.
const PATIENCE: Duration = Duration::from_secs(2);

/// Something that can be asked whether it answers.
#[async_trait]
pub trait Pinged: Send + Sync {
    /// Asks it to do next to nothing, outside of any transaction: the future may be dropped.
    ///
    /// # Errors
    /// Where it does not answer, or not well. Nobody is told why.
    async fn ping(&self) -> Result<(), StoreError>;
}

#[async_trait]
impl Pinged for SqliteStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.probe().await
    }
}

#[async_trait]
impl Pinged for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.probe().await
    }
}

#[async_trait]
impl Pinged for RedisCache {
    async fn ping(&self) -> Result<(), StoreError> {
        self.ping().await.map_err(StoreError::unavailable)
    }
}

/// What the process asks to know how it is.
pub struct Probe {
    /// Set once the process is told to end.
    pub draining: Arc<AtomicBool>,
    /// The store of record, without which there is nothing to be ready for.
    pub database: Arc<dyn Pinged>,
    /// What replicas share to be fast, where they do. The process is ready without it.
    pub cache: Option<Arc<dyn Pinged>>,
    /// The time, by which latencies are taken.
    pub clock: Arc<dyn Clock>,
}

impl Probe {
    async fn health(&self, service: Service, pinged: &dyn Pinged) -> ServiceHealth {
        let asked_at = self.clock.now();
        let reachable = answers(pinged).await;
        ServiceHealth { service, latency: self.clock.now().since(asked_at), reachable }
    }
}

async fn answers(pinged: &dyn Pinged) -> bool {
    matches!(tokio::time::timeout(PATIENCE, pinged.ping()).await, Ok(Ok(())))
}

#[async_trait]
impl ReadinessProbe for Probe {
    async fn readiness(&self) -> Readiness {
        if self.draining.load(Ordering::Acquire) {
            return Readiness::Draining;
        }
        match answers(&*self.database).await {
            true => Readiness::Ready,
            false => Readiness::Unreachable,
        }
    }
}

#[async_trait]
impl ServicesProbe for Probe {
    async fn services(&self) -> Vec<ServiceHealth> {
        let database = iter::once((Service::Database, &self.database));
        let cache = self.cache.iter().map(|cache| (Service::Cache, cache));
        // All at once: one that hangs must not use up the time of the others.
        join_all(database.chain(cache).map(|(service, pinged)| self.health(service, &**pinged)))
            .await
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Probe").field("draining", &self.draining).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{future, sync::Mutex};

    use kernel::Timestamp;
    use tokio::sync::Barrier;

    use super::*;

    /// How a service behaves.
    enum Fake {
        Answers,
        Refuses,
        /// Never answers.
        Hangs,
        /// Answers once everybody has been asked who has it too.
        Together(Arc<Barrier>),
    }

    #[async_trait]
    impl Pinged for Fake {
        async fn ping(&self) -> Result<(), StoreError> {
            match self {
                Self::Answers => Ok(()),
                Self::Refuses => Err(StoreError::unavailable("canary")),
                Self::Hangs => future::pending().await,
                Self::Together(all) => {
                    all.wait().await;
                    Ok(())
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

    fn probe(database: Fake, cache: Option<Fake>) -> Probe {
        let at = Mutex::new(Timestamp::from_unix_micros(1_795_248_000_000_000).unwrap());
        Probe {
            draining: Arc::new(AtomicBool::new(false)),
            database: Arc::new(database),
            cache: cache.map(|cache| Arc::new(cache) as Arc<dyn Pinged>),
            clock: Arc::new(Steps { at, back: false }),
        }
    }

    fn reachable(services: &[ServiceHealth]) -> Vec<(Service, bool)> {
        services.iter().map(|health| (health.service, health.reachable)).collect()
    }

    #[tokio::test]
    async fn a_service_that_is_not_configured_is_not_asked() {
        let services = probe(Fake::Answers, None).services().await;
        let latency = Duration::from_millis(7);
        let database = ServiceHealth { service: Service::Database, latency, reachable: true };
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
        let services = tokio::time::timeout(bound, probe.services()).await.unwrap();
        assert_eq!(reachable(&services), [(Service::Database, false), (Service::Cache, false)]);
        let readiness = tokio::time::timeout(bound, probe.readiness()).await.unwrap();
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
        probe.draining.store(true, Ordering::Release);
        assert_eq!(probe.readiness().await, Readiness::Draining);
        assert_eq!(reachable(&probe.services().await), [(Service::Database, true)]);
    }
}
