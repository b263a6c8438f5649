//! The way to Redis: a few connections, and no call that waits for long.

use std::{fmt, sync::Arc, time::Duration};

use deadpool::managed::{self, Metrics, RecycleResult, TimeoutType};
use deadpool_redis::redis::{
    AsyncConnectionConfig, ConnectionInfo, RedisError, RedisFuture, Value,
    aio::MultiplexedConnection,
};
use kernel::Clock;

use crate::{breaker::Breaker, failure::Failure};

/// Makes connections, and hands out those that it has without asking them first.
///
/// A connection is asked by its next call anyway. Asking it before that would make each call two
/// journeys, and would promise nothing: it may break in between.
struct Unasked(deadpool_redis::Manager);

impl managed::Manager for Unasked {
    type Type = MultiplexedConnection;
    type Error = RedisError;

    async fn create(&self) -> Result<MultiplexedConnection, RedisError> {
        managed::Manager::create(&self.0).await
    }

    async fn recycle(
        &self,
        _: &mut MultiplexedConnection,
        _: &Metrics,
    ) -> RecycleResult<RedisError> {
        Ok(())
    }
}

/// Connections that are shared by all calls. Each call takes a bounded time, the waiting for a
/// connection included; and after a failure, calls fail at once for a while.
pub(crate) struct Link {
    pool: managed::Pool<Unasked>,
    breaker: Breaker,
    clock: Arc<dyn Clock>,
    patience: Duration,
}

impl fmt::Debug for Link {
    /// Nothing of where it leads, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

/// How a link behaves.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manners {
    /// At most so many connections.
    pub(crate) connections: usize,
    /// At most so long for a call.
    pub(crate) patience: Duration,
    /// So long does every call fail at once after one failed by the connection.
    pub(crate) cool_down: Duration,
}

impl Link {
    /// Connects nowhere yet.
    pub(crate) fn new(
        info: ConnectionInfo,
        clock: Arc<dyn Clock>,
        manners: Manners,
    ) -> Result<Self, Failure> {
        let config = config(manners.patience);
        let manager = deadpool_redis::Manager::new_with_config(info, config)?;
        let pool = managed::Pool::builder(Unasked(manager))
            .max_size(manners.connections.max(1))
            .build()
            // It errs for a time limit without a runtime alone, and there is none: the call's holds.
            .map_err(|_| Failure::Nonsense("no pool"))?;
        let (breaker, patience) = (Breaker::new(manners.cool_down), manners.patience);
        Ok(Self { pool, breaker, clock, patience })
    }

    /// Asks, unless Redis failed moments ago.
    ///
    /// It never asks twice: what broke on the way may have been done.
    pub(crate) async fn call<Q>(&self, question: Q) -> Result<Value, Failure>
    where
        Q: for<'a> FnOnce(&'a mut MultiplexedConnection) -> RedisFuture<'a, Value> + Send,
    {
        let pass = self.breaker.enter(self.clock.now()).ok_or(Failure::CoolingDown)?;
        let answer = self.ask(question).await;
        match &answer {
            Err(failure) if failure.is_of_the_connection() => {
                // What broke one connection has broken the others, and each would fail one call.
                self.pool.retain(|_, _| false);
                pass.failed(self.clock.now());
            }
            _ => pass.succeeded(),
        }
        answer
    }

    /// Asks, whatever happened before.
    pub(crate) async fn ask<Q>(&self, question: Q) -> Result<Value, Failure>
    where
        Q: for<'a> FnOnce(&'a mut MultiplexedConnection) -> RedisFuture<'a, Value> + Send,
    {
        let asked = async {
            let mut connection =
                self.pool.get().await.map_err(|error| self.no_connection(error))?;
            Ok(question(&mut connection).await?)
        };
        let in_time = tokio::time::timeout(self.patience, asked).await;
        match in_time {
            // Each step has the same limit, and may tell first.
            Ok(Err(Failure::Connection(error))) if error.is_timeout() => {
                Err(Failure::TooSlow(self.patience))
            }
            Ok(answer) => answer,
            Err(_) => Err(Failure::TooSlow(self.patience)),
        }
    }

    fn no_connection(&self, error: managed::PoolError<RedisError>) -> Failure {
        match error {
            managed::PoolError::Backend(error) => error.into(),
            managed::PoolError::Timeout(
                TimeoutType::Wait | TimeoutType::Create | TimeoutType::Recycle,
            ) => Failure::TooSlow(self.patience),
            managed::PoolError::Closed
            | managed::PoolError::NoRuntimeSpecified
            | managed::PoolError::PostCreateHook(_) => Failure::Nonsense("no pool"),
        }
    }

    /// How long a call may take.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }
}

/// A connection whose every step takes at most so long.
pub(crate) fn config(patience: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience))
}
