//! Everything outside a token or a secret that decides whether it is good, gathered in one place.

use ::credentials::{Credential, Credentials};
use ::tokens::{Claims, Facts, Revocations};
use audit::{Organizations, Transactor};
use kernel::{AgentId, CredentialId, ScopeSet, Standing, StoreError};
use registry::{Agent, Agents};
use tenancy::Organization;

/// A view or a transaction in which everybody can be looked up on whom it depends whether a token
/// is good.
pub trait KnowsParties: Organizations + Agents + Credentials + Revocations {}

impl<T: Organizations + Agents + Credentials + Revocations> KnowsParties for T {}

/// Those on whom it depends whether a credential or a token of it is good, as far as they exist.
pub(crate) struct Parties {
    pub(crate) organization: Option<Organization>,
    pub(crate) agent: Option<Agent>,
    pub(crate) credential: Option<Credential>,
}

impl Parties {
    /// Looks all of them up, whether the others exist or not, so that the work is the same. A
    /// credential of another agent is none.
    pub(crate) async fn find(
        view: &mut (impl Organizations + Agents + Credentials),
        agent: AgentId,
        credential: CredentialId,
    ) -> Result<Self, StoreError> {
        let organization = view.organization().await?;
        let found = view.agent(agent).await?;
        let credential = view.credential(credential).await?;
        let credential = credential.filter(|credential| credential.agent() == agent);
        Ok(Self { organization, agent: found, credential })
    }

    /// The standing of all of them together. Whoever is missing is not good. The credential's own
    /// is the caller's question: whether it lets somebody in, or whether what it obtained lives.
    pub(crate) fn standing(&self, of_credential: impl FnOnce(&Credential) -> Standing) -> Standing {
        let organization =
            self.organization.as_ref().map_or(Standing::Ended, Organization::standing);
        let agent = self.agent.as_ref().map_or(Standing::Ended, Agent::standing);
        let credential = self.credential.as_ref().map_or(Standing::Ended, of_credential);
        organization.and(agent).and(credential)
    }
}

/// The facts of a token, and whose it is.
pub(crate) struct TokenFacts {
    pub(crate) facts: Facts,
    pub(crate) organization: Option<Organization>,
}

/// Gathers the facts of a token from its own organization.
pub(crate) async fn facts<S>(store: &S, claims: &Claims) -> Result<TokenFacts, StoreError>
where
    S: Transactor,
    S::View: KnowsParties,
{
    gather(&mut store.view(claims.organization).await?, claims).await
}

/// Gathers the facts of a token from what is open already.
pub(crate) async fn gather(
    session: &mut impl KnowsParties,
    claims: &Claims,
) -> Result<TokenFacts, StoreError> {
    let parties = Parties::find(session, claims.agent, claims.credential).await?;
    let revoked = session.is_revoked(claims.id).await?;
    let standing = parties.standing(Credential::standing);
    let grantable = parties.agent.as_ref().map_or_else(ScopeSet::default, Agent::grantable);
    let facts = Facts { standing, revoked, grantable };
    Ok(TokenFacts { facts, organization: parties.organization })
}
