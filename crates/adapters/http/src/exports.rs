//! Exports under way: so many at once, each read from the store in a task of its own, a page at a time.
//!
//! A body that reads the store while it is sent would be dropped midway when its client hangs up, and
//! a connection would go back to the pool inside an open transaction (see `shield`). So a task reads,
//! and the body is fed through a channel; what can be dropped is only the channel's other end.

use std::{
    collections::HashMap,
    future::Future,
    panic::AssertUnwindSafe,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::{Body, Bytes};
use futures_util::{FutureExt, stream};
use kernel::{OrganizationId, StoreError};
use thiserror::Error;
use tokio::{
    sync::mpsc,
    time::{Instant, timeout},
};
use usecases::{Caller, audit_log::ExportPage, driving::AuditTrail};

use crate::{
    problem::Problem,
    render::{self, Panicked},
    shield::{self, UnderWay},
};

/// How many pieces wait for the client.
const AHEAD: usize = 2;

/// How long a piece is, in bytes: little enough that a client with a bad line, which takes minutes for
/// a page, takes several within the patience.
const PIECE: usize = 64 * 1024;

/// How long whoever has as many exports under way as it may is told to wait.
const COME_AGAIN: Duration = Duration::from_secs(5);

/// The bounds of exports.
#[derive(Debug, Clone, Copy)]
pub struct ExportLimits {
    /// How many the server has under way.
    pub at_once: usize,
    /// How many of these one organization may have, so that it leaves some to others.
    pub of_an_organization: usize,
    /// How long the server waits for a client until it looks how much that took.
    pub patience: Duration,
    /// How many bytes a client must have taken by then. One that takes less keeps its place from others.
    pub least: usize,
}

impl Default for ExportLimits {
    fn default() -> Self {
        let patience = Duration::from_secs(30);
        // A piece in five seconds: some 100 kilobits a second.
        Self { at_once: 32, of_an_organization: 2, patience, least: 6 * PIECE }
    }
}

/// The exports that are under way, by organization.
#[derive(Debug, Clone, Default)]
pub struct Exports {
    limits: ExportLimits,
    taken: Arc<Mutex<HashMap<OrganizationId, usize>>>,
}

/// A place among them. Dropping it frees it.
#[derive(Debug)]
pub(crate) struct Place {
    exports: Exports,
    organization: OrganizationId,
}

impl Exports {
    /// None yet, within these bounds.
    #[must_use]
    pub fn new(limits: ExportLimits) -> Self {
        Self { limits, taken: Arc::default() }
    }

    /// Takes a place for an organization.
    pub(crate) fn take(&self, organization: OrganizationId) -> Result<Place, Problem> {
        let mut taken = self.taken();
        let own = taken.get(&organization).copied().unwrap_or_default();
        if own >= self.limits.of_an_organization {
            return Err(Problem::rate_limited(COME_AGAIN));
        }
        if taken.values().sum::<usize>() >= self.limits.at_once {
            return Err(Problem::busy("as many exports are under way as may be"));
        }
        taken.insert(organization, own.saturating_add(1));
        Ok(Place { exports: self.clone(), organization })
    }

    /// Whoever panicked while holding it left it whole.
    fn taken(&self) -> MutexGuard<'_, HashMap<OrganizationId, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.exports.taken();
        let left = taken.get(&self.organization).map_or(0, |own| own.saturating_sub(1));
        if left == 0 {
            taken.remove(&self.organization);
        } else {
            taken.insert(self.organization, left);
        }
    }
}

/// Why an export ended before its end. The client sees a body that breaks off.
#[derive(Debug, Error)]
pub(crate) enum CutShort {
    /// The client takes nothing, or next to nothing.
    #[error("the client took too little for too long")]
    Unread,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The rest was never sent.
    #[error("the export was cut short")]
    Lost,
}

/// The client is gone, which is the end and no fault.
struct Gone;

/// Some of the body.
struct Piece {
    bytes: Bytes,
    /// Without such a one the body breaks off: whatever ended the task, the rest is missing.
    is_last: bool,
}

/// An export that was authorized and begun.
pub(crate) struct Export {
    pub(crate) audit: Arc<dyn AuditTrail>,
    pub(crate) caller: Caller,
    pub(crate) place: Place,
}

impl Export {
    /// The body, from this page on. What reads the rest is counted as `under_way`.
    pub(crate) fn into_body(self, first: ExportPage, under_way: Option<UnderWay>) -> Body {
        let (sender, receiver) = mpsc::channel(AHEAD);
        shield::go_on(under_way, self.run(first, sender));
        let pieces = stream::unfold(Some(receiver), async |receiver| {
            let mut receiver = receiver?;
            match receiver.recv().await {
                Some(Piece { bytes, is_last: true }) => Some((Ok(bytes), None)),
                Some(Piece { bytes, is_last: false }) => Some((Ok(bytes), Some(receiver))),
                None => Some((Err(CutShort::Lost), None)),
            }
        });
        Body::from_stream(pieces)
    }

