//! Everything outside a token that decides whether it is good, gathered in one place.

use ::credentials::Credentials;
use ::tokens::{Claims, Facts, Revocations};
use audit::{Organizations, Transactor};
use kernel::{ScopeSet, Standing, StoreError};
use registry::{Agent, Agents};
use tenancy::Organization;

/// The facts of a token, and whom it belongs to.
pub(crate) struct TokenFacts {
    pub(crate) facts: Facts,
    pub(crate) organization: Option<Organization>,
}

/// Gathers the facts of a token from its own organization. Whoever is missing is not good.
pub(crate) async fn facts<S>(store: &S, claims: &Claims) -> Result<TokenFacts, StoreError>
where
    S: Transactor,
    S::View: Organizations + Agents + Credentials + Revocations,
{
    let mut view = store.view(claims.organization).await?;
    let organization = view.organization().await?;
    let agent = view.agent(claims.agent).await?;
    let credential = view.credential(claims.credential).await?;
    let revoked = view.is_revoked(claims.id).await?;

    let standing = organization
        .as_ref()
        .map_or(Standing::Ended, Organization::standing)
        .and(agent.as_ref().map_or(Standing::Ended, Agent::standing))
        .and(credential.as_ref().map_or(Standing::Ended, |credential| {
            if credential.agent() == claims.agent { credential.standing() } else { Standing::Ended }
        }));
    let grantable = agent.as_ref().map_or_else(ScopeSet::default, Agent::grantable);
    Ok(TokenFacts { facts: Facts { standing, revoked, grantable }, organization })
}
