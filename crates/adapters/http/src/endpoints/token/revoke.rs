//! `POST /api/v1/token/revoke`: ends a token before its time (RFC 7009).

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{HeaderMap, Method},
};
use usecases::{Requirement, driving::AuthorizationServer, tokens::RevokeError};

use super::NO_STORE;
use crate::{
    caller::OAuthCallers,
    content::FormBody,
    oauth_error::OAuthError,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct RevokeToken;

impl Endpoint for RevokeToken {
    const ROUTE: Route = Route {
        method: Method::POST,
        path: "/api/v1/token/revoke",
        operation: "revokeToken",
        access: Access::ClientOrBearer(Requirement::Authenticated),
        dialect: Dialect::OAuth,
        events: &[Action::TokenRevoked],
    };
}

pub(crate) async fn handle(
    State(server): State<Arc<dyn AuthorizationServer>>,
    callers: OAuthCallers<RevokeToken>,
    headers: HeaderMap,
    body: FormBody,
) -> Result<impl axum::response::IntoResponse, OAuthError> {
    let form = body.form(&[])?;
    let caller = callers.caller(&headers, &form).await?;
    server.revoke(&caller, form.required("token")?).await?;
    Ok(NO_STORE)
}

impl From<RevokeError> for OAuthError {
    fn from(error: RevokeError) -> Self {
        match error {
            RevokeError::CallerEnded(_) => Self::invalid_client(None),
            RevokeError::Store(error) => Self::from(error),
        }
    }
}
