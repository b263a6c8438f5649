//! `POST /api/v1/agents/{agentId}/keys`: registers a key of a client.

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use credentials::{AddKeyError, LiveCount};
use kernel::AgentId;
use registry::Permission;
use tenancy::Plan;
use usecases::{
    Requirement,
    driving::AgentKeys,
    keys::{AddError, KeyRequest},
};

use super::material::{self, GivenMaterial, field_of};
use crate::{
    caller::Authorized,
    content::JsonBody,
    fields::{text, timestamp},
    json::Json,
    path::Path,
    problem::{FieldErrors, Problem},
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
    supported::Supported,
    views::ClientKeyView,
};

/// The endpoint.
pub(crate) struct AddKey;

impl Endpoint for AddKey {
    const ROUTE: Route = Route {
        method: Method::POST,
        path: "/api/v1/agents/{agentId}/keys",
        operation: "addKey",
        access: Access::Bearer(Requirement::OwnOr(Permission::CredentialsWrite)),
        dialect: Dialect::Problem,
        events: &[Action::KeyAdded],
    };
}

pub(crate) async fn handle(
    State(keys): State<Arc<dyn AgentKeys>>,
    State(supported): State<Arc<Supported>>,
    caller: Authorized<AddKey>,
    Path(agent): Path<AgentId>,
    _: NoQuery,
    body: JsonBody,
) -> Result<Response, Problem> {
    let mut fields = body.fields()?;
    let given = material::read(&mut fields, &supported);
    let name = fields.optional("name", text);
    let expires_at = fields.optional("expiresAt", timestamp);
    fields.ignore("organizationId");
    let (request, of_expiry) = fields.finish(|| {
        let GivenMaterial { material, kid, ends_at } = given?;
        // What ends by itself cannot be of use for longer.
        let ends_by_itself = ends_at.filter(|end| expires_at.is_none_or(|given| *end <= given));
        let of_expiry = if ends_by_itself.is_some() { field_of(&material) } else { "expiresAt" };
        let expires_at = ends_by_itself.or(expires_at);
        Some((KeyRequest { kid, material, name, expires_at }, of_expiry))
    })?;
    let at_fault = AtFault { material: field_of(&request.material), expiry: of_expiry };
    let added = keys.add(&caller, agent, request).await;
    let added = added.map_err(|error| problem(error, &at_fault, caller.plan()))?;
    let location = format!("/api/v1/agents/{agent}/keys/{}", added.key.kid());
    let location = HeaderValue::try_from(location).map_err(Problem::internal)?;
    let view = ClientKeyView::from(&added);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response())
}

/// Which fields the caller must change.
struct AtFault {
    /// Where the material is refused.
    material: &'static str,
    /// Where it has ended already.
    expiry: &'static str,
}

fn problem(error: AddError, at_fault: &AtFault, plan: Plan) -> Problem {
    let message = error.to_string();
    let bad = |field: &str, message: String| Problem::validation(FieldErrors::of(field, message));
    match error {
        AddError::UnknownAgent => Problem::forbidden_target(),
        AddError::AgentEnded(error) => Problem::from(error),
        AddError::Unusable | AddError::Rule(AddKeyError::KidTaken | AddKeyError::Doubled) => {
            bad(at_fault.material, message)
        }
        AddError::Rule(AddKeyError::ExpiryInThePast) => bad(at_fault.expiry, message),
        AddError::Rule(AddKeyError::Limit { used }) => {
            Problem::used_up(message, (LiveCount::MAX, used), plan)
        }
        AddError::Rule(AddKeyError::OtherMethod(other)) => Problem::from(other),
        AddError::CallerEnded(_) => Problem::token_refused(),
        AddError::Store(error) => Problem::from(error),
        AddError::Entropy(error) => Problem::unavailable(error),
    }
}
