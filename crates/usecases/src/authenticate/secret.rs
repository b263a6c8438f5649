//! Authenticates a client by its secret (RFC 6749 section 2.3.1).

use ::credentials::{Means, PresentedSecret};
use audit::{Directory, Notes, Transactor};
use kernel::{AgentId, OrganizationId, Secret, StoreError};
use registry::Agent;
use tenancy::Origin;

use super::{
    client::ClientError,
    facts::KnowsParties,
    parties::{Found, Parties},
    refuse::Named,
};
use crate::{caller::AuthenticatedClient, provider::IdentityProvider};

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Directory + Notes,
    S::View: KnowsParties,
{
    /// The client whose id and secret these are.
    pub(super) async fn by_secret(
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
        let is_right = match &*parties.credential {
            Means::Secret(credential) => {
                self.parts.peppers.verify(secret, &credential.record().hash)
            }
            // Its id may stand in a secret that somebody made up.
            Means::Key(_) => {
                self.parts.peppers.verify_nothing(secret);
                false
            }
        };
        if !is_right {
            return Err("wrong secret");
        }
        self.authenticated(parties, origin)
    }
}
