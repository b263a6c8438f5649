//! Everything outside a token that decides whether it is good, gathered in one place.

use ::credentials::{ClientKeys, Credentials, Means};
use ::tokens::{Claims, Facts, KeyId, Revocations, Signer, SigningKeys, VerifiedToken};
use audit::{Organizations, Transactor};
use kernel::{ScopeSet, Standing, StoreError};
use registry::Agents;

use super::parties::{Found, Parties};
use crate::provider::IdentityProvider;

/// A view or a transaction in which everybody can be looked up on whom it depends whether a token
/// is good.
pub trait KnowsParties:
    Organizations + Agents + Credentials + ClientKeys + Revocations + SigningKeys
{
}

impl<T> KnowsParties for T where
    T: Organizations + Agents + Credentials + ClientKeys + Revocations + SigningKeys
{
}

/// On what it depends whether a token is good.
pub(crate) struct TokenFacts {
    /// Its organization, agent and credential; `None` where one of them is missing.
    pub(crate) parties: Option<Parties>,
    revoked: bool,
    key_ended: bool,
}

impl TokenFacts {
    /// As the one function that judges weighs them. Whoever is missing is not good.
    pub(crate) fn facts(&self) -> Facts {
        let (standing, grantable) = match &self.parties {
            Some(parties) => (parties.standing(Means::standing), parties.agent.grantable.clone()),
            None => (Standing::Ended, ScopeSet::default()),
        };
        let Self { revoked, key_ended, .. } = *self;
        Facts { standing, revoked, key_ended, grantable }
    }
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor,
    S::View: KnowsParties,
    G: Signer,
{
    /// The facts of a token that was verified: from copies where all of it is there, otherwise from
    /// its own organization. Of a token that is new here, as most are that another replica issued, it
    /// is asked alone whether it was revoked.
    ///
    /// The keys at hand are copies too. Where copies do not count any more, as after this process
    /// stood still, the store is asked whether the token's key is still believed: somebody may have
    /// given it up meanwhile.
    pub(crate) async fn facts(&self, token: &VerifiedToken) -> Result<TokenFacts, StoreError> {
        let (known, claims, now) = (&self.parts.known, token.claims(), self.now());
        // Before the look-up: what begins to count meanwhile is newer than the keys that were asked.
        let keys_count = known.counts(now);
        let missing = match known.token(claims, now) {
            Ok((parties, revoked)) => {
                let key_ended = self.has_given_up(token.key());
                return Ok(TokenFacts { parties: Some(parties), revoked, key_ended });
            }
            Err(missing) => missing,
        };
        let mut view = self.parts.store.view(claims.organization).await?;
        let mut gathered = match missing.parties.filter(|_| keys_count) {
            Some(parties) => {
                let revoked = view.is_revoked(claims.id).await?;
                TokenFacts { parties: Some(parties), revoked, key_ended: false }
            }
            None => gather(&mut view, claims).await?,
        };
        gathered.key_ended = if keys_count {
            self.has_given_up(token.key())
        } else {
            !is_believed(&mut view, token.key()).await?
        };
        if let Some(parties) = &gathered.parties {
            known.keep_token(missing.ticket, claims.id, parties, gathered.revoked);
        }
        Ok(gathered)
    }

    /// Whether the key is not among those at hand any more, though it was when the token was read.
    fn has_given_up(&self, key: &KeyId) -> bool {
        self.parts.signer.algorithm(key).is_none()
    }
}

/// Gathers the facts of a token from what is open already.
pub(crate) async fn gather(
    session: &mut impl KnowsParties,
    claims: &Claims,
) -> Result<TokenFacts, StoreError> {
    let found = Found::find(session, claims.agent, claims.credential).await?;
    let revoked = session.is_revoked(claims.id).await?;
    Ok(TokenFacts { parties: found.whole(), revoked, key_ended: false })
}

/// Whether the store has the key as one that verifies. One that cannot be read is in doubt, and what
/// it signed is not good in doubt.
async fn is_believed(keys: &mut impl SigningKeys, key: &KeyId) -> Result<bool, StoreError> {
    let kept = keys.signing_keys().await?;
    Ok(kept.whole.iter().any(|kept| kept.id() == *key && kept.state().is_published()))
}
