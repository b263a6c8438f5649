//! `POST /api/v1/agents`: registers an agent.

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use registry::{IdempotencyKey, NewAgent, Permission};
use serde_json::{Map, Value};
use usecases::{Requirement, agents::RegisterError, driving::AgentRegistry};

use super::{capabilities, metadata, resources, roles};
use crate::{
    caller::Authorized,
    content::JsonBody,
    entity_tag::entity_tag,
    error_code::Code,
    fields::{boolean, text},
    json::Json,
    problem::{FieldErrors, Problem},
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
    views::AgentView,
};

/// The endpoint.
pub(crate) struct RegisterAgent;

impl Endpoint for RegisterAgent {
    const ROUTE: Route = Route {
        method: Method::POST,
        path: "/api/v1/agents",
        operation: "createAgent",
        access: Access::Bearer(Requirement::Has(Permission::AgentsWrite)),
        dialect: Dialect::Problem,
        events: &[Action::AgentCreated],
    };
}

const IDEMPOTENCY_KEY: &str = "Idempotency-Key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

pub(crate) async fn handle(
    State(agents): State<Arc<dyn AgentRegistry>>,
    caller: Authorized<RegisterAgent>,
    _: NoQuery,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, Problem> {
    let new = read(&body)?;
    let key = idempotency_key(&headers)?;
    let registered = agents.register(&caller, new, key).await?;
    let view = AgentView::from(&registered.details);
    let record = registered.details.agent.record();
    let location = format!("/api/v1/agents/{}", record.id);
    let location = HeaderValue::try_from(location).map_err(Problem::internal)?;
    let headers = [(header::LOCATION, location), (header::ETAG, entity_tag(record.revision))];
    let mut response = (StatusCode::CREATED, headers, Json(view)).into_response();
    if registered.replayed {
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    Ok(response)
}

fn read(body: &JsonBody) -> Result<NewAgent, Problem> {
    let mut fields = body.fields()?;
    let email = fields.required("email", text);
    let agent_type = fields.required("agentType", text);
    let version = fields.required("version", text);
    let capabilities = fields.required("capabilities", capabilities);
    let owner = fields.required("owner", text);
    let deployment_env = fields.required("deploymentEnv", text);
    let roles = fields.optional("roles", roles);
    let is_public = fields.optional("isPublic", boolean);
    let metadata = fields.optional("metadata", metadata);
    let resources = fields.optional("resources", resources);
    let dpop_bound = fields.optional("dpopBoundAccessTokens", boolean);
    fields.ignore("organizationId");
    fields.finish(|| {
        Some(NewAgent {
            email: email?,
            agent_type: agent_type?,
            version: version?,
            capabilities: capabilities?,
            owner: owner?,
            deployment_env: deployment_env?,
            roles: roles.unwrap_or_default(),
            is_public: is_public.unwrap_or_default(),
            metadata: metadata.unwrap_or_default(),
            resources: resources.unwrap_or_default(),
            dpop_bound_access_tokens: dpop_bound.unwrap_or_default(),
        })
    })
}

/// Reads the key; one that is given twice is none, since nobody can tell which was meant.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let refused = |reason: String| Problem::validation(FieldErrors::of(IDEMPOTENCY_KEY, reason));
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(refused("is given more than once".to_owned()));
    }
    let text = value.to_str().unwrap_or_default();
    text.parse()
        .map(Some)
        .map_err(|error: registry::idempotency::InvalidIdempotencyKey| refused(error.to_string()))
}

impl From<RegisterError> for Problem {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::EmailTaken => {
                Self::conflict(Code::AgentAlreadyExists, error.to_string(), Map::new())
            }
            RegisterError::Full { plan, reached } => {
                Self::used_up(error.to_string(), (reached.limit, reached.used), plan)
            }
            RegisterError::Roles(refused) => Self::denied(refused.to_string()),
            RegisterError::Resources(refused) => Self::denied(refused.to_string()),
            RegisterError::KeyReused { existing } => {
                let existing = ("existingId".to_owned(), Value::from(existing.to_string()));
                let details = Map::from_iter([existing]);
                Self::conflict(Code::IdempotencyConflict, error.to_string(), details)
            }
            RegisterError::CallerEnded(_) => Self::token_refused(),
            RegisterError::Store(error) => Self::from(error),
            RegisterError::Entropy(error) => Self::unavailable(error),
        }
    }
}
