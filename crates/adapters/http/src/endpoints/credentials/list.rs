//! `GET /api/v1/agents/{agentId}/credentials`: lists an agent's credentials.

use std::sync::Arc;

use axum::{extract::State, http::Method};
use kernel::AgentId;
use registry::Permission;
use usecases::{Requirement, credentials::ListError, driving::AgentCredentials};

use crate::{
    caller::Authorized,
    json::Json,
    paging::paging,
    path::Path,
    problem::Problem,
    query::Query,
    route::{Access, Dialect, Endpoint, Route},
    views::{CredentialView, PageView},
};

/// The endpoint.
pub(crate) struct ListCredentials;

impl Endpoint for ListCredentials {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/agents/{agentId}/credentials",
        operation: "listCredentials",
        access: Access::Bearer(Requirement::OwnOr(Permission::AgentsRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(credentials): State<Arc<dyn AgentCredentials>>,
    caller: Authorized<ListCredentials>,
    Path(agent): Path<AgentId>,
    Query(mut fields): Query,
) -> Result<Json<PageView<CredentialView>>, Problem> {
    let paging = paging(&mut fields);
    let paging = fields.finish(|| paging)?;
    let found = credentials.list(&caller, agent, paging.request).await?;
    Ok(Json(PageView::new(&found, paging.shown)))
}

impl From<ListError> for Problem {
    fn from(error: ListError) -> Self {
        match error {
            ListError::UnknownAgent => Self::forbidden_target(),
            ListError::Store(error) => Self::from(error),
        }
    }
}
