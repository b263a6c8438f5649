//! `GET /api/v1/agents/{agentId}/keys`: lists an agent's keys.

use std::sync::Arc;

use axum::{extract::State, http::Method};
use kernel::AgentId;
use registry::Permission;
use usecases::{Requirement, driving::AgentKeys};

use crate::{
    caller::Authorized,
    json::Json,
    paging::paging,
    path::Path,
    problem::Problem,
    query::Query,
    route::{Access, Dialect, Endpoint, Route},
    views::{ClientKeyView, PageView},
};

/// The endpoint.
pub(crate) struct ListKeys;

impl Endpoint for ListKeys {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/agents/{agentId}/keys",
        operation: "listKeys",
        access: Access::Bearer(Requirement::OwnOr(Permission::AgentsRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(keys): State<Arc<dyn AgentKeys>>,
    caller: Authorized<ListKeys>,
    Path(agent): Path<AgentId>,
    Query(mut fields): Query,
) -> Result<Json<PageView<ClientKeyView>>, Problem> {
    let paging = paging(&mut fields);
    let paging = fields.finish(|| paging)?;
    let found = keys.list(&caller, agent, paging.request).await?;
    Ok(Json(PageView::new(&found, paging.shown)))
}
