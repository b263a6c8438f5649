//! Authenticates a client, by whatever it presents (RFC 6749 section 2.3).

use ::tokens::Client;
use audit::{Directory, Notes, Transactor};
use jose::{SingleUse, SingleUses};
use kernel::{Standing, StoreError};
use tenancy::{Actor, Admission, Origin, Scope};
use thiserror::Error;

use super::{
    Admitted,
    facts::KnowsParties,
    parties::Parties,
    presented::PresentedClient,
    refuse::{Named, Refused},
};
use crate::{caller::AuthenticatedClient, provider::IdentityProvider};

/// Why a client was not let in. That its id, its secret or its standing is wrong is one error:
/// telling them apart would tell which ids exist.
#[derive(Debug, Error)]
pub enum ClientError {
    /// It failed. With what is left of the address's rate.
    #[error("client authentication failed")]
    Invalid(Option<Admission>),
    /// It asks too often, or its address has failed too often.
    #[error("too many requests")]
    RateLimited(Admission),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Directory + Notes + SingleUses,
    S::View: KnowsParties,
{
    /// Authenticates a client and counts its request.
    ///
    /// Failures count against the address and never against the client, so that nobody can lock a
    /// client out by failing in its name.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn authenticate_client(
        &self,
        presented: &PresentedClient,
        origin: &Origin,
    ) -> Result<Admitted<AuthenticatedClient>, ClientError> {
        let (client, single_use) = match presented {
            PresentedClient::Secret { id, secret } => {
                (self.by_secret((id, secret), origin).await?, None)
            }
            PresentedClient::Assertion { id, assertion } => {
                let by = (id.as_deref(), assertion);
                let (client, single_use) = self.by_assertion(by, origin).await?;
                (client, Some(single_use))
            }
            PresentedClient::Certificate { id, certificate } => {
                (self.by_certificate((id, &**certificate), origin).await?, None)
            }
        };
        let admission = self.admit(&client.as_caller()).await?;
        if !admission.admitted {
            return Err(ClientError::RateLimited(admission));
        }
        // Last of all: whoever is refused for another reason may come again with it.
        if let Some(single_use) = single_use {
            self.use_assertion(&client, &single_use).await?;
        }
        Ok(Admitted { caller: client, admission, nonce: None })
    }

    /// Lets the first use of an assertion pass, at whatever endpoint and replica, and no other.
    async fn use_assertion(
        &self,
        client: &AuthenticatedClient,
        single_use: &SingleUse,
    ) -> Result<(), ClientError> {
        let scope = client.scope();
        let (organization, now) = (scope.organization(), self.now());
        if self.parts.store.use_once(organization, single_use, now).await? {
            return Ok(());
        }
        let named = Named::existing(organization, client.client().agent);
        let reason = "the assertion was used before";
        Err(self.refuse_client(scope.origin(), named, reason).await)
    }
}

impl<S, G> IdentityProvider<S, G> {
    /// The client that these make, if they are good at this moment.
    pub(super) fn authenticated(
        &self,
        parties: Parties,
        origin: &Origin,
    ) -> Result<AuthenticatedClient, &'static str> {
        let now = self.now();
        let standing = parties.standing(|credential| credential.authenticates(now));
        if standing == Standing::Ended {
            return Err("organization, agent or credential not good");
        }
        let Parties { organization, agent, credential } = parties;
        let client = Client {
            agent: agent.id,
            organization: organization.id(),
            agent_type: agent.agent_type,
            credential: credential.id(),
            grantable: agent.grantable.clone(),
            standing,
            dpop_bound: agent.dpop_bound,
        };
        let scope = Scope::new(organization.id(), Actor::Agent(agent.id), origin.clone());
        Ok(AuthenticatedClient::new(client, scope, organization))
    }
}

impl<S, G> IdentityProvider<S, G>
where
    S: Notes,
{
    pub(super) async fn refuse_client(
        &self,
        origin: &Origin,
        named: Named,
        reason: &str,
    ) -> ClientError {
        match self.refuse(origin, named, reason).await {
            Ok(Refused::Noted(admission)) => ClientError::Invalid(admission),
            Ok(Refused::TooMany(admission)) => ClientError::RateLimited(admission),
            Err(error) => ClientError::Store(error),
        }
    }
}
