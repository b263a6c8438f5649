//! Authenticates a client by the certificate of its connection (RFC 8705 section 2).

use ::credentials::{ClientKey, ClientKeys, Examination, Means, ShownCertificate};
use audit::{Directory, Notes, Organizations, Transactor};
use kernel::Standing;
use registry::Agents;
use tenancy::Origin;

use super::{client::ClientError, key_holder::KeyHolder, parties::Parties, refuse::Named};
use crate::{caller::AuthenticatedClient, provider::IdentityProvider};

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Directory + Notes,
    S::View: Organizations + Agents + ClientKeys,
{
    /// The client that has registered this certificate, or the name on it that an authority vouches
    /// for. Its tokens are bound to the certificate.
    ///
    /// No certificate is read, and nobody is asked about its chain, for a client that does not exist or
    /// has registered none: whoever makes up names costs a look-up and no more.
    pub(super) async fn by_certificate(
        &self,
        (id, certificate): (&str, &dyn ShownCertificate),
        origin: &Origin,
    ) -> Result<AuthenticatedClient, ClientError> {
        let Ok(client) = id.parse() else {
            return Err(self.refuse_client(origin, Named::default(), "malformed").await);
        };
        let home = self.parts.store.organization_of(client).await?;
        let holder = self.key_holder(home, client).await?;
        let agent = holder.as_ref().map(|holder| holder.agent.id());
        let named = Named { claimed: Some(client), organization: home, agent };
        match self.holds(holder, certificate, origin) {
            Ok(client) => Ok(client.bound_to(certificate.thumbprint())),
            Err(reason) => Err(self.refuse_client(origin, named, reason).await),
        }
    }

    /// The client, if the certificate is of a key of its own; otherwise why not, for the log alone.
    fn holds(
        &self,
        holder: Option<KeyHolder>,
        certificate: &dyn ShownCertificate,
        origin: &Origin,
    ) -> Result<AuthenticatedClient, &'static str> {
        let KeyHolder { organization, agent, keys } = holder.ok_or("unknown client")?;
        let now = self.now();
        let examination = Examination::new(certificate, now);
        // Of several that match, one may have expired.
        let is_good = |key: &ClientKey| {
            key.authenticates(now) != Standing::Ended && key.matches(&examination)
        };
        let key = keys.into_iter().find(is_good).ok_or_else(|| {
            if examination.found_it_out_of_date() {
                "the certificate is not valid now"
            } else {
                "no key of its own matches the certificate"
            }
        })?;
        self.authenticated(Parties::of(organization, &agent, Means::Key(Box::new(key))), origin)
    }
}
