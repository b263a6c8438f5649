//! Has every refusal of a target noted, whichever route refused it.
//!
//! That a caller asks for what is not its own is what an operator wants to learn of first. Noted
//! here, once for all routes, it cannot be forgotten by a new one; and it costs the same whether
//! the target is another organization's or does not exist, so that time tells no more than the
//! answer does.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use usecases::Denial;

use crate::{
    error_code::Code,
    findings::{Admitted, Findings},
    problem::Problem,
    state::SharedPorts,
};

/// The layer around the routes that take a token, each with the operation that it is.
pub(crate) async fn note(
    State((ports, operation)): State<(SharedPorts, &'static str)>,
    request: Request,
    next: Next,
) -> Response {
    let findings = request.extensions().get::<Findings>().cloned();
    let response = next.run(request).await;
    let refused = response.extensions().get::<Arc<Problem>>();
    let refused = refused.is_some_and(|problem| problem.code() == Code::AuthorizationError);
    match findings.as_ref().and_then(Findings::admitted).filter(|_| refused) {
        None => response,
        Some(Admitted { caller, target }) => {
            let denial = Denial::Target { operation, id: target.map(|id| id.to_string()) };
            match ports.authenticator.denied(caller, denial).await {
                Ok(()) => response,
                Err(error) => Problem::from(error).into_response(),
            }
        }
    }
}
