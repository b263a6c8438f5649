//! One Redis, and what it is used for.

use std::{fmt, sync::Arc, time::Duration};

use deadpool_redis::redis::{
    self, ConnectionInfo, FromRedisValue, Value,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use kernel::{Clock, Entropy, Secret};

use crate::{
    connect_error::{self, ConnectError},
    eviction::Eviction,
    failure::Failure,
    hints::RedisHints,
    limiter::RedisRateLimiter,
    link::{Link, Manners},
    prefix::Prefix,
    proof_uses::RedisProofUses,
};

/// How Redis is used.
#[derive(Debug, Clone)]
pub struct Options {
    /// What every key and channel begins with.
    pub prefix: Prefix,
    /// At most so many connections, besides one for each listener to hints; at least one.
    pub connections: usize,
    /// At most so long does a call take, the waiting for a connection included.
    pub patience: Duration,
    /// So long does every call fail at once after one that got no answer; then one at a time tries.
    pub cool_down: Duration,
}

impl Default for Options {
    /// `idp`, 16 connections, 500 ms for a call, and 500 ms after a failure.
    fn default() -> Self {
        let half = Duration::from_millis(500);
        Self { prefix: Prefix::default(), connections: 16, patience: half, cool_down: half }
    }
}

/// One Redis server. It is never the record of truth: to lose all of it costs speed.
///
/// Not a cluster: a limit is counted beside a key that is the same for all.
#[derive(Clone)]
pub struct RedisCache {
    link: Arc<Link>,
    info: ConnectionInfo,
    prefix: Prefix,
}

impl fmt::Debug for RedisCache {
    /// Nothing of the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisCache").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl RedisCache {
    /// Connects, and sees that it is answered.
    ///
    /// The clock measures the pause after a failure, and nothing else. For `rediss://` the process
    /// must have installed a cryptography provider of `rustls`; certificates are trusted that the
    /// machine trusts, or that `SSL_CERT_FILE` names.
    ///
    /// # Errors
    /// [`ConnectError`], which says what to do, and never holds a part of the URL.
    pub async fn connect(
        url: &Secret,
        clock: Arc<dyn Clock>,
        options: Options,
    ) -> Result<Self, ConnectError> {
        let info = connect_error::read(url)?.set_tcp_settings(lively());
        let Options { prefix, connections, patience, cool_down } = options;
        let manners = Manners { connections, patience, cool_down };
        let first = match Link::new(info.clone(), clock, manners) {
            Ok(link) => link.ask(ping).await.and_then(|pong| is_pong(&pong)).map(|()| link),
            Err(failure) => Err(failure),
        };
        match first {
            Ok(link) => Ok(Self { link: Arc::new(link), info, prefix }),
            Err(failure) => Err(connect_error::explain(failure, info.addr(), patience).await),
        }
    }

    /// Limits that all replicas on this server share. It errs while Redis is away: give it to a
    /// [`FallbackLimiter`](crate::FallbackLimiter).
    #[must_use]
    pub fn limiter(&self) -> RedisRateLimiter {
        RedisRateLimiter::new(Arc::clone(&self.link), self.prefix.clone())
    }

    /// Proofs that all replicas on this server let pass once. It errs while Redis is away: give it to a
    /// [`FallbackProofUses`](crate::FallbackProofUses). Randomness is for epochs.
    #[must_use]
    pub fn proof_uses(&self, entropy: Arc<dyn Entropy>) -> RedisProofUses {
        RedisProofUses::new(Arc::clone(&self.link), self.prefix.clone(), entropy)
    }

    /// Hints to all replicas on this server.
    #[must_use]
    pub fn hints(&self) -> RedisHints {
        RedisHints::new(Arc::clone(&self.link), self.info.clone(), &self.prefix)
    }

    /// Asks whether it answers, unless it failed moments ago.
    ///
    /// # Errors
    /// [`Failure`]
    pub async fn ping(&self) -> Result<(), Failure> {
        is_pong(&self.link.call(ping).await?)
    }

    /// What it throws away when its memory is full.
    ///
    /// # Errors
    /// [`Failure`]; among others, where this user may ask neither for it nor for its configuration.
    pub async fn eviction(&self) -> Result<Eviction, Failure> {
        let told = self.link.call(|connection| {
            Box::pin(async { redis::cmd("INFO").arg("memory").query_async(connection).await })
        });
        let told = match told.await {
            // A user may be forbidden to ask.
            Err(Failure::Refused(_)) => None,
            told => String::from_redis_value(told?).ok(),
        };
        if let Some(eviction) = told.as_deref().and_then(Eviction::in_info) {
            return Ok(eviction);
        }
        let told = self.link.call(|connection| {
            let mut ask = redis::cmd("CONFIG");
            ask.arg("GET").arg("maxmemory-policy");
            Box::pin(async move { ask.query_async(connection).await })
        });
        let pairs = <Vec<(String, String)>>::from_redis_value(told.await?)
            .map_err(|_| Failure::Nonsense("no configuration"))?;
        let policy = pairs.first().map(|(_, policy)| Eviction::named(policy));
        policy.ok_or(Failure::Nonsense("no policy for a full memory"))
    }
}

fn ping(connection: &mut redis::aio::MultiplexedConnection) -> redis::RedisFuture<'_, Value> {
    Box::pin(async { redis::cmd("PING").query_async(connection).await })
}

fn is_pong(value: &Value) -> Result<(), Failure> {
    let is_pong = matches!(value, Value::SimpleString(text) if text == "PONG");
    is_pong.then_some(()).ok_or(Failure::Nonsense("no pong"))
}

/// A listener never writes: without these probes it would not notice that a network took its
/// connection away in silence.
fn lively() -> TcpSettings {
    let every = Duration::from_secs(5);
    let probes = TcpKeepalive::new().with_time(every).with_interval(every).with_retries(3);
    TcpSettings::default().set_nodelay(true).set_keepalive(probes)
}
