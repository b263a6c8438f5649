//! `GET /api/v1/agents`: lists agents.

use std::sync::Arc;

use axum::{extract::State, http::Method};
use registry::{AgentFilter, Permission};
use usecases::{Requirement, driving::AgentRegistry};

use crate::{
    caller::Authorized,
    fields::text,
    json::Json,
    paging::paging,
    problem::Problem,
    query::Query,
    route::{Access, Dialect, Endpoint, Route},
    views::{AgentView, PageView},
};

/// The endpoint.
pub(crate) struct ListAgents;

impl Endpoint for ListAgents {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/agents",
        operation: "listAgents",
        access: Access::Bearer(Requirement::Has(Permission::AgentsRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(agents): State<Arc<dyn AgentRegistry>>,
    caller: Authorized<ListAgents>,
    Query(mut fields): Query,
) -> Result<Json<PageView<AgentView>>, Problem> {
    let paging = paging(&mut fields);
    let filter = AgentFilter {
        owner: fields.optional("owner", text),
        agent_type: fields.optional("agentType", text),
        status: fields.optional("status", text),
        deployment_env: fields.optional("deploymentEnv", text),
        capability: fields.optional("capability", text),
    };
    let paging = fields.finish(|| paging)?;
    let found = agents.list(&caller, &filter, paging.request).await?;
    Ok(Json(PageView::new(&found, paging.shown)))
}
