//! One Redis, and what it is used for.

use std::{fmt, sync::Arc, time::Duration};

use kernel::{Clock, Entropy, Secret};
use redis::{
    ConnectionInfo, FromRedisValue, Value,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};

use crate::{
    connect_error::{self, ConnectError},
    courier::{Counter, Courier},
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
    /// At most so long does a call take, the waiting for its journey included.
    pub patience: Duration,
    /// So long does every call fail at once after one that got no answer; then one at a time tries.
    pub cool_down: Duration,
}

impl Default for Options {
    /// `idp`, 500 ms for a call, and 500 ms after a failure.
    fn default() -> Self {
        let half = Duration::from_millis(500);
        Self { prefix: Prefix::default(), patience: half, cool_down: half }
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
    /// Connects, and sees that it is answered. All calls share one connection, on which the courier
    /// goes back and forth; each listener to hints has one of its own.
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
    ) -> Result<(Self, Courier), ConnectError> {
        let info = connect_error::read(url)?.set_tcp_settings(lively());
        let Options { prefix, patience, cool_down } = options;
        match first(info.clone(), patience).await {
            Ok((counter, courier)) => {
                let link = Link::new(counter, clock, Manners { patience, cool_down });
                Ok((Self { link: Arc::new(link), info, prefix }, courier))
            }
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
        is_pong(&self.link.call(redis::cmd("PING")).await?)
    }

    /// What it throws away when its memory is full.
    ///
    /// # Errors
    /// [`Failure`]; among others, where this user may ask neither for it nor for its configuration.
    pub async fn eviction(&self) -> Result<Eviction, Failure> {
        let mut ask = redis::cmd("INFO");
        ask.arg("memory");
        let told = match self.link.call(ask).await {
            // A user may be forbidden to ask.
            Err(Failure::Refused(_)) => None,
            told => String::from_redis_value(told?).ok(),
        };
        if let Some(eviction) = told.as_deref().and_then(Eviction::in_info) {
            return Ok(eviction);
        }
        let mut ask = redis::cmd("CONFIG");
        ask.arg("GET").arg("maxmemory-policy");
        let told = self.link.call(ask).await?;
        let pairs = <Vec<(String, String)>>::from_redis_value(told)
            .map_err(|_| Failure::Nonsense("no configuration"))?;
        let policy = pairs.first().map(|(_, policy)| Eviction::named(policy));
        policy.ok_or(Failure::Nonsense("no policy for a full memory"))
    }
}

/// A courier that has been there and back.
async fn first(info: ConnectionInfo, patience: Duration) -> Result<(Counter, Courier), Failure> {
    let (counter, mut courier) = Courier::new(info, patience)?;
    is_pong(&courier.ask_first(redis::cmd("PING")).await?)?;
    Ok((counter, courier))
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
