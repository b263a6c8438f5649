//! Begins a transaction on behalf of a caller, and weighs the caller again inside it.
//!
//! A caller authenticates before its body has arrived. Somebody who is suspended meanwhile could
//! hold back the last byte of a request until then, and still undo the suspension with it. Inside
//! the transaction nothing can come in between. Copies are not asked here: they may be from before.

use ::tokens::judge::judge;
use audit::{Notes, Transactor};
use kernel::{ScopeSet, Standing, StoreError};
use thiserror::Error;

use super::{
    facts::{KnowsParties, gather},
    parties::{Found, Parties},
    refuse::Named,
};
use crate::{
    caller::{Caller, Proof},
    provider::IdentityProvider,
};

/// The caller was let in, and is not good any more, or may not do this any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the caller's token or credential ended meanwhile")]
pub struct CallerEnded;

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties,
{
    /// Begins a transaction for a caller that is still good, and still meets what was required of
    /// it.
    pub(crate) async fn begin_as<E>(&self, caller: &Caller) -> Result<S::Tx, E>
    where
        E: From<StoreError> + From<CallerEnded>,
    {
        let mut tx = self.parts.store.begin(caller.scope().clone()).await?;
        let permitted = self.permitted_now(&mut tx, caller).await?;
        if permitted.is_some_and(|permitted| caller.still_meets(&permitted)) {
            return Ok(tx);
        }
        // A note waits for the transaction in front of it.
        drop(tx);
        let named = Named::existing(caller.scope().organization(), caller.agent());
        self.refuse(caller.scope().origin(), named, "ended meanwhile").await?;
        Err(CallerEnded.into())
    }

    /// What the caller is permitted at this moment; `None` where it is not good.
    async fn permitted_now(
        &self,
        tx: &mut S::Tx,
        caller: &Caller,
    ) -> Result<Option<ScopeSet>, StoreError> {
        let now = self.now();
        match caller.proof() {
            Proof::Token(token) => {
                let gathered = gather(tx, token.claims()).await?;
                Ok(judge(token, &gathered.facts(), now).ok())
            }
            Proof::Credential(id) => {
                let parties = Found::find(tx, caller.agent(), *id).await?.whole();
                let is_good = |parties: &Parties| {
                    parties.standing(|credential| credential.authenticates(now)) != Standing::Ended
                };
                Ok(parties.filter(is_good).map(|parties| parties.agent.grantable.clone()))
            }
        }
    }
}
