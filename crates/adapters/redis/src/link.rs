//! The way to Redis: no call waits for long, and none for a Redis that has just failed.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use kernel::Clock;
use redis::{Cmd, ErrorKind, RedisError, ServerErrorKind, Value};
use tokio::time::timeout;

use crate::{breaker::Breaker, courier::Counter, failure::Failure};

/// How calls reach Redis. Each takes a bounded time, the waiting for its journey included; and after a
/// failure, calls fail at once for a while.
pub(crate) struct Link {
    counter: Counter,
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
    /// At most so long for a call.
    pub(crate) patience: Duration,
    /// So long does every call fail at once after one failed by the connection.
    pub(crate) cool_down: Duration,
}

impl Link {
    pub(crate) fn new(counter: Counter, clock: Arc<dyn Clock>, manners: Manners) -> Self {
        let Manners { patience, cool_down } = manners;
        Self { counter, breaker: Breaker::new(cool_down), clock, patience }
    }

    /// Asks, unless Redis failed moments ago.
    ///
    /// It never asks twice: what broke on the way may have been done.
    pub(crate) async fn call(&self, command: Cmd) -> Result<Value, Failure> {
        self.in_time(self.counter.ask(command)).await
    }

    /// Runs a script by its hash. Its text follows only to a server that does not know it.
    pub(crate) async fn run(
        &self,
        script: &Script,
        keys: [&str; 2],
        arguments: &[&str],
    ) -> Result<Value, Failure> {
        let run = async {
            match self.counter.ask(script.run(keys, arguments)).await {
                // It was not run, so that asking again asks once.
                Err(Failure::Refused(error)) if is_unknown_script(&error) => {}
                answer => return answer,
            }
            self.counter.ask(script.load()).await?;
            self.counter.ask(script.run(keys, arguments)).await
        };
        self.in_time(run).await
    }

    async fn in_time(
        &self,
        asked: impl Future<Output = Result<Value, Failure>>,
    ) -> Result<Value, Failure> {
        let pass = self.breaker.enter(self.clock.now()).ok_or(Failure::CoolingDown)?;
        let answer =
            timeout(self.patience, asked).await.unwrap_or(Err(Failure::TooSlow(self.patience)));
        match &answer {
            Err(failure) if failure.is_of_the_connection() => pass.failed(self.clock.now()),
            _ => pass.succeeded(),
        }
        answer
    }

    /// How long a call may take.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }
}

/// A script, and the hash that a server knows it by.
pub(crate) struct Script {
    code: &'static str,
    hash: String,
}

impl Script {
    pub(crate) fn new(code: &'static str) -> Self {
        Self { code, hash: redis::Script::new(code).get_hash().to_owned() }
    }

    fn run(&self, keys: [&str; 2], arguments: &[&str]) -> Cmd {
        let mut run = redis::cmd("EVALSHA");
        run.arg(&self.hash).arg(keys.len()).arg(&keys[..]).arg(arguments);
        run
    }

    fn load(&self) -> Cmd {
        let mut load = redis::cmd("SCRIPT");
        load.arg("LOAD").arg(self.code);
        load
    }
}

fn is_unknown_script(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::NoScript)
}
