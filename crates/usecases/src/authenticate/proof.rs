//! Checks the proofs that callers hold a key (RFC 9449): at the token endpoint, and wherever a token
//! that is bound to one is shown.

use std::{fmt, sync::Arc};

use ::tokens::{
    InvalidProof, Nonces, ProofUses,
    dpop::{Epoch, Proof, ProofUse, Shown},
};
use kernel::{OrganizationId, StoreError, Timestamp};
use thiserror::Error;

use super::presented::PresentedProof;
use crate::provider::IdentityProvider;

/// What proofs are checked with, beside a verifier of signatures.
#[derive(Clone)]
pub struct Proofs {
    /// Makes and reads nonces, as all replicas do.
    pub nonces: Nonces,
    /// Remembers which proofs were used.
    pub uses: Arc<dyn ProofUses>,
}

impl fmt::Debug for Proofs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proofs").finish_non_exhaustive()
    }
}

/// Why a proof did not pass.
#[derive(Debug, Error)]
pub(crate) enum ProofError {
    /// It is none, or was used before.
    #[error(transparent)]
    Invalid(#[from] InvalidProof),
    /// It is right, and has no nonce that is good. With one that is.
    #[error("the proof must have the nonce that this answer carries")]
    NonceNeeded(String),
    /// It is not known whether it was used.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G> {
    /// Reads a proof and holds it against its request, and the token that was shown with it, if one
    /// was.
    pub(crate) fn proof(
        &self,
        presented: &PresentedProof,
        token: Option<&str>,
    ) -> Result<Proof, InvalidProof> {
        let PresentedProof { proof, method, url, alias } = presented;
        let shown = Shown { method, url, alias: alias.as_deref(), token };
        Proof::verify(proof, &shown, &*self.parts.verifier, self.now())
    }

    /// Uses a proof, which can be done once. Gives the nonce for the next one.
    pub(crate) async fn use_proof(
        &self,
        organization: OrganizationId,
        proof: &Proof,
    ) -> Result<String, ProofError> {
        let now = self.now();
        let Proofs { nonces, uses } = &self.parts.proofs;
        let nonce = |epoch: Epoch, now: Timestamp| nonces.make(organization, epoch, now);
        let Some(epoch) = proof.nonce().and_then(|told| nonces.read(told, organization, now))
        else {
            return Err(ProofError::NonceNeeded(nonce(uses.epoch(now).await?, now)));
        };
        match uses.use_once(organization, epoch, &proof.single_use(), now).await? {
            ProofUse::First { next } => Ok(nonce(next, now)),
            ProofUse::Again => Err(InvalidProof::Used.into()),
            ProofUse::OtherEpoch { next } => Err(ProofError::NonceNeeded(nonce(next, now))),
        }
    }
}
