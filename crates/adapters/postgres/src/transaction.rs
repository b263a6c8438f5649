//! An open transaction on a connection of the pool, and what becomes of the connection.

use deadpool::managed::Object;
use kernel::StoreError;
use sqlx::{AssertSqlSafe, Executor};

use crate::{
    deadline::Deadline,
    error::{is_outdated, is_survived, store_error},
    pool::{self, Lease, Pool},
    session::{self, Done, Statement},
};

const COMMIT: &str = "COMMIT";

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// A statement is under way, or was given up midway.
    Unknown,
    /// The connection broke.
    Lost,
    /// Between two statements.
    Open,
    /// A statement failed or must not be committed: all that is left is to roll back.
    Failed,
}

/// A transaction. Everything in it must be done by its deadline.
pub(crate) struct Transaction {
    lease: Option<Lease>,
    state: State,
    deadline: Deadline,
    pool: Pool,
}

impl Transaction {
    /// Takes a connection and begins, by one text that holds `BEGIN` and what must come first.
    pub(crate) async fn begin(
        pool: &Pool,
        text: String,
        deadline: Deadline,
    ) -> Result<Self, StoreError> {
        loop {
            let mut begun = Self::on(pool, deadline).await?;
            let text = AssertSqlSafe(text.clone());
            let done = begun.step(async |lease| lease.execute(text).await.map(|_| ())).await;
            if done.is_ok() || !begun.died_in_the_pool() {
                return done.map(|()| begun);
            }
        }
    }

    /// Runs one statement that only reads, which the database takes for a transaction of its own.
    pub(crate) async fn alone(
        pool: &Pool,
        statement: impl Fn() -> Statement,
        deadline: Deadline,
    ) -> Result<Done, StoreError> {
        loop {
            let mut alone = Self::on(pool, deadline).await?;
            let done = alone.step(async |lease| session::run(lease, statement()).await).await;
            if done.is_ok() {
                drop(alone.lease.take());
            }
            if done.is_ok() || !alone.died_in_the_pool() {
                return done;
            }
        }
    }

    /// Whether the connection broke at its first use since it lay in the pool: the server was
    /// restarted, say, and nothing was done on it. Whoever has done nothing else may take another,
    /// and as many as lie there can have died together. One that did not answer in time is none of
    /// those: whatever keeps it would keep the next one too.
    fn died_in_the_pool(&self) -> bool {
        let used_before = self.lease.as_ref().map(Object::metrics);
        let lay_idle = used_before.is_some_and(|metrics| metrics.recycle_count > 0);
        lay_idle && self.state == State::Lost
    }

    async fn on(pool: &Pool, deadline: Deadline) -> Result<Self, StoreError> {
        let lease = deadline.within(pool.lease()).await??;
        Ok(Self { lease: Some(lease), state: State::Unknown, deadline, pool: pool.clone() })
    }

    /// Runs a statement.
    pub(crate) async fn run(&mut self, statement: Statement) -> Result<Done, StoreError> {
        self.may_commit()?;
        self.step(async |lease| session::run(lease, statement).await).await
    }

    /// Refuses where the transaction cannot be committed any more.
    pub(crate) fn may_commit(&self) -> Result<(), StoreError> {
        if self.state == State::Open { Ok(()) } else { Err(ended()) }
    }

    /// Whatever comes, it is not to be committed.
    pub(crate) fn forbid(&mut self) {
        if self.state == State::Open {
            self.state = State::Failed;
        }
    }

    /// Commits, and gives the connection back.
    pub(crate) async fn commit(&mut self) -> Result<(), StoreError> {
        self.step(async |lease| lease.execute(COMMIT).await.map(|_| ())).await?;
        drop(self.lease.take());
        Ok(())
    }

    /// Does something with the connection. Until it is done nobody knows where the transaction
    /// stands; an answer of the database, a refusal too, tells it again.
    async fn step<T>(
        &mut self,
        work: impl AsyncFnOnce(&mut Lease) -> Result<T, sqlx::Error>,
    ) -> Result<T, StoreError> {
        let Some(lease) = &mut self.lease else { return Err(ended()) };
        self.state = State::Unknown;
        let done = self.deadline.within(work(lease)).await?;
        if done.as_ref().is_err_and(is_outdated) {
            self.pool.renew();
        }
        self.state = match &done {
            Ok(_) => State::Open,
            Err(error) if is_survived(error) => State::Failed,
            Err(_) => State::Lost,
        };
        done.map_err(store_error)
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        match (self.lease.take(), self.state) {
            (None, _) => {}
            (Some(lease), State::Unknown | State::Lost) => pool::close(lease),
            (Some(lease), State::Open | State::Failed) => self.pool.abandon(lease),
        }
    }
}

fn ended() -> StoreError {
    StoreError::unavailable("the transaction has ended")
}
