//! The one way in which a use case reads a token.

use std::sync::Arc;

use ::tokens::{InvalidToken, Signer, VerifiedToken};

use crate::provider::IdentityProvider;

impl<S, G: Signer> IdentityProvider<S, G> {
    /// The token, if it is one of ours. Whether it is good depends on more than itself: see
    /// [`facts`](Self::facts).
    pub(crate) fn verified_token(&self, token: &str) -> Result<Arc<VerifiedToken>, InvalidToken> {
        let parts = &self.parts;
        self.verified.verify(token, &parts.policy.issuer, (&parts.signer, self.now()))
    }
}
