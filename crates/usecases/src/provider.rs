//! The identity provider: the ports that its use cases work with, put together once.

use std::{num::NonZeroU32, sync::Arc};

use ::credentials::Peppers;
use ::tokens::{TokenPolicy, VerifiedTokens};
use jose::SignatureVerifier;
use kernel::{Clock, Entropy, OrganizationId};
use tenancy::{Plans, Rate, RateLimiter};

use crate::{authenticate::Proofs, known::Known, refusals::RefusalCounts};

/// What an identity provider is made of.
pub struct Parts<S, G> {
    /// Where everything is kept.
    pub store: S,
    /// The platform's own organization, which takes the events that can be laid to no other.
    pub platform: OrganizationId,
    /// Who signs.
    pub signer: G,
    /// Who checks the signatures of others, by their own keys.
    pub verifier: Arc<dyn SignatureVerifier>,
    /// What proofs that a caller holds a key are checked with.
    pub proofs: Proofs,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who counts requests.
    pub limiter: Arc<dyn RateLimiter>,
    /// The keys of the secrets' hashes.
    pub peppers: Peppers,
    /// What every token has in common.
    pub policy: TokenPolicy,
    /// What each plan allows.
    pub plans: Plans,
    /// The copies that callers and tokens are weighed by. The store tells it of every change.
    pub known: Arc<Known>,
    /// The public half of the key that signs checkpoints.
    pub checkpoint_key: [u8; 32],
    /// How often one address may call without authenticating.
    pub unauthenticated: Rate,
    /// How many refusals of one client or address are told one by one in a minute. The rest is
    /// counted.
    pub refusals_told: NonZeroU32,
}

/// The identity provider. Its use cases are its methods, one a file, each bounding only the ports
/// that it needs.
pub struct IdentityProvider<S, G> {
    pub(crate) parts: Parts<S, G>,
    pub(crate) counts: RefusalCounts,
    pub(crate) verified: VerifiedTokens,
}

impl<S, G> IdentityProvider<S, G> {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts<S, G>) -> Self {
        let counts = RefusalCounts::new(parts.platform, parts.refusals_told);
        Self { parts, counts, verified: VerifiedTokens::new() }
    }

    /// Where everything is kept.
    #[must_use]
    pub const fn store(&self) -> &S {
        &self.parts.store
    }

    /// Who signs.
    #[must_use]
    pub const fn signer(&self) -> &G {
        &self.parts.signer
    }

    /// The copies that callers and tokens are weighed by.
    #[must_use]
    pub fn known(&self) -> &Known {
        &self.parts.known
    }

    pub(crate) fn now(&self) -> kernel::Timestamp {
        self.parts.clock.now()
    }

    pub(crate) fn entropy(&self) -> &dyn Entropy {
        &*self.parts.entropy
    }
}

impl<S, G> std::fmt::Debug for IdentityProvider<S, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdentityProvider")
            .field("policy", &self.parts.policy)
            .finish_non_exhaustive()
    }
}

impl<S, G> std::fmt::Debug for Parts<S, G> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("policy", &self.policy).finish_non_exhaustive()
    }
}
