//! `POST /api/v1/token/introspect`: says whether a token is good (RFC 7662), signed where the caller
//! asks for that (RFC 9701).

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use kernel::ExposeSecret;
use registry::Permission;
use serde::Serialize;
use serde_json::{Map, Value};
use usecases::{Caller, Requirement, driving::AuthorizationServer, tokens::Introspection};

use super::{NO_STORE, answer};
use crate::{
    caller::OAuthCallers,
    content::FormBody,
    negotiation::prefers,
    oauth_error::OAuthError,
    route::{Access, Dialect, Endpoint, Route},
    views::ActiveTokenView,
};

/// The endpoint.
pub(crate) struct IntrospectToken;

impl Endpoint for IntrospectToken {
    const ROUTE: Route = Route {
        method: Method::POST,
        path: "/api/v1/token/introspect",
        operation: "introspectToken",
        access: Access::ClientOrBearer(Requirement::Has(Permission::TokensIntrospect)),
        dialect: Dialect::OAuth,
        events: &[Action::TokenIntrospected],
    };
}

/// The answer. Of a token that is not good it says nothing else (RFC 7662 section 2.2).
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum IntrospectionView {
    Active(Box<ActiveTokenView>),
    Inactive { active: bool },
}

impl From<&Introspection> for IntrospectionView {
    fn from(answer: &Introspection) -> Self {
        match answer {
            Introspection::Active(token) => Self::Active(Box::new(ActiveTokenView::from(token))),
            Introspection::Inactive => Self::Inactive { active: false },
        }
    }
}

/// The media type of a signed answer (RFC 9701 section 4).
const SIGNED: &str = "application/token-introspection+jwt";

pub(crate) async fn handle(
    State(server): State<Arc<dyn AuthorizationServer>>,
    callers: OAuthCallers<IntrospectToken>,
    headers: HeaderMap,
    body: FormBody,
) -> Result<Response, OAuthError> {
    let form = body.form(&[])?;
    let caller = callers.caller(&headers, &form).await?;
    let found = server.introspect(&caller, form.required("token")?).await?;
    let view = IntrospectionView::from(&found);
    if prefers(&headers, SIGNED, "application/json") {
        return signed(&*server, &caller, &view).await;
    }
    Ok(answer(view).into_response())
}

/// The same members, signed.
async fn signed(
    server: &dyn AuthorizationServer,
    caller: &Caller,
    view: &IntrospectionView,
) -> Result<Response, OAuthError> {
    let members: Map<String, Value> = serde_json::to_value(view)
        .and_then(serde_json::from_value)
        .map_err(OAuthError::internal)?;
    let jwt = server.sign_introspection(caller, &members).await?;
    let media_type = [(header::CONTENT_TYPE, HeaderValue::from_static(SIGNED))];
    Ok((NO_STORE, media_type, jwt.expose_secret().to_owned()).into_response())
}
