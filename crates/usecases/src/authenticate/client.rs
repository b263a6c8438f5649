//! Authenticates a client by its secret (RFC 6749 section 2.3.1).

use ::credentials::{Credentials, PresentedSecret};
use ::tokens::Client;
use audit::{Directory, Notes, Organizations, Transactor};
use kernel::{AgentId, OrganizationId, Secret, Standing, StoreError};
use registry::{Agent, Agents};
use tenancy::{Actor, Admission, Origin, Scope};
use thiserror::Error;

use super::{
    Admitted,
    parties::{Found, Parties},
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
    S: Transactor + Directory + Notes,
    S::View: Organizations + Agents + Credentials,
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
        let client = match presented {
            PresentedClient::Secret { id, secret } => self.by_secret((id, secret), origin).await?,
            PresentedClient::Assertion { .. } | PresentedClient::Certificate { .. } => {
                return Err(self.refuse_client(origin, Named::default(), "unknown method").await);
            }
        };
        let admission = self.admit(&client.as_caller()).await?;
        if !admission.admitted {
            return Err(ClientError::RateLimited(admission));
        }
        Ok(Admitted { caller: client, admission })
    }

    async fn by_secret(
        &self,
        (id, secret): (&str, &Secret),
        origin: &Origin,
    ) -> Result<AuthenticatedClient, ClientError> {
        let parsed = (id.parse(), PresentedSecret::try_from(secret));
        let (Ok(id), Ok(secret)) = parsed else {
            return Err(self.refuse_client(origin, Named::default(), "malformed").await);
        };
        let (named, parties) = self.parties(id, &secret).await?;
        match self.good_client(parties, &secret, origin) {
            Ok(client) => Ok(client),
            Err(reason) => Err(self.refuse_client(origin, named, reason).await),
        }
    }

    /// Whom the client named, and all on whom it depends whether it is let in, if nobody is
    /// missing. Only where there are copies of all of them is the store not asked: an unknown
    /// client and a known one with an unknown credential are the same work.
    async fn parties(
        &self,
        id: AgentId,
        secret: &PresentedSecret,
    ) -> Result<(Named, Option<Parties>), StoreError> {
        let known = &self.parts.known;
        let ticket = match known.client(id, secret.credential(), self.now()) {
            Ok(parties) => {
                let named = Named::existing(parties.organization.id(), id);
                return Ok((named, Some(parties)));
            }
            Err(ticket) => ticket,
        };
        let organization = self.parts.store.organization_of(id).await?;
        let found = self.look_up(organization, id, secret).await?;
        let agent = found.agent.as_ref().map(Agent::id);
        let named = Named { claimed: Some(id), organization, agent };
        let parties = found.whole();
        if let Some(parties) = &parties {
            known.keep_client(ticket, parties);
        }
        Ok((named, parties))
    }

    /// Looks up agent and credential. For an unknown id the same is looked up in the platform's
    /// organization, where it is not: the work, and so the time, are the same.
    async fn look_up(
        &self,
        organization: Option<OrganizationId>,
        id: AgentId,
        secret: &PresentedSecret,
    ) -> Result<Found, StoreError> {
        let place = organization.unwrap_or(self.parts.platform);
        let mut view = self.parts.store.view(place).await?;
        Found::find(&mut view, id, secret.credential()).await
    }

    /// The client, if everything about it is right; otherwise why not, for the log alone. The
    /// secret is hashed and compared in any case.
    fn good_client(
        &self,
        parties: Option<Parties>,
        secret: &PresentedSecret,
        origin: &Origin,
    ) -> Result<AuthenticatedClient, &'static str> {
        let Some(parties) = parties else {
            self.parts.peppers.verify_nothing(secret);
            return Err("unknown client or credential");
        };
        if !self.parts.peppers.verify(secret, &parties.credential.record().hash) {
            return Err("wrong secret");
        }
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

    async fn refuse_client(&self, origin: &Origin, named: Named, reason: &str) -> ClientError {
        match self.refuse(origin, named, reason).await {
            Ok(Refused::Noted(admission)) => ClientError::Invalid(admission),
            Ok(Refused::TooMany(admission)) => ClientError::RateLimited(admission),
            Err(error) => ClientError::Store(error),
        }
    }
}
