//! Tells a resource server what a token says and whether it is still good (RFC 7662), and signs the
//! answer where one is wanted that can be kept (RFC 9701).

use std::sync::Arc;

use ::tokens::{
    Claims, IntrospectionAnswer, Signer, VerifiedToken, judge::judge, port::SigningFailed,
};
use audit::{Action, Event, Notes, Transactor, note};
use kernel::{ScopeSet, Secret, StoreError};
use registry::Permission;
use serde_json::{Map, Value};

use crate::{
    authenticate::KnowsParties,
    caller::{Caller, Requirement},
    provider::IdentityProvider,
};

/// A token that is good, as its own claims and the present say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveToken {
    token: Arc<VerifiedToken>,
    scope: ScopeSet,
}

impl ActiveToken {
    /// What it says.
    #[must_use]
    pub fn claims(&self) -> &Claims {
        self.token.claims()
    }

    /// What it permits at this moment.
    #[must_use]
    pub const fn scope(&self) -> &ScopeSet {
        &self.scope
    }
}

/// The answer to an introspection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Introspection {
    /// It is good.
    Active(ActiveToken),
    /// It is not, or is none, or is not the caller's to know of: those are one answer.
    Inactive,
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::View: KnowsParties,
    G: Signer,
{
    /// Introspects a token of the caller's organization. Without the permission, a caller learns
    /// only of its own tokens; with the one of a resource server alone, also of those for its
    /// resources.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be known whether the token is good: never an answer in doubt.
    pub async fn introspect_token(
        &self,
        caller: &Caller,
        token: &str,
    ) -> Result<Introspection, StoreError> {
        let known = match self.verified_token(token).ok() {
            Some(verified) if self.may_know(caller, verified.claims()).await? => Some(verified),
            Some(_) | None => None,
        };
        let answer = match &known {
            Some(verified) => self.judge_now(verified).await?,
            None => Introspection::Inactive,
        };
        self.note_introspection(caller, known.as_deref(), &answer).await;
        Ok(answer)
    }

    /// What a caller may learn of is decided by what its agent is at this moment: a role or a
    /// resource that was taken from it counts no more.
    async fn may_know(&self, caller: &Caller, claims: &Claims) -> Result<bool, StoreError> {
        let organization = caller.scope().organization();
        let required = Requirement::OwnOr(Permission::TokensIntrospect);
        if claims.organization != organization || caller.may(required, Some(claims.agent)).is_err()
        {
            return Ok(false);
        }
        if claims.agent == caller.agent() {
            return Ok(true);
        }
        let brief = self.agent_brief(organization, caller.agent()).await?;
        Ok(brief.is_some_and(|brief| brief.introspection_reach.covers(&claims.audience)))
    }

    async fn judge_now(&self, token: &Arc<VerifiedToken>) -> Result<Introspection, StoreError> {
        let gathered = self.facts(token).await?;
        Ok(match judge(token, &gathered.facts(), self.now()) {
            Ok(scope) => Introspection::Active(ActiveToken { token: Arc::clone(token), scope }),
            Err(_) => Introspection::Inactive,
        })
    }

    /// An introspection changes nothing and grants nothing, so a log that is out of reach does not
    /// stop it; it is told to the operator instead.
    async fn note_introspection(
        &self,
        caller: &Caller,
        token: Option<&VerifiedToken>,
        answer: &Introspection,
    ) {
        let active = matches!(answer, Introspection::Active(_));
        let event = Event::success(Action::TokenIntrospected).with("active", active);
        let event = match token {
            Some(token) => event.on(token.claims().id),
            None => event,
        };
        if let Err(error) = note(&self.parts.store, caller.scope(), &event).await {
            tracing::error!(error = &error as &dyn std::error::Error, "introspection not noted");
        }
    }
}

impl<S, G: Signer> IdentityProvider<S, G> {
    /// Signs the answer to an introspection, for this caller and nobody else. It is a JWT of a kind of
    /// its own, which is taken for an access token nowhere.
    ///
    /// # Errors
    /// [`SigningFailed`]
    pub async fn sign_introspection(
        &self,
        caller: &Caller,
        members: &Map<String, Value>,
    ) -> Result<Secret, SigningFailed> {
        let signer = &self.parts.signer;
        let (key, algorithm) = signer.active().ok_or(SigningFailed::NoneSigns)?;
        let answer = IntrospectionAnswer {
            issuer: &self.parts.policy.issuer,
            asked_by: caller.agent(),
            answered_at: self.now(),
            members,
        };
        answer.sign((&key, algorithm), signer).await
    }
}
