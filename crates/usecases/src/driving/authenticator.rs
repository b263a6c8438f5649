//! The port by which somebody is recognised: who calls, and whether they may call now.

use async_trait::async_trait;
use audit::{Directory, Notes, Transactor};
use jose::SingleUses;
use kernel::StoreError;
#[cfg(feature = "mocks")]
use mockall::automock;
use tenancy::{Admission, Origin};
use tokens::Signer;

use crate::{
    authenticate::{
        Admitted, BearerError, ClientError, KnowsParties, PresentedClient, PresentedToken, Refused,
    },
    caller::{AuthenticatedClient, Caller, Denial},
    provider::IdentityProvider,
};

/// Finds out who calls.
#[cfg_attr(feature = "mocks", automock)]
#[async_trait]
pub trait Authenticator: Send + Sync {
    /// See [`IdentityProvider::authenticate_client`].
    async fn client(
        &self,
        presented: &PresentedClient,
        origin: &Origin,
    ) -> Result<Admitted<AuthenticatedClient>, ClientError>;

    /// See [`IdentityProvider::authenticate_bearer`].
    async fn bearer(
        &self,
        token: &PresentedToken,
        origin: &Origin,
    ) -> Result<Admitted<Caller>, BearerError>;

    /// See [`IdentityProvider::admit_visitor`].
    async fn visitor(&self, origin: &Origin) -> Result<Option<Admission>, StoreError>;

    /// See [`IdentityProvider::admit_failure`].
    async fn failure(&self, origin: &Origin) -> Result<Option<Admission>, StoreError>;

    /// See [`IdentityProvider::refuse_anonymous`].
    async fn anonymous(&self, origin: &Origin) -> Result<Refused, StoreError>;

    /// See [`IdentityProvider::note_denial`].
    async fn denied(&self, caller: &Caller, denial: Denial) -> Result<(), StoreError>;
}

#[async_trait]
impl<S, G> Authenticator for IdentityProvider<S, G>
where
    S: Transactor + Directory + Notes + SingleUses,
    S::View: KnowsParties,
    G: Signer,
{
    async fn client(
        &self,
        presented: &PresentedClient,
        origin: &Origin,
    ) -> Result<Admitted<AuthenticatedClient>, ClientError> {
        self.authenticate_client(presented, origin).await
    }

    async fn bearer(
        &self,
        token: &PresentedToken,
        origin: &Origin,
    ) -> Result<Admitted<Caller>, BearerError> {
        self.authenticate_bearer(token, origin).await
    }

    async fn visitor(&self, origin: &Origin) -> Result<Option<Admission>, StoreError> {
        self.admit_visitor(origin).await
    }

    async fn failure(&self, origin: &Origin) -> Result<Option<Admission>, StoreError> {
        self.admit_failure(origin).await
    }

    async fn anonymous(&self, origin: &Origin) -> Result<Refused, StoreError> {
        self.refuse_anonymous(origin).await
    }

    async fn denied(&self, caller: &Caller, denial: Denial) -> Result<(), StoreError> {
        self.note_denial(caller, denial).await
    }
}
