//! The courier: one connection, one queue, and one journey for all who wait.
//!
//! What is queued while one journey is under way goes with the next; nobody waits for a timer.

use std::{fmt, io, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionInfo, Pipeline, Value,
    aio::{ConnectionLike, MultiplexedConnection},
};
use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
    time::timeout,
};

use crate::failure::Failure;

/// How many questions may wait. Whoever comes then waits to be let in, for no longer than for an answer.
const QUEUE: usize = 1_024;

/// How many questions go together at most.
const LOAD: usize = 256;

/// A question that waits, and whoever waits for its answer.
struct Question {
    command: Cmd,
    reply: oneshot::Sender<Result<Value, Failure>>,
}

/// Where questions are left for the courier.
#[derive(Clone)]
pub(crate) struct Counter(mpsc::Sender<Question>);

impl Counter {
    /// Leaves a question, and waits for as long as it takes. One that is given up meanwhile may have
    /// been asked.
    pub(crate) async fn ask(&self, command: Cmd) -> Result<Value, Failure> {
        let (reply, answer) = oneshot::channel();
        let left = self.0.send(Question { command, reply }).await;
        left.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

fn gone() -> Failure {
    Failure::Connection(
        io::Error::new(io::ErrorKind::BrokenPipe, "nobody carries questions").into(),
    )
}

/// Carries the questions of all who share a [`RedisCache`](crate::RedisCache). Nothing is answered
/// until somebody runs it.
#[must_use = "nothing is answered until somebody runs it"]
pub struct Courier {
    client: Client,
    /// None after an accident: the next journey opens another one.
    connection: Option<MultiplexedConnection>,
    queue: mpsc::Receiver<Question>,
    patience: Duration,
}

impl fmt::Debug for Courier {
    /// Nothing of where it goes, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Courier").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Courier {
    /// Connects nowhere yet. No journey takes longer than that.
    pub(crate) fn new(
        info: ConnectionInfo,
        patience: Duration,
    ) -> Result<(Counter, Self), Failure> {
        let client = Client::open(info)?;
        let (counter, queue) = mpsc::channel(QUEUE);
        Ok((Counter(counter), Self { client, connection: None, queue, patience }))
    }

    /// Works until nobody is left who could ask.
    pub async fn run(mut self) {
        let mut load = Vec::new();
        while let Some(first) = self.queue.recv().await {
            load.push(first);
            // Whoever is ready to ask is let in before it leaves: a journey costs the same for all.
            yield_now().await;
            while load.len() < LOAD
                && let Ok(next) = self.queue.try_recv()
            {
                load.push(next);
            }
            // Whoever has stopped to listen has taken that for a failure.
            load.retain(|question| !question.reply.is_closed());
            if load.is_empty() {
                continue;
            }
            // Nobody could take the queue over: a journey that panics ends alone, and those who wait for
            // it hear that nobody carries their questions.
            let journey = AssertUnwindSafe(self.carry(std::mem::take(&mut load)));
            if journey.catch_unwind().await.is_err() {
                tracing::error!("a journey to redis panicked; the next one goes by itself");
            }
        }
    }

    /// Asks this alone, before anybody else can.
    pub(crate) async fn ask_first(&mut self, command: Cmd) -> Result<Value, Failure> {
        let (reply, mut answer) = oneshot::channel();
        self.carry(vec![Question { command, reply }]).await;
        answer.try_recv().map_err(|_| gone())?
    }

    /// Asks all of this at once, and answers each. What fails the journey fails each of them.
    async fn carry(&mut self, load: Vec<Question>) {
        let mut questions = Pipeline::with_capacity(load.len());
        let mut replies = Vec::with_capacity(load.len());
        for Question { command, reply } in load {
            questions.add_command(command);
            replies.push(reply);
        }
        let patience = self.patience;
        match timeout(patience, self.travel(&questions, replies.len())).await {
            Ok(Ok(answers)) => {
                for (reply, answer) in replies.into_iter().zip(answers) {
                    // Whoever has stopped to listen is no matter.
                    let _ = reply.send(answer.extract_error().map_err(Failure::from));
                }
            }
            Ok(Err(failure)) => refuse(replies, || failure.clone()),
            Err(_) => refuse(replies, || Failure::TooSlow(patience)),
        }
    }

    async fn travel(&mut self, questions: &Pipeline, number: usize) -> Result<Vec<Value>, Failure> {
        // Taken out, so that a connection in the middle of something is never used again.
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.client.get_multiplexed_async_connection_with_config(&unhurried()).await?,
        };
        let answers = connection.req_packed_commands(questions, 0, number).await?;
        if answers.len() != number {
            return Err(Failure::Nonsense("not an answer for each question"));
        }
        self.connection = Some(connection);
        Ok(answers)
    }
}

fn refuse(replies: Vec<oneshot::Sender<Result<Value, Failure>>>, why: impl Fn() -> Failure) {
    for reply in replies {
        let _ = reply.send(Err(why()));
    }
}

/// Without limits of its own: the journey's holds for every step.
fn unhurried() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None)
}
