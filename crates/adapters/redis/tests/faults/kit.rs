//! A Redis of one's own that can be taken away, and a clock that is turned by hand.

use std::{
    future::Future,
    num::NonZeroU32,
    sync::{Arc, Mutex},
    time::Duration,
};

use kernel::{Clock, Secret, Timestamp};
use local::LocalRateLimiter;
use redis_cache::{FallbackLimiter, Options, RedisCache, RedisRateLimiter};
use tempfile::TempDir;
use tenancy::{Admission, Rate, RateKey, RateLimiter};

pub(crate) const KEY: RateKey =
    RateKey::Address(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));

/// Stands still until it is turned.
pub(crate) struct Hand(Mutex<Timestamp>);

impl Hand {
    pub(crate) fn turn(&self, by: Duration) {
        let mut now = self.0.lock().unwrap();
        *now = now.plus(by);
    }
}

impl Clock for Hand {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }
}

pub(crate) type Limiter = FallbackLimiter<RedisRateLimiter, LocalRateLimiter>;

pub(crate) struct House {
    pub(crate) server: servers::Redis,
    pub(crate) clock: Arc<Hand>,
    options: Options,
    _folder: TempDir,
}

impl House {
    /// One whose callers wait for long, so that a busy machine fails no test.
    pub(crate) fn new() -> Self {
        Self::with(Options { patience: Duration::from_secs(20), ..Options::default() })
    }

    pub(crate) fn with(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let start = Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap();
        Self {
            server: servers::Redis::start(folder.path()).unwrap(),
            clock: Arc::new(Hand(Mutex::new(start))),
            options,
            _folder: folder,
        }
    }

    pub(crate) async fn cache(&self) -> RedisCache {
        let url = Secret::from(self.server.url());
        let (clock, options) = (self.clock.clone(), self.options.clone());
        let (cache, courier) = RedisCache::connect(&url, clock, options).await.unwrap();
        #[expect(clippy::disallowed_methods, reason = "a test is its own composition root")]
        tokio::spawn(courier.run());
        cache
    }

    /// So many replicas that trust Redis.
    pub(crate) async fn replicas(&self, number: u32) -> Vec<Limiter> {
        let mut replicas = Vec::new();
        for _ in 0..number {
            let limiter = self.cache().await.limiter();
            let number = NonZeroU32::new(number).unwrap();
            replicas.push(FallbackLimiter::new(limiter, LocalRateLimiter::new(), number));
        }
        // Of a new Redis, nothing is believed for the first minute.
        // A busy machine may cost a call, and trust a minute more.
        for _ in 0..10 {
            for replica in &replicas {
                self.ask(replica, 1_000).await;
            }
            self.clock.turn(Duration::from_secs(120));
        }
        assert!(replicas.iter().all(Limiter::is_trusting));
        replicas
    }

    pub(crate) async fn ask(&self, limiter: &impl RateLimiter, limit: u64) -> Admission {
        limiter.admit(KEY, Rate { per_minute: limit }, self.clock.now()).await.unwrap()
    }

    /// How many of so many requests are admitted.
    pub(crate) async fn burst(&self, limiter: &Limiter, limit: u64, requests: u64) -> u64 {
        let mut admitted = 0;
        for _ in 0..requests {
            admitted += u64::from(self.ask(limiter, limit).await.admitted);
        }
        admitted
    }

    /// A connection past the adapter.
    pub(crate) async fn direct(&self) -> redis::aio::MultiplexedConnection {
        let client = redis::Client::open(self.server.url()).unwrap();
        client.get_multiplexed_async_connection().await.unwrap()
    }

    /// How many connections and commands the server has taken.
    pub(crate) async fn asked(&self) -> u64 {
        let told: String = self.command(&["INFO", "stats"]).await;
        let number = |name: &str| -> u64 {
            let value = told.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            value.trim().parse().unwrap()
        };
        number("total_connections_received:") + number("total_commands_processed:")
    }

    /// Has the server do this, past the adapter.
    pub(crate) async fn command<T: redis::FromRedisValue>(&self, words: &[&str]) -> T {
        let mut command = redis::Cmd::new();
        command.arg(words);
        command.query_async(&mut self.direct().await).await.unwrap()
    }
}

/// How long something took by the machine's own clock.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let clock = local::SystemClock::new();
    let begun = clock.now();
    let done = work.await;
    (done, clock.now().since(begun))
}
