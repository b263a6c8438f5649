//! Authenticates a caller of the management API by its token (RFC 6750).

use ::credentials::Credentials;
use ::tokens::{Revocations, Signer, VerifiedToken, judge::judge, jws::verify};
use audit::{Notes, Organizations, Transactor};
use kernel::{ExposeSecret, ScopeSet, Secret, StoreError};
use registry::Agents;
use tenancy::{Actor, Admission, Organization, Origin, Scope};
use thiserror::Error;

use super::{
    Admitted, TokenFacts, facts,
    refuse::{Named, Refused},
};
use crate::{caller::Caller, provider::IdentityProvider};

/// Why a token did not let its bearer in.
#[derive(Debug, Error)]
pub enum BearerError {
    /// It does not verify, is not for this API, is expired, revoked or otherwise dead. With what is
    /// left of the address's rate.
    #[error("the token is not valid, expired or revoked")]
    Invalid(Option<Admission>),
    /// It is used too often, or its address has failed too often.
    #[error("too many requests")]
    RateLimited(Admission),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::View: Organizations + Agents + Credentials + Revocations,
    G: Signer,
{
    /// Authenticates the bearer of a token and counts its request.
    ///
    /// # Errors
    /// [`BearerError`]
    pub async fn authenticate_bearer(
        &self,
        token: &Secret,
        origin: &Origin,
    ) -> Result<Admitted<Caller>, BearerError> {
        let issuer = &self.parts.policy.issuer;
        let verified = verify(token.expose_secret(), issuer, &self.parts.signer);
        let Some(verified) = verified.ok().filter(|token| token.claims().is_only_for(issuer))
        else {
            return Err(self.refuse_bearer(origin, Named::default()).await);
        };
        let claims = verified.claims();
        let Some((organization, permitted)) = self.judged(&verified).await? else {
            let named =
                Named { organization: Some(claims.organization), agent: Some(claims.agent) };
            return Err(self.refuse_bearer(origin, named).await);
        };
        let scope = Scope::new(claims.organization, Actor::Agent(claims.agent), origin.clone());
        let caller = Caller::new(claims.agent, scope, permitted, organization.plan());
        let admission = self.admit(&caller).await?;
        if !admission.admitted {
            return Err(BearerError::RateLimited(admission));
        }
        Ok(Admitted { caller, admission })
    }

    /// The token's organization and what it permits now, if it is good.
    async fn judged(
        &self,
        token: &VerifiedToken,
    ) -> Result<Option<(Organization, ScopeSet)>, StoreError> {
        let TokenFacts { facts, organization } = facts(&self.parts.store, token.claims()).await?;
        let permitted = judge(token, &facts, self.now()).ok();
        Ok(organization.zip(permitted))
    }

    async fn refuse_bearer(&self, origin: &Origin, named: Named) -> BearerError {
        match self.refuse(origin, named, "invalid token").await {
            Ok(Refused::Noted(admission)) => BearerError::Invalid(admission),
            Ok(Refused::TooMany(admission)) => BearerError::RateLimited(admission),
            Err(error) => BearerError::Store(error),
        }
    }
}
