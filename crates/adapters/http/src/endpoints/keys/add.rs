//! `POST /api/v1/agents/{agentId}/keys`: registers a key of a client.

use std::sync::Arc;

use audit::Action;
use axum::{
    Json,
    extract::State,
    http::{HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use credentials::{AddKeyError, ClientKeyId, KeyMaterial, LiveCount};
use jose::Jwk;
use kernel::AgentId;
use registry::Permission;
use serde_json::Value;
use tenancy::Plan;
use usecases::{
    Requirement,
    driving::AgentKeys,
    keys::{AddError, KeyRequest},
};

use crate::{
    caller::Authorized,
    content::JsonBody,
    fields::{Fields, Given, Reason, object, text, timestamp},
    path::Path,
    problem::{FieldErrors, Problem},
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
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
    caller: Authorized<AddKey>,
    Path(agent): Path<AgentId>,
    _: NoQuery,
    body: JsonBody,
) -> Result<Response, Problem> {
    let mut fields = body.fields()?;
    let given = material(&mut fields);
    let name = fields.optional("name", text);
    let expires_at = fields.optional("expiresAt", timestamp);
    fields.ignore("organizationId");
    let request = fields.finish(|| {
        let (material, kid) = given?;
        Some(KeyRequest { kid, material, name, expires_at })
    })?;
    let field = field_of(&request.material);
    let added = keys.add(&caller, agent, request).await;
    let added = added.map_err(|error| problem(error, field, caller.plan()))?;
    let location = format!("/api/v1/agents/{agent}/keys/{}", added.key.kid());
    let location = HeaderValue::try_from(location).map_err(Problem::internal)?;
    let view = ClientKeyView::from(&added);
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(view)).into_response())
}

/// What to authenticate by. There is one kind so far; of several, exactly one must be given.
fn material(fields: &mut Fields) -> Option<(KeyMaterial, Option<ClientKeyId>)> {
    fields.required("jwk", jwk)
}

/// Where the field of each kind stands.
const fn field_of(material: &KeyMaterial) -> &'static str {
    match material {
        KeyMaterial::Jwk(_) => "jwk",
        KeyMaterial::Certificate(_) => "certificate",
        KeyMaterial::Subject(_) => "tlsClientAuth",
    }
}

/// A public key (RFC 7517 section 4), and the `kid` in it.
fn jwk(given: Given) -> Result<(KeyMaterial, Option<ClientKeyId>), Reason> {
    let members = object(given)?;
    let key = Jwk::parse(&members).map_err(|error| error.to_string())?;
    let kid = match members.get("kid") {
        None => None,
        Some(Value::String(kid)) => Some(
            kid.parse().map_err(|error: credentials::material::InvalidKeyId| error.to_string())?,
        ),
        Some(_) => return Err("`kid` must be a string".to_owned()),
    };
    Ok((KeyMaterial::Jwk(key), kid))
}

fn problem(error: AddError, field: &'static str, plan: Plan) -> Problem {
    let message = error.to_string();
    let bad = |field: &str, message: String| Problem::validation(FieldErrors::of(field, message));
    match error {
        AddError::UnknownAgent => Problem::forbidden_target(),
        AddError::AgentEnded(error) => Problem::from(error),
        AddError::Unusable | AddError::Rule(AddKeyError::KidTaken | AddKeyError::Doubled) => {
            bad(field, message)
        }
        AddError::Rule(AddKeyError::ExpiryInThePast) => bad("expiresAt", message),
        AddError::Rule(AddKeyError::Limit { used }) => {
            Problem::used_up(message, (LiveCount::MAX, used), plan)
        }
        AddError::Rule(AddKeyError::OtherMethod(other)) => Problem::from(other),
        AddError::CallerEnded(_) => Problem::token_refused(),
        AddError::Store(error) => Problem::from(error),
        AddError::Entropy(error) => Problem::unavailable(error),
    }
}
