//! `GET /api/v1/agents/{agentId}`: reads one agent.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, Method, header},
};
use kernel::AgentId;
use registry::Permission;
use usecases::{Requirement, agents::GetError, driving::AgentRegistry};

use crate::{
    caller::Authorized,
    entity_tag::entity_tag,
    json::Json,
    path::Path,
    problem::Problem,
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
    views::AgentView,
};

/// The endpoint.
pub(crate) struct GetAgent;

impl Endpoint for GetAgent {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/agents/{agentId}",
        operation: "getAgent",
        access: Access::Bearer(Requirement::OwnOr(Permission::AgentsRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

type Answer = ([(HeaderName, HeaderValue); 1], Json<AgentView>);

pub(crate) async fn handle(
    State(agents): State<Arc<dyn AgentRegistry>>,
    caller: Authorized<GetAgent>,
    Path(id): Path<AgentId>,
    _: NoQuery,
) -> Result<Answer, Problem> {
    let details = agents.get(&caller, id).await?;
    let tag = entity_tag(details.agent.record().revision);
    Ok(([(header::ETAG, tag)], Json(AgentView::from(&details))))
}

impl From<GetError> for Problem {
    fn from(error: GetError) -> Self {
        match error {
            GetError::Unknown => Self::forbidden_target(),
            GetError::Store(error) => Self::from(error),
        }
    }
}
