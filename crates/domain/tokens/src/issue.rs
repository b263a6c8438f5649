//! The one function that issues tokens, for every grant there is or will be.

use std::{collections::BTreeSet, time::Duration};

use audit::{Action, Event};
use jose::{Algorithm, KeyId};
use kernel::{
    AgentId, CredentialId, Entropy, EntropyUnavailable, OrganizationId, ScopeSet, Secret, Standing,
    Timestamp, TokenId, standing::after,
};
use serde_json::Value;
use thiserror::Error;

use crate::{
    claims::Claims,
    confirmation::Confirmation,
    dpop::InvalidProof,
    issuer::Issuer,
    jws,
    policy::{Resource, TokenPolicy},
    port::{Signer, SigningFailed},
};

/// The grant that is built.
pub const GRANT_TYPE: &str = "client_credentials";

/// How long scope and audience of a token may be together, in characters: what is more could make a
/// token longer than [`jws::MAX_LENGTH`], which no path here would read, and so none could revoke.
pub const MAX_GRANT_LENGTH: usize = ScopeSet::MAX_LENGTH;

/// The most resources that one token may be for.
pub const MAX_RESOURCES: usize = 8;

/// What a client asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TokenRequest {
    /// The scope; everything that it may ask for where it names none.
    pub scope: Option<ScopeSet>,
    /// What the token is to be for; the issuer's own API where it names nothing.
    pub resources: Vec<Resource>,
    /// What the client showed that it holds, so that the token is bound to it.
    pub confirmation: Option<Confirmation>,
}

impl TokenRequest {
    /// Reads a request of the client credentials grant (RFC 6749 section 4.4.2).
    ///
    /// # Errors
    /// [`Refusal`] naming the parameter at fault.
    pub fn parse<'a>(
        grant_type: &str,
        scope: Option<&str>,
        resources: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, Refusal> {
        if grant_type != GRANT_TYPE {
            return Err(Refusal::GrantType);
        }
        let scope = scope.map(str::parse).transpose().map_err(|_| Refusal::Scope)?;
        let resources: Result<_, _> = resources.into_iter().map(str::parse).collect();
        Ok(Self { scope, resources: resources.map_err(|_| Refusal::Target)?, confirmation: None })
    }

    /// The resources of which [`issue`] must be told whether they are registered: those besides the
    /// issuer, and none of a request that names too many.
    #[must_use]
    pub fn resources_to_find(&self, issuer: &Issuer) -> Vec<Resource> {
        if self.resources.len() > MAX_RESOURCES {
            return Vec::new();
        }
        let others = self.resources.iter().filter(|one| one.as_str() != issuer.as_str());
        others.cloned().collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// The client that asks, as it stands at this moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// The agent.
    pub agent: AgentId,
    /// Its organization.
    pub organization: OrganizationId,
    /// Its type, as the contract spells it.
    pub agent_type: &'static str,
    /// The credential that it authenticated with.
    pub credential: CredentialId,
    /// Everything that it may ask for.
    pub grantable: ScopeSet,
    /// The standing of organization, agent and credential together.
    pub standing: Standing,
    /// Whether it takes only tokens that are bound to a key of its own
    /// (`dpop_bound_access_tokens`, RFC 9449 section 5.2).
    pub dpop_bound: bool,
}

/// Why no token was issued: the errors of RFC 6749 section 5.2 and RFC 8707 section 2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Another grant.
    #[error("the only grant type is `client_credentials`")]
    GrantType,
    /// The organization, the agent or the credential is not good.
    #[error("client authentication failed")]
    Client,
    /// The scope is more than the agent may ask for.
    #[error("the scope is malformed, or more than this client may ask for")]
    Scope,
    /// Everything that the agent may ask for, or what it did ask for, does not fit into a token.
    #[error("the scope and the resources are longer than 4000 characters; ask for less")]
    TooLong,
    /// The client takes only tokens that are bound to a key, and showed no proof of one.
    #[error("this client gets only tokens that are bound to a key: a DPoP proof is missing")]
    Proof,
    /// The proof that it showed is none of this request, or was used.
    #[error("the DPoP proof is refused: {0}")]
    InvalidProof(InvalidProof),
    /// A resource is of another form, or nobody of the organization answers to it, or there are too
    /// many.
    #[error(
        "a resource is an absolute URI without a fragment or a user that is registered with an \
         active agent, and there are at most 8"
    )]
    Target,
}

impl Refusal {
    /// The error code on the wire.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::GrantType => "unsupported_grant_type",
            Self::Client => "invalid_client",
            Self::Proof => "invalid_request",
            Self::InvalidProof(_) => "invalid_dpop_proof",
            Self::Scope | Self::TooLong => "invalid_scope",
            Self::Target => "invalid_target",
        }
    }

    /// The event that the refusal leaves.
    #[must_use]
    pub fn event(self, client: &Client) -> Event {
        Event::failure(Action::TokenRefused)
            .on(client.agent)
            .with("error", self.code())
            .with("credentialId", client.credential.to_string())
    }
}

