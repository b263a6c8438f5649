//! Authenticates a client by an assertion that it signed (RFC 7523 section 3).

use ::credentials::{ClientKeys, Means, PresentedAssertion, VerifiedAssertion};
use audit::{Directory, Notes, Organizations, Transactor};
use jose::SingleUse;
use kernel::{ExposeSecret, Secret};
use registry::Agents;
use tenancy::Origin;

use super::{client::ClientError, key_holder::KeyHolder, parties::Parties, refuse::Named};
use crate::{caller::AuthenticatedClient, provider::IdentityProvider};

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Directory + Notes,
    S::View: Organizations + Agents + ClientKeys,
{
    /// The client that an assertion is of, and by what it is known that the assertion was used. Only
    /// once that was used for the first time is the client let in.
    ///
    /// No signature is checked for a client that does not exist or has no key: whoever makes up
    /// names costs a look-up and no more.
    pub(super) async fn by_assertion(
        &self,
        (id, assertion): (Option<&str>, &Secret),
        origin: &Origin,
    ) -> Result<(AuthenticatedClient, SingleUse), ClientError> {
        let presented = match PresentedAssertion::read(assertion.expose_secret()) {
            Ok(presented) => presented,
            Err(error) => {
                let nobody = Named::default();
                return Err(self.refuse_client(origin, nobody, &error.to_string()).await);
            }
        };
        let client = presented.client();
        if id.is_some_and(|id| id.parse() != Ok(client)) {
            let reason = "the assertion is another client's";
            return Err(self.refuse_client(origin, Named::default(), reason).await);
        }
        let home = self.parts.store.organization_of(client).await?;
        let holder = self.key_holder(home, client).await?;
        let agent = holder.as_ref().map(|holder| holder.agent.id());
        let named = Named { claimed: Some(client), organization: home, agent };
        match self.let_in(holder, &presented, origin) {
            Ok(let_in) => Ok(let_in),
            Err(reason) => Err(self.refuse_client(origin, named, &reason).await),
        }
    }

    /// The client, if everything about it is right; otherwise why not, for the log alone.
    fn let_in(
        &self,
        holder: Option<KeyHolder>,
        presented: &PresentedAssertion<'_>,
        origin: &Origin,
    ) -> Result<(AuthenticatedClient, SingleUse), String> {
        let holder = holder.ok_or("unknown client")?;
        let at = (self.parts.policy.issuer.as_str(), self.now());
        let verified = presented
            .check(at, &holder.keys, &*self.parts.verifier)
            .map_err(|error| error.to_string())?;
        let VerifiedAssertion { key, single_use, .. } = verified;
        let parties = Parties::of(holder.organization, &holder.agent, Means::Key(Box::new(key)));
        Ok((self.authenticated(parties, origin)?, single_use))
    }
}
