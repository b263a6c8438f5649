//! Everything outside a token that decides whether it is good, gathered in one place.

use ::credentials::{ClientKeys, Credentials, Means};
use ::tokens::{Claims, Facts, Revocations};
use audit::{Organizations, Transactor};
use kernel::{ScopeSet, Standing, StoreError};
use registry::Agents;

use super::parties::{Found, Parties};
use crate::provider::IdentityProvider;

/// A view or a transaction in which everybody can be looked up on whom it depends whether a token
/// is good.
pub trait KnowsParties: Organizations + Agents + Credentials + ClientKeys + Revocations {}

impl<T> KnowsParties for T where T: Organizations + Agents + Credentials + ClientKeys + Revocations {}

/// On what it depends whether a token is good.
pub(crate) struct TokenFacts {
    /// Its organization, agent and credential; `None` where one of them is missing.
    pub(crate) parties: Option<Parties>,
    revoked: bool,
}

impl TokenFacts {
    /// As the one function that judges weighs them. Whoever is missing is not good.
    pub(crate) fn facts(&self) -> Facts {
        let (standing, grantable) = match &self.parties {
            Some(parties) => (parties.standing(Means::standing), parties.agent.grantable.clone()),
            None => (Standing::Ended, ScopeSet::default()),
        };
        Facts { standing, revoked: self.revoked, grantable }
    }
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: KnowsParties,
{
    /// The facts of a token that was verified: from copies where all of it is there, otherwise all
    /// of it from its own organization.
    pub(crate) async fn facts(&self, claims: &Claims) -> Result<TokenFacts, StoreError> {
        let known = &self.parts.known;
        let ticket = match known.token(claims, self.now()) {
            Ok((parties, revoked)) => return Ok(TokenFacts { parties: Some(parties), revoked }),
            Err(ticket) => ticket,
        };
        let mut view = self.parts.store.view(claims.organization).await?;
        let gathered = gather(&mut view, claims).await?;
        if let Some(parties) = &gathered.parties {
            known.keep_token(ticket, claims.id, parties, gathered.revoked);
        }
        Ok(gathered)
    }
}

/// Gathers the facts of a token from what is open already.
pub(crate) async fn gather(
    session: &mut impl KnowsParties,
    claims: &Claims,
) -> Result<TokenFacts, StoreError> {
    let found = Found::find(session, claims.agent, claims.credential).await?;
    let revoked = session.is_revoked(claims.id).await?;
    Ok(TokenFacts { parties: found.whole(), revoked })
}
