//! Ends a token before its time (RFC 7009).

use ::tokens::{Revocations, Signer, TokenRevoked};
use audit::{Action, Apply, Asker, Event, Journal, Notes, Transactor, record};
use kernel::StoreError;
use registry::Permission;
use thiserror::Error;

use crate::{
    authenticate::{CallerEnded, KnowsParties},
    caller::{Caller, Requirement},
    provider::IdentityProvider,
};

/// Why a token was not revoked.
#[derive(Debug, Error)]
pub enum RevokeError {
    /// The caller is not good any more.
    #[error(transparent)]
    CallerEnded(#[from] CallerEnded),
    /// The store failed: the token may still be good.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + Apply<TokenRevoked>,
    G: Signer,
{
    /// Revokes a token of the caller's own, or, with the permission, any of its organization.
    ///
    /// Text that is no token, a token of another organization, one that is expired or revoked
    /// already: nothing happens and the answer is the same (RFC 7009 section 2.2).
    ///
    /// # Errors
    /// [`RevokeError`]
    pub async fn revoke_token(&self, caller: &Caller, token: &str) -> Result<(), RevokeError> {
        let now = self.now();
        let Ok(verified) = self.verified_token(token) else { return Ok(()) };
        let claims = verified.claims();
        if claims.organization != caller.scope().organization() {
            return Ok(());
        }
        let Some(revocation) = TokenRevoked::of(&verified, now) else { return Ok(()) };
        // Remembered, so that the transaction weighs it again: a role may be taken meanwhile.
        let mut caller = caller.clone();
        let required = Requirement::OwnOr(Permission::TokensRevoke);
        if let Err(denied) = caller.meet(required, Some(claims.agent)) {
            let event = Event::failure(Action::AccessDenied)
                .on(claims.id)
                .with("required", denied.required.scope());
            let asker = Asker::authenticated(caller.agent());
            self.note_refusal(caller.scope(), &event, asker).await?;
            return Ok(());
        }
        let mut tx = self.begin_as::<RevokeError>(&caller).await?;
        if !tx.is_revoked(claims.id).await? {
            let (tx, ()) = record(tx, revocation).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}
