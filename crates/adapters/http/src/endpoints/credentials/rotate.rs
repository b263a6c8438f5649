//! `POST /api/v1/agents/{agentId}/credentials/{credentialId}/rotate`: replaces a credential.

use std::sync::Arc;

use audit::Action;
use axum::{extract::State, http::Method, response::Response};
use credentials::{Overlap, credential};
use kernel::{AgentId, CredentialId};
use registry::Permission;
use tenancy::Plan;
use usecases::{Requirement, credentials::RotateError, driving::AgentCredentials};

use super::{created, limit_reached};
use crate::{
    caller::Authorized,
    content::JsonBodyIfAny,
    endpoints::agents::invalid_transition,
    fields::{Given, Reason, whole_number},
    path::Path,
    problem::Problem,
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct RotateCredential;

impl Endpoint for RotateCredential {
    const ROUTE: Route = Route {
        method: Method::POST,
        path: "/api/v1/agents/{agentId}/credentials/{credentialId}/rotate",
        operation: "rotateCredential",
        access: Access::Bearer(Requirement::OwnOr(Permission::CredentialsWrite)),
        dialect: Dialect::Problem,
        events: &[Action::CredentialRotated],
    };
}

pub(crate) async fn handle(
    State(credentials): State<Arc<dyn AgentCredentials>>,
    caller: Authorized<RotateCredential>,
    Path((agent, id)): Path<(AgentId, CredentialId)>,
    _: NoQuery,
    body: JsonBodyIfAny,
) -> Result<Response, Problem> {
    let mut fields = body.fields()?;
    let overlap = fields.optional("overlapSeconds", overlap);
    fields.ignore("organizationId");
    let overlap = fields.finish(|| Some(overlap.unwrap_or_default()))?;
    let made = credentials.rotate(&caller, agent, id, overlap).await;
    let made = made.map_err(|error| problem(error, caller.plan()))?;
    Ok(created(&made))
}

fn overlap(given: Given) -> Result<Overlap, Reason> {
    let seconds = whole_number(given)?;
    Overlap::from_seconds(seconds).ok_or_else(|| "must be 0 to 604800".to_owned())
}

fn problem(error: RotateError, plan: Plan) -> Problem {
    let message = error.to_string();
    match error {
        RotateError::UnknownAgent => Problem::forbidden_target(),
        RotateError::UnknownCredential => Problem::not_found(),
        RotateError::AgentEnded(error) => Problem::from(error),
        RotateError::Rule(credential::RotateError::Limit(reached)) => limit_reached(reached, plan),
        RotateError::Rule(credential::RotateError::NotLive(status)) => {
            invalid_transition(message, status.as_str(), "rotated")
        }
        RotateError::Rule(credential::RotateError::Superseded) => {
            invalid_transition(message, "rotated", "rotated")
        }
        RotateError::OtherMethod(error) => Problem::from(error),
        RotateError::CallerEnded(_) => Problem::token_refused(),
        RotateError::Store(error) => Problem::from(error),
        RotateError::Entropy(error) => Problem::unavailable(error),
    }
}
