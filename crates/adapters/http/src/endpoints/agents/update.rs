//! `PATCH /api/v1/agents/{agentId}`: changes an agent.

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
};
use kernel::AgentId;
use registry::{AgentPatch, Permission};
use serde_json::Map;
use usecases::{Requirement, agents::UpdateError, driving::AgentRegistry};

use super::{capabilities, metadata, resources, roles};
use crate::{
    caller::Authorized,
    content::JsonBody,
    entity_tag::{entity_tag, if_match},
    error_code::Code,
    fields::{boolean, text},
    json::Json,
    path::Path,
    problem::Problem,
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
    views::AgentView,
};

/// The endpoint.
pub(crate) struct UpdateAgent;

impl Endpoint for UpdateAgent {
    const ROUTE: Route = Route {
        method: Method::PATCH,
        path: "/api/v1/agents/{agentId}",
        operation: "updateAgent",
        access: Access::Bearer(Requirement::Has(Permission::AgentsWrite)),
        dialect: Dialect::Problem,
        events: &[
            Action::AgentUpdated,
            Action::AgentSuspended,
            Action::AgentReactivated,
            Action::AgentRevoked,
        ],
    };
}

const IMMUTABLE: [&str; 4] = ["agentId", "email", "organizationId", "createdAt"];

type Answer = ([(HeaderName, HeaderValue); 1], Json<AgentView>);

pub(crate) async fn handle(
    State(agents): State<Arc<dyn AgentRegistry>>,
    caller: Authorized<UpdateAgent>,
    Path(id): Path<AgentId>,
    _: NoQuery,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Answer, Problem> {
    let patch = read(&body)?;
    let precondition = if_match(&headers)?;
    let details = agents.update(&caller, id, patch, precondition).await?;
    let tag = entity_tag(details.agent.record().revision);
    Ok(([(header::ETAG, tag)], Json(AgentView::from(&details))))
}

fn read(body: &JsonBody) -> Result<AgentPatch, Problem> {
    let mut fields = body.fields()?;
    fields.refuse_immutable(&IMMUTABLE)?;
    fields.refuse_nulls();
    let patch = AgentPatch {
        agent_type: fields.optional("agentType", text),
        version: fields.optional("version", text),
        capabilities: fields.optional("capabilities", capabilities),
        owner: fields.optional("owner", text),
        deployment_env: fields.optional("deploymentEnv", text),
        status: fields.optional("status", text),
        roles: fields.optional("roles", roles),
        is_public: fields.optional("isPublic", boolean),
        metadata: fields.optional("metadata", metadata),
        resources: fields.optional("resources", resources),
        dpop_bound_access_tokens: fields.optional("dpopBoundAccessTokens", boolean),
    };
    fields.finish(|| Some(patch))
}

impl From<UpdateError> for Problem {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::Unknown => Self::forbidden_target(),
            UpdateError::Precondition => Self::precondition_failed(),
            UpdateError::Roles(refused) => Self::denied(refused.to_string()),
            UpdateError::Resources(refused) => Self::denied(refused.to_string()),
            UpdateError::Unbinding(refused) => Self::denied(refused.to_string()),
            UpdateError::Rule(registry::UpdateError::Decommissioned) => {
                Self::conflict(Code::AgentDecommissioned, error.to_string(), Map::new())
            }
            UpdateError::Rule(registry::UpdateError::Transition(error)) => Self::from(error),
            UpdateError::Rule(registry::UpdateError::LastAdmin(error)) => Self::from(error),
            UpdateError::CallerEnded(_) => Self::token_refused(),
            UpdateError::Store(error) => Self::from(error),
        }
    }
}
