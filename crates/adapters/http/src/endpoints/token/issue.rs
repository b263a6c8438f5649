//! `POST /api/v1/token`: issues a token by client credentials (RFC 6749 section 4.4).

use std::sync::Arc;

use audit::Action;
use axum::{
    extract::State,
    http::{HeaderMap, Method},
};
use kernel::ExposeSecret;
use serde::Serialize;
use tokens::Refusal;
use usecases::{
    driving::AuthorizationServer,
    tokens::{GrantRequest, IssueError, IssuedToken},
};

use super::{Answer, answer};
use crate::{
    caller::OAuthCallers,
    content::FormBody,
    oauth_error::OAuthError,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct IssueToken;

impl Endpoint for IssueToken {
    const ROUTE: Route = Route {
        method: Method::POST,
        path: "/api/v1/token",
        operation: "issueToken",
        access: Access::Client,
        dialect: Dialect::OAuth,
        events: &[Action::TokenIssued],
    };
}

/// The answer (RFC 6749 section 5.1). It has no `Debug`: it holds a token.
#[derive(Serialize)]
pub(crate) struct TokenView {
    access_token: String,
    token_type: &'static str,
    expires_in: u64,
    scope: String,
}

impl From<&IssuedToken> for TokenView {
    fn from(issued: &IssuedToken) -> Self {
        Self {
            access_token: issued.token.expose_secret().to_owned(),
            token_type: issued.scheme.name(),
            expires_in: issued.expires_in.as_secs(),
            scope: issued.scope.to_string(),
        }
    }
}

pub(crate) async fn handle(
    State(server): State<Arc<dyn AuthorizationServer>>,
    callers: OAuthCallers<IssueToken>,
    headers: HeaderMap,
    body: FormBody,
) -> Result<Answer<TokenView>, OAuthError> {
    let form = body.form(&["resource"])?;
    let client = callers.client(&headers, &form).await?;
    let request = GrantRequest {
        grant_type: form.required("grant_type")?.to_owned(),
        scope: form.get("scope").map(str::to_owned),
        resources: form.all("resource").map(str::to_owned).collect(),
        proof: callers.proof(&headers),
    };
    let issued = server.issue(&client, &request).await?;
    let answered = answer(TokenView::from(&issued));
    callers.note_nonce(issued.nonce);
    Ok(answered)
}

impl From<IssueError> for OAuthError {
    fn from(error: IssueError) -> Self {
        let message = error.to_string();
        match error {
            IssueError::Refused(Refusal::GrantType) => Self::unsupported_grant_type(message),
            IssueError::Refused(Refusal::Client) => Self::invalid_client(None),
            IssueError::Refused(Refusal::Proof) => Self::invalid_request(message),
            IssueError::Refused(Refusal::InvalidProof(_)) => Self::invalid_dpop_proof(message),
            IssueError::NonceNeeded(nonce) => Self::use_dpop_nonce(&nonce),
            IssueError::Refused(Refusal::Scope | Refusal::TooLong) => Self::invalid_scope(message),
            IssueError::Refused(Refusal::Target) => Self::invalid_target(message),
            IssueError::Store(error) => Self::from(error),
            IssueError::Entropy(error) => Self::unavailable(error),
            IssueError::Signing(error) => Self::from(error),
        }
    }
}
