//! Issues a token.

use ::tokens::{
    Confirmation, InvalidProof, Refusal, Scheme, Signer, TokenRequest, UnsignedToken,
    issue::{self, issue},
    port::SigningFailed,
};
use audit::{Asker, Notes, Transactor, note};
use futures_util::future::join;
use kernel::{EntropyUnavailable, Resource, ScopeSet, Secret, StoreError};
use registry::Agents;
use std::{collections::BTreeSet, time::Duration};
use thiserror::Error;

use crate::{
    authenticate::{PresentedProof, ProofError},
    caller::AuthenticatedClient,
    provider::IdentityProvider,
};

/// The parameters of a token request, as they came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GrantRequest {
    /// `grant_type`
    pub grant_type: String,
    /// `scope`
    pub scope: Option<String>,
    /// `resource`, each time that it was given.
    pub resources: Vec<String>,
    /// The proof of the key that the token is to be bound to, if one was shown.
    pub proof: Option<PresentedProof>,
}

/// A token that was issued.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token.
    pub token: Secret,
    /// For how long it lives.
    pub expires_in: Duration,
    /// What it permits.
    pub scope: ScopeSet,
    /// How it is shown.
    pub scheme: Scheme,
    /// The nonce for the next proof, where one was shown.
    pub nonce: Option<String>,
}

/// Why no token was issued.
#[derive(Debug, Error)]
pub enum IssueError {
    /// The request is not one that this client may make.
    #[error(transparent)]
    Refused(Refusal),
    /// The proof must have this nonce. That is no refusal, and leaves no event.
    #[error("the proof must have the nonce that this answer carries")]
    NonceNeeded(String),
    /// The store failed: no token leaves without its event.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness for an id.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
    /// The token could not be signed.
    #[error(transparent)]
    Signing(#[from] SigningFailed),
}

impl From<InvalidProof> for IssueError {
    fn from(invalid: InvalidProof) -> Self {
        Self::Refused(Refusal::InvalidProof(invalid))
    }
}

impl From<ProofError> for IssueError {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Invalid(invalid) => Self::from(invalid),
            ProofError::NonceNeeded(nonce) => Self::NonceNeeded(nonce),
            ProofError::Store(error) => Self::Store(error),
        }
    }
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::View: Agents,
    G: Signer,
{
    /// Issues a token to a client that has authenticated. Its event is durable before the token
    /// leaves; the signature is made while the event is being written.
    ///
    /// # Errors
    /// [`IssueError`]
    pub async fn issue_token(
        &self,
        client: &AuthenticatedClient,
        request: &GrantRequest,
    ) -> Result<IssuedToken, IssueError> {
        let (unsigned, nonce) = match self.unsigned(client, request).await {
            Err(IssueError::Refused(refusal)) => {
                let event = refusal.event(client.client());
                let asker = Asker::authenticated(client.client().agent);
                self.note_refusal(client.scope(), &event, asker).await?;
                return Err(IssueError::Refused(refusal));
            }
            Ok(unsigned) => unsigned,
            Err(error) => return Err(error),
        };
        let signer = &self.parts.signer;
        let (key, algorithm) = signer.active().ok_or(SigningFailed::NoneSigns)?;
        let event = unsigned.event();
        let noted = note(&self.parts.store, client.scope(), &event);
        let (noted, token) =
            join(noted, self.verified.sign(&unsigned, (&key, algorithm), signer)).await;
        // Whether it succeeded or not: of what is given up for lost nobody knows.
        let claims = unsigned.claims();
        self.parts.known.issued(claims);
        noted?;
        Ok(IssuedToken {
            token: token?,
            expires_in: claims.expires_at.since(claims.issued_at),
            scope: claims.scope.clone(),
            scheme: Confirmation::scheme(claims.confirmation.as_ref()),
            nonce,
        })
    }

    /// The token, bound to the key of the proof that was shown, if one was (RFC 9449 section 5), and the
    /// nonce for the next one.
    async fn unsigned(
        &self,
        client: &AuthenticatedClient,
        request: &GrantRequest,
    ) -> Result<(UnsignedToken, Option<String>), IssueError> {
        let resources = request.resources.iter().map(String::as_str);
        let shown = request.proof.as_ref();
        let mut request =
            TokenRequest::parse(&request.grant_type, request.scope.as_deref(), resources)
                .map_err(IssueError::Refused)?;
        let proof = shown.map(|shown| self.proof(shown, None)).transpose()?;
        request.confirmation = match &proof {
            Some(proof) => Some(Confirmation::Key(proof.key().clone())),
            None => client.confirmation(),
        };
        let policy = &self.parts.policy;
        let registered =
            self.registered(client, &request.resources_to_find(&policy.issuer)).await?;
        let issued =
            issue(request, client.client(), &registered, policy, self.now(), self.entropy());
        let unsigned = issued.map_err(|error| match error {
            issue::IssueError::Refused(refusal) => IssueError::Refused(refusal),
            issue::IssueError::Entropy(error) => IssueError::Entropy(error),
        })?;
        // Last of all: whoever is refused for another reason may show the same proof again.
        let Some(proof) = proof else { return Ok((unsigned, None)) };
        let nonce = self.use_proof(client.scope().organization(), &proof).await?;
        Ok((unsigned, Some(nonce)))
    }

    /// Which of these an active agent of the client's organization answers to. Where nothing is to
    /// be found, as of most requests, the store is not asked.
    async fn registered(
        &self,
        client: &AuthenticatedClient,
        resources: &[Resource],
    ) -> Result<BTreeSet<Resource>, StoreError> {
        if resources.is_empty() {
            return Ok(BTreeSet::new());
        }
        let mut view = self.parts.store.view(client.scope().organization()).await?;
        view.registered_resources(resources).await
    }
}
