//! `POST /api/v1/token/introspect`: says whether a token is good (RFC 7662).

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{HeaderMap, Method},
};
use registry::Permission;
use serde::Serialize;
use usecases::{Requirement, driving::AuthorizationServer, tokens::Introspection};

use super::{Answer, answer};
use crate::{
    caller::OAuthCallers,
    content::FormBody,
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
            Introspection::Active(token) => Self::Active(Box::new(ActiveTokenView::from(&**token))),
            Introspection::Inactive => Self::Inactive { active: false },
        }
    }
}

pub(crate) async fn handle(
    State(server): State<Arc<dyn AuthorizationServer>>,
    callers: OAuthCallers<IntrospectToken>,
    headers: HeaderMap,
    body: FormBody,
) -> Result<Answer<IntrospectionView>, OAuthError> {
    let form = body.form(&[])?;
    let caller = callers.caller(&headers, &form).await?;
    let found = server.introspect(&caller, form.required("token")?).await?;
    Ok(answer(IntrospectionView::from(&found)))
}
