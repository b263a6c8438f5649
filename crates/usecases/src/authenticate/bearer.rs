//! Authenticates a caller of the management API by its token (RFC 6750), and by the proof that came
//! with it (RFC 9449 section 7).

use std::sync::Arc;

use ::tokens::{
    Held, InvalidProof, Signer, VerifiedToken, confirmation::confirm, dpop::Proof as KeyProof,
    judge::judge,
};
use audit::{Notes, Transactor};
use kernel::{ExposeSecret, Secret, StoreError};
use tenancy::{Actor, Admission, Origin, Scope};
use thiserror::Error;

use super::{
    Admitted, KnowsParties,
    presented::PresentedToken,
    proof::ProofError,
    refuse::{Named, Refused},
};
use crate::{
    caller::{Caller, Proof},
    provider::IdentityProvider,
};

/// Why a token did not let its bearer in.
#[derive(Debug, Error)]
pub enum BearerError {
    /// It does not verify, is not for this API, is expired, revoked or otherwise dead. With what is
    /// left of the address's rate.
    #[error("the token is not valid, expired or revoked")]
    Invalid(Option<Admission>),
    /// The proof that came with it is none of this request, or was used. With what is left of the
    /// address's rate.
    #[error("the proof is refused: {0}")]
    Proof(InvalidProof, Option<Admission>),
    /// The proof must have this nonce. All else is right.
    #[error("the proof must have a nonce of this server")]
    NonceNeeded(String, Admission),
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
    S::View: KnowsParties,
    G: Signer,
{
    /// Authenticates the bearer of a token and counts its request.
    ///
    /// # Errors
    /// [`BearerError`]
    pub async fn authenticate_bearer(
        &self,
        presented: &PresentedToken,
        origin: &Origin,
    ) -> Result<Admitted<Caller>, BearerError> {
        let verified = match self.verified(&presented.token) {
            Ok(verified) => verified,
            Err(reason) => {
                return Err(self.refuse_bearer(origin, Named::default(), &reason).await);
            }
        };
        let claims = verified.claims();
        let named = Named::existing(claims.organization, claims.agent);
        let proof = match self.proof_with(presented) {
            Ok(proof) => proof,
            Err(invalid) => return Err(self.refuse_proof(origin, named, invalid).await),
        };
        let key = proof.as_ref().map(|proof| proof.key().clone());
        let held = Held { key, certificate: presented.certificate };
        if let Err(reason) = confirm(claims.confirmation.as_ref(), &held) {
            return Err(self.refuse_bearer(origin, named, &reason.to_string()).await);
        }
        let gathered = self.facts(&verified).await?;
        let permitted = match judge(&verified, &gathered.facts(), self.now()) {
            Ok(permitted) => permitted,
            Err(dead) => return Err(self.refuse_bearer(origin, named, &dead.to_string()).await),
        };
        let Some(parties) = gathered.parties else {
            return Err(self.refuse_bearer(origin, named, "unknown organization").await);
        };
        let scope = Scope::new(claims.organization, Actor::Agent(claims.agent), origin.clone());
        let (agent, plan) = (claims.agent, parties.organization.plan());
        let organization = claims.organization;
        let weighed = Proof::Token(verified);
        let caller = Caller::new(agent, scope, permitted, plan, weighed);
        let admission = self.admit(&caller).await?;
        if !admission.admitted {
            return Err(BearerError::RateLimited(admission));
        }
        let Some(proof) = proof else { return Ok(Admitted { caller, admission, nonce: None }) };
        match self.use_proof(organization, &proof).await {
            Ok(nonce) => Ok(Admitted { caller, admission, nonce: Some(nonce) }),
            Err(ProofError::Invalid(invalid)) => {
                Err(self.refuse_proof(origin, named, invalid).await)
            }
            Err(ProofError::NonceNeeded(nonce)) => Err(BearerError::NonceNeeded(nonce, admission)),
            Err(ProofError::Store(error)) => Err(BearerError::Store(error)),
        }
    }

    /// The token, if it is one of ours and for this API alone; otherwise why not, for the log
    /// alone.
    fn verified(&self, token: &Secret) -> Result<Arc<VerifiedToken>, String> {
        let verified =
            self.verified_token(token.expose_secret()).map_err(|error| error.to_string())?;
        if verified.claims().is_only_for(&self.parts.policy.issuer) {
            Ok(verified)
        } else {
            Err("the token is for another resource".to_owned())
        }
    }

    /// The proof that came with the token, if it is one of this request and this token.
    fn proof_with(&self, presented: &PresentedToken) -> Result<Option<KeyProof>, InvalidProof> {
        let token = presented.token.expose_secret();
        presented.proof.as_ref().map(|proof| self.proof(proof, Some(token))).transpose()
    }

    async fn refuse_proof(
        &self,
        origin: &Origin,
        named: Named,
        invalid: InvalidProof,
    ) -> BearerError {
        match self.refuse(origin, named, &format!("proof refused: {invalid}")).await {
            Ok(Refused::Noted(admission)) => BearerError::Proof(invalid, admission),
            Ok(Refused::TooMany(admission)) => BearerError::RateLimited(admission),
            Err(error) => BearerError::Store(error),
        }
    }

    async fn refuse_bearer(&self, origin: &Origin, named: Named, reason: &str) -> BearerError {
        match self.refuse(origin, named, reason).await {
            Ok(Refused::Noted(admission)) => BearerError::Invalid(admission),
            Ok(Refused::TooMany(admission)) => BearerError::RateLimited(admission),
            Err(error) => BearerError::Store(error),
        }
    }
}
