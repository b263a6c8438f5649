//! A connection whose thread ends midway, or stands still: nothing is told as done that was not, and
//! nobody else waits for it.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    time::Duration,
};

use audit::{Action, Event, Journal, Transactor, record};
use contracts::sample;
use kernel::StoreError;
use registry::Agents;
use sqlite_store::Options;
use tracing::{Subscriber, span, span::EnteredSpan, subscriber::DefaultGuard};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
};

use crate::database::Database;

/// A connection's thread enters the span of whoever asks it for something: that is where it is lost.
#[derive(Clone, Default)]
struct Accident {
    is_next: Arc<AtomicBool>,
    held_up_by: Arc<Mutex<Option<mpsc::Receiver<()>>>>,
}

impl Accident {
    /// While the others live, all that this thread asks for is asked for within a span.
    fn prepared() -> (Self, EnteredSpan, DefaultGuard) {
        let accident = Self::default();
        let layers = tracing_subscriber::registry().with(accident.clone());
        let default = tracing::subscriber::set_default(layers);
        (accident, tracing::info_span!("asked").entered(), default)
    }

    /// The thread that is asked next is lost.
    fn comes(&self) {
        self.is_next.store(true, SeqCst);
    }

    fn came(&self) -> bool {
        !self.is_next.load(SeqCst)
    }

    /// The thread that is asked next stands still for as long as what is returned is kept.
    fn holds_up(&self) -> mpsc::Sender<()> {
        let (holding, held_up_by) = mpsc::channel();
        *self.held_up_by.lock().unwrap() = Some(held_up_by);
        holding
    }
}

impl<S: Subscriber> Layer<S> for Accident {
    fn on_enter(&self, _: &span::Id, _: Context<'_, S>) {
        let thread = std::thread::current();
        if thread.name().is_some_and(|name| name.starts_with("sqlx-sqlite")) {
            assert!(!self.is_next.swap(false, SeqCst), "an accident, on purpose");
            let held_up_by = self.held_up_by.lock().unwrap_or_else(PoisonError::into_inner).take();
            // The end of waiting is that the other end is gone.
            let _ = held_up_by.map(|holding| holding.recv());
        }
    }
}

fn is_unavailable<T>(outcome: &Result<T, StoreError>) -> bool {
    matches!(outcome, Err(StoreError::Unavailable(_)))
}

const EVENTS: &str = "SELECT count(*) FROM audit_event WHERE action = 'access.denied'";

#[tokio::test]
async fn an_event_whose_writer_was_lost_is_not_told_as_written_and_the_next_one_is() {
    let database = Database::new();
    let (accident, _span, _default) = Accident::prepared();
    let running = database.open().await;
    let scope = running.organization().await;
    let event = Event::failure(Action::AccessDenied);
    accident.comes();
    assert!(is_unavailable(&running.note(&scope, &event).await));
    assert!(accident.came());
    assert_eq!(database.number(EVENTS).await, 0);
    running.note(&scope, &event).await.unwrap();
    assert_eq!(database.number(EVENTS).await, 1);
}

#[tokio::test]
async fn a_change_whose_commit_was_lost_is_not_told_as_made() {
    let database = Database::new();
    let (accident, _span, _default) = Accident::prepared();
    let running = database.open().await;
    let scope = running.organization().await;
    let tx = running.store.begin(scope.clone()).await.unwrap();
    let agent = sample::agent_named(&running.machine, scope.organization(), "one");
    let (tx, agent) = record(tx, agent).await.unwrap();
    accident.comes();
    assert!(is_unavailable(&tx.commit().await));
    assert!(accident.came());
    assert_eq!(running.view(&scope).await.agent(agent.id()).await.unwrap(), None);
    running.agent(&scope, "one").await.unwrap();
}

#[tokio::test]
async fn what_could_not_be_read_is_not_told_as_not_there() {
    let database = Database::new();
    let (accident, _span, _default) = Accident::prepared();
    let running = database.open_with(Options { readers: 1, ..Options::default() }).await;
    let scope = running.organization().await;
    let agent = running.agent(&scope, "one").await.unwrap();
    let mut view = running.view(&scope).await;
    accident.comes();
    assert!(is_unavailable(&view.agent(agent.id()).await));
    assert!(accident.came());
    drop(view);
    // The one connection was lost, and another one takes its place.
    let found = running.view(&scope).await.agent(agent.id()).await.unwrap();
    assert_eq!(found, Some(agent));
}

#[tokio::test]
async fn a_connection_that_does_not_answer_any_more_gives_its_place_free() {
    let database = Database::new();
    let (accident, _span, _default) = Accident::prepared();
    let acquire_timeout = Duration::from_secs(1);
    let options = Options { readers: 1, acquire_timeout, ..Options::default() };
    let running = database.open_with(options).await;
    let scope = running.organization().await;
    let view = running.view(&scope).await;
    let _holding = accident.holds_up();
    drop(view);
    let found = running.view(&scope).await.agent(running.machine.agent_id()).await;
    assert_eq!(found.unwrap(), None);
}

#[tokio::test]
async fn a_view_that_was_not_begun_is_not_given_out() {
    let database = Database::new();
    let (accident, _span, _default) = Accident::prepared();
    let running = database.open().await;
    let scope = running.organization().await;
    accident.comes();
    let outcome = running.store.view(scope.organization()).await;
    assert!(is_unavailable(&outcome));
    assert!(accident.came());
}
