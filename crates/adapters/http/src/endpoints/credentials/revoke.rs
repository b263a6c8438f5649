//! `DELETE /api/v1/agents/{agentId}/credentials/{credentialId}`: ends a credential.

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{Method, StatusCode},
};
use kernel::{AgentId, CredentialId};
use registry::Permission;
use usecases::{Requirement, credentials::RevokeError, driving::AgentCredentials};

use crate::{
    caller::Authorized,
    path::Path,
    problem::Problem,
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct RevokeCredential;

impl Endpoint for RevokeCredential {
    const ROUTE: Route = Route {
        method: Method::DELETE,
        path: "/api/v1/agents/{agentId}/credentials/{credentialId}",
        operation: "revokeCredential",
        access: Access::Bearer(Requirement::OwnOr(Permission::CredentialsWrite)),
        dialect: Dialect::Problem,
        events: &[Action::CredentialRevoked],
    };
}

pub(crate) async fn handle(
    State(credentials): State<Arc<dyn AgentCredentials>>,
    caller: Authorized<RevokeCredential>,
    Path((agent, id)): Path<(AgentId, CredentialId)>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    credentials.revoke(&caller, agent, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<RevokeError> for Problem {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::UnknownAgent => Self::forbidden_target(),
            RevokeError::UnknownCredential => Self::not_found(),
            RevokeError::CallerEnded(_) => Self::token_refused(),
            RevokeError::Store(error) => Self::from(error),
        }
    }
}