    async fn run(self, first: ExportPage, pieces: mpsc::Sender<Piece>) {
        let request_id = self.caller.scope().origin().request.clone();
        let sent = AssertUnwindSafe(self.send(first, &pieces)).catch_unwind().await;
        match sent {
            Ok(Ok(())) => {}
            Ok(Err(CutShort::Unread)) => {
                tracing::info!(%request_id, "an export was given up: its client takes too little");
            }
            Ok(Err(error @ (CutShort::Store(_) | CutShort::Lost))) => {
                let causes = render::chain(&error);
                tracing::error!(%request_id, causes, "an export was cut short");
            }
            Err(payload) => {
                let causes = render::chain(&Panicked::new(&*payload));
                tracing::error!(%request_id, causes, "an export was cut short");
            }
        }
    }

    async fn send(
        &self,
        mut page: ExportPage,
        pieces: &mpsc::Sender<Piece>,
    ) -> Result<(), CutShort> {
        let mut pace = Pace::new(self.place.exports.limits);
        loop {
            let next = page.next;
            let bytes = page.bytes.into();
            if send_page(&mut pace, (bytes, next.is_none()), pieces).await?.is_err() {
                return Ok(());
            }
            let Some(next) = next else { return Ok(()) };
            page = self.audit.export(&self.caller, next).await?;
        }
    }
}

/// Hands a page over, piece by piece, each once there is room for it: nothing is read that nobody has
/// asked for.
async fn send_page(
    pace: &mut Pace,
    (mut rest, is_last): (Bytes, bool),
    pieces: &mpsc::Sender<Piece>,
) -> Result<Result<(), Gone>, CutShort> {
    loop {
        let bytes = rest.split_to(rest.len().min(PIECE));
        let is_last = is_last && rest.is_empty();
        let Ok(room) = pace.wait(pieces.reserve()).await? else { return Ok(Err(Gone)) };
        pace.taken = pace.taken.saturating_add(bytes.len());
        room.send(Piece { bytes, is_last });
        if rest.is_empty() {
            return Ok(Ok(()));
        }
    }
}

/// How fast a client takes what it asked for. Only the time counts in which it was waited for: a slow
/// store is not the client's fault.
struct Pace {
    limits: ExportLimits,
    /// Since the last look.
    waited: Duration,
    taken: usize,
}

impl Pace {
    const fn new(limits: ExportLimits) -> Self {
        Self { limits, waited: Duration::ZERO, taken: 0 }
    }

    /// Waits for the client to take something.
    async fn wait<T>(&mut self, taking: impl Future<Output = T>) -> Result<T, CutShort> {
        let mut taking = pin!(taking);
        loop {
            let begun = now();
            let left = self.limits.patience.saturating_sub(self.waited);
            // The timer is coarse: it would let a client go on that takes everything just in time.
            if !left.is_zero()
                && let Ok(taken) = timeout(left, &mut taking).await
            {
                self.waited = self.waited.saturating_add(begun.elapsed());
                return Ok(taken);
            }
            if self.taken < self.limits.least {
                return Err(CutShort::Unread);
            }
            *self = Self::new(self.limits);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "only lengths of time are measured")]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn pace() -> Pace {
        let patience = Duration::from_secs(30);
        Pace::new(ExportLimits { patience, least: 100, ..ExportLimits::default() })
    }

    async fn takes(pace: &mut Pace, bytes: usize, after: u64) -> Result<(), CutShort> {
        let taking = timeout(Duration::from_secs(after), pending::<()>());
        pace.wait(taking).await?.unwrap_err();
        pace.taken += bytes;
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_enough_is_waited_for_however_long_it_takes() {
        let mut pace = pace();
        for _ in 0..1_000 {
            takes(&mut pace, 20, 5).await.unwrap();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn ds_04_a_client_that_takes_a_little_now_and_then_is_given_up() {
        let mut pace = pace();
        let begun = now();
        let mut times = 0..10;
        while times.next().is_some() && takes(&mut pace, 20, 8).await.is_ok() {}
        assert_eq!(begun.elapsed(), Duration::from_secs(30));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_took_at_first_does_not_count_for_ever() {
        let mut pace = pace();
        takes(&mut pace, 1_000_000, 0).await.unwrap();
        let begun = now();
        let mut times = 0..30;
        while times.next().is_some() && takes(&mut pace, 10, 4).await.is_ok() {}
        assert_eq!(begun.elapsed(), Duration::from_secs(60));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_that_the_store_takes_is_not_the_clients() {
        let mut pace = pace();
        for _ in 0..100 {
            let _store = timeout(Duration::from_secs(20), pending::<()>()).await;
            pace.wait(ready(())).await.unwrap();
        }
    }
}
