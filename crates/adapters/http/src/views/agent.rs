//! An agent, as it goes out.

use serde::Serialize;
use serde_json::{Map, Value};
use usecases::agents::AgentDetails;

/// An agent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AgentView {
    agent_id: String,
    organization_id: String,
    email: String,
    agent_type: &'static str,
    version: String,
    capabilities: Vec<String>,
    owner: String,
    deployment_env: &'static str,
    status: &'static str,
    roles: Vec<&'static str>,
    is_public: bool,
    metadata: Map<String, Value>,
    resources: Vec<String>,
    dpop_bound_access_tokens: bool,
    created_at: String,
    updated_at: String,
    last_auth_at: Option<String>,
}

impl From<&AgentDetails> for AgentView {
    fn from(details: &AgentDetails) -> Self {
        let agent = details.agent.record();
        Self {
            agent_id: agent.id.to_string(),
            organization_id: agent.organization.to_string(),
            email: agent.email.as_str().to_owned(),
            agent_type: agent.agent_type.as_str(),
            version: agent.version.as_str().to_owned(),
            capabilities: agent.capabilities.iter().map(|one| one.as_str().to_owned()).collect(),
            owner: agent.owner.to_string(),
            deployment_env: agent.deployment_env.as_str(),
            status: agent.status.name().as_str(),
            roles: agent.roles.iter().map(registry::Role::name).collect(),
            is_public: agent.is_public,
            metadata: agent.metadata.as_object().clone(),
            resources: agent.resources.iter().map(|one| one.as_str().to_owned()).collect(),
            dpop_bound_access_tokens: agent.dpop_bound_access_tokens,
            created_at: agent.created_at.to_string(),
            updated_at: agent.updated_at.to_string(),
            last_auth_at: details.last_auth_at.map(|at| at.to_string()),
        }
    }
}
