//! `POST /api/v1/agents/{agentId}/credentials`: makes a credential.

use std::sync::Arc;

use audit::Action;
use axum::{extract::State, http::Method, response::Response};
use credentials::credential::GenerateError;
use kernel::AgentId;
use registry::Permission;
use tenancy::Plan;
use usecases::{
    Requirement,
    credentials::{CreateError, CredentialRequest},
    driving::AgentCredentials,
};

use super::{created, limit_reached};
use crate::{
    caller::Authorized,
    content::JsonBodyIfAny,
    fields::{text, timestamp},
    path::Path,
    problem::{FieldErrors, Problem},
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct CreateCredential;

impl Endpoint for CreateCredential {
    const ROUTE: Route = Route {
        method: Method::POST,
        path: "/api/v1/agents/{agentId}/credentials",
        operation: "createCredential",
        access: Access::Bearer(Requirement::OwnOr(Permission::CredentialsWrite)),
        dialect: Dialect::Problem,
        events: &[Action::CredentialGenerated],
    };
}

pub(crate) async fn handle(
    State(credentials): State<Arc<dyn AgentCredentials>>,
    caller: Authorized<CreateCredential>,
    Path(agent): Path<AgentId>,
    _: NoQuery,
    body: JsonBodyIfAny,
) -> Result<Response, Problem> {
    let mut fields = body.fields()?;
    let request = CredentialRequest {
        name: fields.optional("name", text),
        expires_at: fields.optional("expiresAt", timestamp),
    };
    fields.ignore("organizationId");
    let request = fields.finish(|| Some(request))?;
    let made = credentials.create(&caller, agent, request).await;
    let made = made.map_err(|error| problem(error, caller.plan()))?;
    Ok(created(&made))
}

fn problem(error: CreateError, plan: Plan) -> Problem {
    match error {
        CreateError::UnknownAgent => Problem::forbidden_target(),
        CreateError::AgentEnded(error) => Problem::from(error),
        CreateError::Rule(GenerateError::Limit(reached)) => limit_reached(reached, plan),
        CreateError::Rule(GenerateError::ExpiryInThePast) => {
            Problem::validation(FieldErrors::of("expiresAt", error.to_string()))
        }
        CreateError::OtherMethod(error) => Problem::from(error),
        CreateError::CallerEnded(_) => Problem::token_refused(),
        CreateError::Store(error) => Problem::from(error),
        CreateError::Entropy(error) => Problem::unavailable(error),
    }
}
