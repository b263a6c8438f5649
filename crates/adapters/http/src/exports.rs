//! Exports under way: so many at once, each read from the store in a task of its own, a page at a time.
//!
//! A body that reads the store while it is sent would be dropped midway when its client hangs up, and
//! a connection would go back to the pool inside an open transaction (see `shield`). So a task reads,
//! and the body is fed through a channel; what can be dropped is only the channel's other end.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use axum::body::{Body, Bytes};
use futures_util::{FutureExt, stream};
use kernel::{OrganizationId, StoreError};
use thiserror::Error;
use tokio::{sync::mpsc, time::timeout};
use usecases::{Caller, audit_log::ExportPage, driving::AuditTrail};

use crate::{
    problem::Problem,
    render::{self, Panicked},
    shield::{self, UnderWay},
};

/// How many pieces wait for the client.
const AHEAD: usize = 2;

/// How long a piece is, in bytes. A client must take one within its patience, so that one with a bad
/// line, which takes minutes for a page, is not given up.
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
    /// How long a client may take nothing.
    pub patience: Duration,
}

impl Default for ExportLimits {
    fn default() -> Self {
        Self { at_once: 8, of_an_organization: 2, patience: Duration::from_secs(30) }
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
    /// The client takes nothing.
    #[error("the client took nothing for too long")]
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
                tracing::info!(%request_id, "an export was given up: its client takes nothing");
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
        loop {
            let next = page.next;
            if self.send_page(page.bytes.into(), next.is_none(), pieces).await?.is_err() {
                return Ok(());
            }
            let Some(next) = next else { return Ok(()) };
            page = self.audit.export(&self.caller, next).await?;
        }
    }

    /// Hands a page over, piece by piece, each once there is room for it: nothing is read that nobody
    /// has asked for.
    async fn send_page(
        &self,
        mut rest: Bytes,
        is_last: bool,
        pieces: &mpsc::Sender<Piece>,
    ) -> Result<Result<(), Gone>, CutShort> {
        let patience = self.place.exports.limits.patience;
        loop {
            let bytes = rest.split_to(rest.len().min(PIECE));
            let is_last = is_last && rest.is_empty();
            match timeout(patience, pieces.reserve()).await {
                Ok(Ok(room)) => room.send(Piece { bytes, is_last }),
                Ok(Err(_)) => return Ok(Err(Gone)),
                Err(_) => return Err(CutShort::Unread),
            }
            if rest.is_empty() {
                return Ok(Ok(()));
            }
        }
    }
}
