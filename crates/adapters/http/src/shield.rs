//! Keeps a request's work whole, whatever its client does.
//!
//! When a client hangs up, hyper drops the future that serves it, wherever that stands: between
//! `BEGIN` and its answer, say, whereupon the connection goes back to the pool inside an open
//! transaction, and the write that a later request is told of is lost. So the work runs in a task
//! of its own, and what can be dropped is only the waiting for it.

use std::{convert::Infallible, sync::Arc};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kernel::RequestId;
use tokens::Scheme;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::{problem::Problem, render, request_context, surroundings::Surroundings};

/// How much work one connection may have under way, and what the server waits for when it shuts down.
/// HTTP/2 forgets a stream that its client has reset, but the work goes on: without this, opening and
/// resetting streams would pile it up.
#[derive(Debug, Clone)]
pub(crate) struct UnderWay(Arc<Places>);

#[derive(Debug)]
struct Places {
    free: Arc<Semaphore>,
    _open: mpsc::Sender<Infallible>,
}

/// A request's place among the work under way.
#[derive(Debug)]
struct Place {
    _permit: Option<OwnedSemaphorePermit>,
    _under_way: UnderWay,
}

impl UnderWay {
    /// So many places. The server is not gone while any clone of this is left, or a place is taken.
    pub(crate) fn new(places: usize, open: mpsc::Sender<Infallible>) -> Self {
        Self(Arc::new(Places { free: Arc::new(Semaphore::new(places)), _open: open }))
    }

    async fn take(self) -> Place {
        let free = Arc::clone(&self.0.free);
        // The semaphore is never closed, so there always is a permit in the end.
        Place { _permit: free.acquire_owned().await.ok(), _under_way: self }
    }
}

/// The one layer around all routes: runs the request in a task and waits for it.
pub(crate) async fn shield(
    State(surroundings): State<Arc<Surroundings>>,
    request: Request,
    next: Next,
) -> Response {
    let place = match request.extensions().get::<UnderWay>().cloned() {
        Some(under_way) => Some(under_way.take().await),
        None => None,
    };
    let around = Arc::clone(&surroundings);
    let work = async move {
        let response = request_context::enter(&around, request, next).await;
        drop(place);
        response
    };
    #[expect(clippy::disallowed_methods, reason = "this is the layer that shields requests")]
    let task = tokio::spawn(work);
    task.await.unwrap_or_else(|lost| {
        // A handler's panic is caught further in. This one comes from what lies around it, so there is
        // no request id to tell.
        let source = match lost.try_into_panic() {
            Ok(payload) => Problem::internal(render::Panicked::new(&*payload)),
            Err(cancelled) => Problem::internal(cancelled),
        };
        let issuer = (&surroundings.issuer, Scheme::Bearer);
        render::render(source.into_response(), issuer, &RequestId::internal())
    })
}

/// Runs work that outlives its answer: what reads the rest of a body. It may be dropped midway as
/// little as what came before, so it ends by itself, once nobody wants what it makes.
pub(crate) fn go_on(under_way: Option<UnderWay>, work: impl Future<Output = ()> + Send + 'static) {
    #[expect(clippy::disallowed_methods, reason = "this is the layer that shields requests")]
    drop(tokio::spawn(async move {
        work.await;
        drop(under_way);
    }));
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_connection_has_only_so_much_work_under_way() {
        let (open, mut all_gone) = mpsc::channel(1);
        let under_way = UnderWay::new(1, open);
        let first = under_way.clone().take().await;
        assert!(under_way.clone().take().now_or_never().is_none());
        drop(first);
        let second = under_way.take().await;
        assert!(all_gone.recv().now_or_never().is_none());
        drop(second);
        assert!(all_gone.recv().await.is_none());
    }
}
