//! `DELETE /api/v1/agents/{agentId}/keys/{kid}`: ends a key of a client.

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{Method, StatusCode},
};
use credentials::ClientKeyId;
use kernel::AgentId;
use registry::Permission;
use usecases::{Requirement, driving::AgentKeys, keys::RemoveError};

use crate::{
    caller::Authorized,
    path::Path,
    problem::Problem,
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct RemoveKey;

impl Endpoint for RemoveKey {
    const ROUTE: Route = Route {
        method: Method::DELETE,
        path: "/api/v1/agents/{agentId}/keys/{kid}",
        operation: "removeKey",
        access: Access::Bearer(Requirement::OwnOr(Permission::CredentialsWrite)),
        dialect: Dialect::Problem,
        events: &[Action::KeyRemoved],
    };
}

pub(crate) async fn handle(
    State(keys): State<Arc<dyn AgentKeys>>,
    caller: Authorized<RemoveKey>,
    Path((agent, kid)): Path<(AgentId, ClientKeyId)>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    keys.remove(&caller, agent, &kid).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<RemoveError> for Problem {
    fn from(error: RemoveError) -> Self {
        match error {
            RemoveError::UnknownAgent => Self::forbidden_target(),
            RemoveError::UnknownKey => Self::not_found(),
            RemoveError::CallerEnded(_) => Self::token_refused(),
            RemoveError::Store(error) => Self::from(error),
        }
    }
}
