//! `DELETE /api/v1/agents/{agentId}`: ends an agent for good.

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{Method, StatusCode},
};
use kernel::AgentId;
use registry::{Permission, agent};
use serde_json::Map;
use usecases::{Requirement, agents::DecommissionError, driving::AgentRegistry};

use crate::{
    caller::Authorized,
    error_code::Code,
    path::Path,
    problem::Problem,
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct DecommissionAgent;

impl Endpoint for DecommissionAgent {
    const ROUTE: Route = Route {
        method: Method::DELETE,
        path: "/api/v1/agents/{agentId}",
        operation: "decommissionAgent",
        access: Access::Bearer(Requirement::Has(Permission::AgentsWrite)),
        dialect: Dialect::Problem,
        events: &[Action::AgentDecommissioned],
    };
}

pub(crate) async fn handle(
    State(agents): State<Arc<dyn AgentRegistry>>,
    caller: Authorized<DecommissionAgent>,
    Path(id): Path<AgentId>,
    _: NoQuery,
) -> Result<StatusCode, Problem> {
    agents.decommission(&caller, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

impl From<DecommissionError> for Problem {
    fn from(error: DecommissionError) -> Self {
        match error {
            DecommissionError::Unknown => Self::forbidden_target(),
            DecommissionError::Rule(agent::DecommissionError::Already) => {
                Self::conflict(Code::AgentAlreadyDecommissioned, error.to_string(), Map::new())
            }
            DecommissionError::Rule(agent::DecommissionError::LastAdmin(error)) => {
                Self::from(error)
            }
            DecommissionError::CallerEnded(_) => Self::token_refused(),
            DecommissionError::Store(error) => Self::from(error),
        }
    }
}
