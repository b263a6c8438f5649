//! A transaction that the writer holds for somebody: what is written in it, and whether it may be
//! committed. It says nothing of on whose behalf; whoever writes events in it knows that.

use std::{fmt, future::Future};

use kernel::{OrganizationId, StoreError};
use tokio::sync::{mpsc, oneshot};

use crate::{
    error::store_error,
    session::{Done, Mode, Statement, Told},
    writer::Command,
};

/// How a session writes.
pub(crate) trait Writes: Mode {
    /// Whatever comes, this is not to be committed: nobody knows what is in it, or it was computed from
    /// what is not so.
    fn forbid(&mut self);

    /// What a change was computed from is not so.
    fn conflict(&mut self) -> StoreError {
        self.forbid();
        StoreError::Conflict
    }

    /// Refuses a record of another organization than the session's.
    fn owns(&mut self, organization: OrganizationId) -> Result<(), StoreError> {
        if organization == self.owner() { Ok(()) } else { Err(self.conflict()) }
    }

    /// Runs a statement that may change any number of rows.
    fn change(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        async { self.run(statement).await.map(|_| ()) }
    }

    /// Runs a statement that must change exactly one row. None means that somebody was faster.
    fn change_one(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        self.change_all(statement, 1)
    }

    /// Runs a statement that must change exactly so many rows.
    fn change_all(
        &mut self,
        statement: Statement,
        rows: usize,
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        async move {
            let changed = self.run(statement).await?.changed;
            if usize::try_from(changed) == Ok(rows) { Ok(()) } else { Err(self.conflict()) }
        }
    }
}

/// A transaction in the rows of one organization.
pub(crate) struct Held {
    organization: OrganizationId,
    commands: mpsc::Sender<Command>,
    /// Whether a statement failed, or was given up midway. Such a transaction is never committed:
    /// nobody knows what is in it.
    failed: bool,
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Held").field("organization", &self.organization).finish_non_exhaustive()
    }
}

impl Held {
    pub(crate) const fn new(organization: OrganizationId, commands: mpsc::Sender<Command>) -> Self {
        Self { organization, commands, failed: false }
    }

    /// Makes everything durable, and then tells of it.
    pub(crate) async fn commit(self, told: Told) -> Result<(), StoreError> {
        self.is_whole()?;
        self.ask(|reply| Command::Commit { reply, told }).await?
    }

    /// Refuses what has failed.
    pub(crate) fn is_whole(&self) -> Result<(), StoreError> {
        if self.failed { Err(ended()) } else { Ok(()) }
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, StoreError> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())
    }
}

/// The writer has closed its end: a statement failed, or its patience was over.
fn ended() -> StoreError {
    StoreError::unavailable("the transaction was ended")
}

impl Mode for Held {
    fn owner(&self) -> OrganizationId {
        self.organization
    }

    async fn run(&mut self, statement: Statement) -> Result<Done, StoreError> {
        self.is_whole()?;
        // Until the answer is here the transaction counts as failed: a caller that drops this
        // future could otherwise commit without knowing whether the statement ran.
        self.failed = true;
        let done = self.ask(|reply| Command::Run { statement, reply }).await?;
        let done = done.map_err(store_error)?;
        self.failed = false;
        Ok(done)
    }
}

impl Writes for Held {
    fn forbid(&mut self) {
        self.failed = true;
    }
}
