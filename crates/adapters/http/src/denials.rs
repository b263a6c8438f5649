//! Has every refusal of a target noted, whichever route refused it.
//!
//! That a caller asks for what is not its own is what an operator wants to learn of first. Noted
//! here, once for all routes, it cannot be forgotten by a new one; and it costs the same whether
//! the target is another organization's or does not exist, so that time tells no more than the
//! answer does.

use std::sync::{Arc, OnceLock};

use axum::{
    RequestExt,
    extract::{RawPathParams, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use kernel::AgentId;
use usecases::{Caller, Denial};

use crate::{error_code::Code, problem::Problem, state::Ports};

/// The caller that was let in. Whoever checks its access fills it in.
#[derive(Debug, Clone, Default)]
pub(crate) struct AdmittedSlot(Arc<OnceLock<Caller>>);

impl AdmittedSlot {
    /// Notes the caller. The first note stays.
    pub(crate) fn note(&self, caller: &Caller) {
        self.0.get_or_init(|| caller.clone());
    }
}

/// The layer around the routes that take a token, each with the operation that it is.
pub(crate) async fn note(
    State((ports, operation)): State<(Ports, &'static str)>,
    mut request: Request,
    next: Next,
) -> Response {
    let slot = AdmittedSlot::default();
    request.extensions_mut().insert(slot.clone());
    let id = target(&mut request).await;
    let response = next.run(request).await;
    let refused = response.extensions().get::<Arc<Problem>>();
    let refused = refused.is_some_and(|problem| problem.code() == Code::AuthorizationError);
    match slot.0.get().filter(|_| refused) {
        None => response,
        Some(caller) => {
            let denial = Denial::Target { operation, id };
            match ports.authenticator.denied(caller, denial).await {
                Ok(()) => response,
                Err(error) => Problem::from(error).into_response(),
            }
        }
    }
}

/// The last id in the path. All ids have one form, so any of them is read as any other. What clients
/// call their keys is no such id.
async fn target(request: &mut Request) -> Option<String> {
    let path = request.extract_parts::<RawPathParams>().await.ok()?;
    let (_, last) = path.iter().filter(|(name, _)| name.ends_with("Id")).last()?;
    last.parse::<AgentId>().ok().map(|id| id.to_string())
}
