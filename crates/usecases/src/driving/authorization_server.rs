//! The port of the authorization server.

use async_trait::async_trait;
use audit::{Apply, Notes, Transactor};
use kernel::{Secret, StoreError};
#[cfg(feature = "mocks")]
use mockall::automock;
use serde_json::{Map, Value};
use tokens::{Algorithm, Issuer, Jwk, Signer, TokenRevoked, port::SigningFailed};

use crate::{
    authenticate::KnowsParties,
    caller::{AuthenticatedClient, Caller},
    provider::IdentityProvider,
    tokens::{GrantRequest, Introspection, IssueError, IssuedToken, RevokeError},
};

/// The authorization server.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait AuthorizationServer: Send + Sync {
    /// See [`IdentityProvider::issue_token`].
    async fn issue(
        &self,
        client: &AuthenticatedClient,
        request: &GrantRequest,
    ) -> Result<IssuedToken, IssueError>;

    /// See [`IdentityProvider::introspect_token`].
    async fn introspect(&self, caller: &Caller, token: &str) -> Result<Introspection, StoreError>;

    /// See [`IdentityProvider::sign_introspection`].
    async fn sign_introspection(
        &self,
        caller: &Caller,
        members: &Map<String, Value>,
    ) -> Result<Secret, SigningFailed>;

    /// See [`IdentityProvider::revoke_token`].
    async fn revoke(&self, caller: &Caller, token: &str) -> Result<(), RevokeError>;

    /// The algorithms that tokens are or will soon be signed with, the one that signs now first.
    fn signing_algorithms(&self) -> Vec<Algorithm>;

    /// The keys that verifiers should know.
    fn published_keys(&self) -> Vec<Jwk>;

    /// The issuer.
    fn issuer(&self) -> &Issuer;
}

#[async_trait]
impl<S, G> AuthorizationServer for IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + Apply<TokenRevoked>,
    S::View: KnowsParties,
    G: Signer,
{
    async fn issue(
        &self,
        client: &AuthenticatedClient,
        request: &GrantRequest,
    ) -> Result<IssuedToken, IssueError> {
        self.issue_token(client, request).await
    }

    async fn introspect(&self, caller: &Caller, token: &str) -> Result<Introspection, StoreError> {
        self.introspect_token(caller, token).await
    }

    async fn sign_introspection(
        &self,
        caller: &Caller,
        members: &Map<String, Value>,
    ) -> Result<Secret, SigningFailed> {
        self.sign_introspection(caller, members).await
    }

    async fn revoke(&self, caller: &Caller, token: &str) -> Result<(), RevokeError> {
        self.revoke_token(caller, token).await
    }

    fn signing_algorithms(&self) -> Vec<Algorithm> {
        self.parts.signer.signing_algorithms()
    }

    fn published_keys(&self) -> Vec<Jwk> {
        self.parts.signer.published()
    }

    fn issuer(&self) -> &Issuer {
        &self.parts.policy.issuer
    }
}
