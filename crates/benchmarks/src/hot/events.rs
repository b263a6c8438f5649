//! Events: what is made of one before it is written, and its way into the log.

use std::{
    hint::black_box,
    path::Path,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, ensure};
use audit::{
    Action, Draft, Event, EventRecord, LogOrigin, Notes, Stamp,
    entry::{bytes_of, commitment_of},
    merkle::{Frontier, leaf_hash},
    note, sequence,
};
use futures_util::FutureExt;
use kernel::{AgentId, Clock, EventId, OrganizationId, StoreError};
use local::{SystemClock, SystemEntropy};
use tenancy::{Actor, Scope};

use super::{Run, world::origin};

/// How many events get their places at a time.
const EVENTS: usize = 1_000;

/// Makes the records of events as a store does, and keeps the last one.
struct Desk {
    clock: SystemClock,
    entropy: SystemEntropy,
    last: Mutex<Option<EventRecord>>,
}

impl Notes for Desk {
    async fn keep(&self, scope: &Scope, draft: Draft<'_>) -> Result<EventId, StoreError> {
        let stamp = Stamp::new(self.clock.now(), &self.entropy)?;
        let record = draft.stamp(scope, stamp);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(last.insert(record).id)
    }
}

impl Desk {
    fn new() -> Self {
        Self { clock: SystemClock::new(), entropy: SystemEntropy::new(), last: Mutex::default() }
    }

    fn note(&self, scope: &Scope, event: &Event) -> anyhow::Result<()> {
        black_box(note(self, scope, event).now_or_never().context("it waits for nothing")??);
        Ok(())
    }

    fn record(&self, scope: &Scope, event: &Event) -> anyhow::Result<EventRecord> {
        self.note(scope, event)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.take().context("an event")
    }
}

/// The event of a token that was issued.
fn event() -> Event {
    Event::success(Action::TokenIssued)
        .with("scope", "agents:read tokens:introspect")
        .with("audience", "http://127.0.0.1:3000")
        .with("expiresAt", "2026-11-21T08:15:00.000000Z")
}

/// On whose behalf.
fn scope() -> anyhow::Result<Scope> {
    let (now, entropy) = (SystemClock::new().now(), SystemEntropy::new());
    let organization = OrganizationId::generate(now, &entropy)?;
    let agent = Actor::Agent(AgentId::generate(now, &entropy)?);
    Ok(Scope::new(organization, agent, origin()))
}

pub(super) fn record(_: &Path) -> anyhow::Result<Run> {
    let (desk, scope, event) = (Desk::new(), scope()?, event());
    Ok(Box::new(move || desk.note(&scope, black_box(&event))))
}

pub(super) fn leaf(_: &Path) -> anyhow::Result<Run> {
    let record = Desk::new().record(&scope()?, &event())?;
    Ok(Box::new(move || {
        let commitment = commitment_of(black_box(&record)).context("a salt")?;
        black_box(leaf_hash(&bytes_of(&record, commitment, false)));
        Ok(())
    }))
}

pub(super) fn sequence(_: &Path) -> anyhow::Result<Run> {
    let (desk, scope, event) = (Desk::new(), scope()?, event());
    let events = (0..EVENTS).map(|_| desk.record(&scope, &event)).collect::<Result<Vec<_>, _>>()?;
    let origin = LogOrigin::new("http://127.0.0.1:3000", scope.organization())?;
    Ok(Box::new(move || {
        let mut frontier = Frontier::empty();
        let extension = sequence::extend(origin.clone(), (&mut frontier, None), black_box(&events));
        ensure!(extension.is_ok_and(|log| black_box(log).leaves.len() == EVENTS), "each has one");
        Ok(())
    }))
}