/// Why nothing could be issued, though the request was good.
#[derive(Debug, Error)]
pub enum IssueError {
    /// The request was not good.
    #[error(transparent)]
    Refused(Refusal),
    /// There is no randomness for an id.
    #[error(transparent)]
    Entropy(EntropyUnavailable),
}

/// A token that waits for its signature. Its event can be made durable meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsignedToken {
    claims: Claims,
}

/// Issues a token: checks the client's standing, narrows scope and audience, sets the lifetime.
///
/// `registered` are those of [`TokenRequest::resources_to_find`] that an active agent of the
/// client's organization answers to. There is no token for anything but these and the issuer
/// (RFC 8707 section 2): nobody here could say that it is good, and whoever it is shown to is nobody
/// whom the organization knows.
///
/// # Errors
/// [`IssueError`]
pub fn issue(
    request: TokenRequest,
    client: &Client,
    registered: &BTreeSet<Resource>,
    policy: &TokenPolicy,
    now: Timestamp,
    entropy: &dyn Entropy,
) -> Result<UnsignedToken, IssueError> {
    let Standing::Good { not_before } = client.standing else {
        return Err(IssueError::Refused(Refusal::Client));
    };
    if client.dpop_bound && !matches!(request.confirmation, Some(Confirmation::Key(_))) {
        return Err(IssueError::Refused(Refusal::Proof));
    }
    let scope = narrow(request.scope, &client.grantable).map_err(IssueError::Refused)?;
    let audience = audience(&request.resources, registered, policy).map_err(IssueError::Refused)?;
    fits(&scope, &audience).map_err(IssueError::Refused)?;
    let id = TokenId::generate(after(not_before, now), entropy).map_err(IssueError::Entropy)?;
    // The id may tell a later instant than now. What others read may not: they would wait for it.
    let issued_at = whole_second(now);
    Ok(UnsignedToken {
        claims: Claims {
            issuer: policy.issuer.as_str().to_owned(),
            agent: client.agent,
            audience,
            organization: client.organization,
            agent_type: client.agent_type.to_owned(),
            credential: client.credential,
            scope,
            issued_at,
            expires_at: issued_at.plus(policy.lifetime.get()),
            id,
            confirmation: request.confirmation,
        },
    })
}

fn narrow(asked: Option<ScopeSet>, grantable: &ScopeSet) -> Result<ScopeSet, Refusal> {
    match asked {
        None => Ok(grantable.clone()),
        Some(asked) if asked.is_within(grantable) => Ok(asked),
        Some(_) => Err(Refusal::Scope),
    }
}

fn audience(
    resources: &[Resource],
    registered: &BTreeSet<Resource>,
    policy: &TokenPolicy,
) -> Result<Vec<String>, Refusal> {
    let known = |one: &Resource| one.as_str() == policy.issuer.as_str() || registered.contains(one);
    if resources.len() > MAX_RESOURCES || !resources.iter().all(known) {
        return Err(Refusal::Target);
    }
    if resources.is_empty() {
        return Ok(vec![policy.issuer.as_str().to_owned()]);
    }
    let mut audience: Vec<_> = resources.iter().map(|one| one.as_str().to_owned()).collect();
    audience.sort_unstable();
    audience.dedup();
    Ok(audience)
}

fn fits(scope: &ScopeSet, audience: &[String]) -> Result<(), Refusal> {
    let audience: usize = audience.iter().map(String::len).sum();
    if scope.as_str().len() + audience > MAX_GRANT_LENGTH {
        return Err(Refusal::TooLong);
    }
    Ok(())
}

fn whole_second(at: Timestamp) -> Timestamp {
    at.minus(Duration::from_micros(u64::try_from(at.unix_micros() % 1_000_000).unwrap_or(0)))
}

impl UnsignedToken {
    /// What it will say.
    #[must_use]
    pub const fn claims(&self) -> &Claims {
        &self.claims
    }

    /// The event that it leaves.
    #[must_use]
    pub fn event(&self) -> Event {
        let claims = &self.claims;
        Event::success(Action::TokenIssued)
            .on(claims.id)
            .using(claims.credential)
            .with("scope", claims.scope.as_str())
            .with("audience", claims.audience.iter().cloned().map(Value::from).collect::<Value>())
            .with("expiresAt", claims.expires_at.to_string())
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`SigningFailed`]
    pub async fn sign(
        &self,
        key: (&KeyId, Algorithm),
        signer: &impl Signer,
    ) -> Result<Secret, SigningFailed> {
        let claims = jws::WireClaims::from(&self.claims);
        jws::sign(jws::signing_input(jws::Kind::AccessToken, &claims, key), key.0, signer).await
    }
}
