//! Finds out who calls, before a handler runs: the one place where a route's access is checked.
//!
//! A handler names its endpoint in its signature (`Authorized<GetAgent>`), and what that demands is
//! read from the route table. A handler without it has no caller to hand to a use case.

use std::{marker::PhantomData, ops::Deref, sync::Arc};

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{HeaderMap, StatusCode, request::Parts},
};
use credentials::ShownCertificate;
use kernel::{AgentId, ExposeSecret, Secret};
use tenancy::{Admission, Origin, Scope};
use tokens::Scheme;
use usecases::{
    AuthenticatedClient, Caller, Denial, Requirement,
    authenticate::{Admitted, BearerError, ClientError, PresentedProof, PresentedToken, Refused},
    driving::Authenticator,
};

use crate::{
    client_authentication::{
        Authorization, ClientCredentials, Presented, authorization, client_credentials, presented,
    },
    dpop::{self, Target},
    findings::{self, Findings},
    form_body::Form,
    mutual_tls::ConnectionCertificate,
    oauth_error::OAuthError,
    path::PathParameter,
    problem::Problem,
    rate_limit::retry_after,
    route::{Access, Endpoint},
    state::SharedPorts,
};

/// A caller that meets what this endpoint demands.
pub(crate) struct Authorized<E> {
    caller: Arc<Caller>,
    endpoint: PhantomData<E>,
}

impl<E> Deref for Authorized<E> {
    type Target = Caller;

    fn deref(&self) -> &Caller {
        &self.caller
    }
}

impl<E: Endpoint> FromRequestParts<SharedPorts> for Authorized<E> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, ports: &SharedPorts) -> Result<Self, Problem> {
        let refused = match Self::of_request(parts, ports).await {
            Ok(authorized) => return Ok(authorized),
            Err(refused) => refused,
        };
        // Whoever is told what it needs asks for that, and for no more (RFC 9728 section 5.1).
        Err(match requirement(&E::ROUTE.access).and_then(Requirement::permission) {
            Some(permission) => refused.wanting(permission.scope()),
            None => refused,
        })
    }
}

impl<E: Endpoint> Authorized<E> {
    async fn of_request(parts: &mut Parts, ports: &SharedPorts) -> Result<Self, Problem> {
        let desk = Desk::of(parts, ports);
        let shown = match authorization(&parts.headers) {
            Ok(Some(Authorization::Token(scheme, token))) => {
                desk.shown((scheme, token), &parts.headers)
            }
            // Whoever tries what is not taken here is told what is, and not of a token that was never
            // shown (RFC 6750 section 3.1).
            Ok(Some(Authorization::Basic(_) | Authorization::Unknown) | None) => {
                return Err(desk.refuse(Problem::token_required).await);
            }
            Err(_) => return Err(desk.refuse(Problem::token_refused).await),
        };
        let Some(shown) = shown else { return Err(desk.refuse(Problem::token_refused).await) };
        let mut caller = desk.bearer(&shown).await?;
        let named = Named::of(parts, ports).await;
        if let Some(requirement) = requirement(&E::ROUTE.access)
            && let Err(denied) = caller.meet(requirement, named.agent)
        {
            desk.authenticator().denied(&caller, Denial::Scope(denied)).await?;
            return Err(Problem::insufficient_scope(denied.required.scope()));
        }
        let caller = Arc::new(caller);
        let admitted = findings::Admitted { caller: Arc::clone(&caller), target: named.last };
        desk.findings.note_admitted(admitted);
        Ok(Self { caller, endpoint: PhantomData })
    }
}

const fn requirement(access: &Access) -> Option<Requirement> {
    match access {
        Access::Bearer(requirement) | Access::ClientOrBearer(requirement) => Some(*requirement),
        Access::Probe | Access::Public | Access::Client => None,
    }
}

/// What the path names. A path of another form names nobody; that it is of another form is told later,
/// to a caller that may know.
#[derive(Default)]
struct Named {
    /// The agent.
    agent: Option<AgentId>,
    /// The last id, whatever it is of. What clients call their keys is no such id.
    last: Option<AgentId>,
}

impl Named {
    async fn of(parts: &mut Parts, ports: &SharedPorts) -> Self {
        let Ok(path) = RawPathParams::from_request_parts(parts, ports).await else {
            return Self::default();
        };
        let mut named = Self::default();
        for (name, value) in path.iter().filter(|(name, _)| name.ends_with("Id")) {
            named.last = value.parse().ok();
            if name == AgentId::NAME {
                named.agent = named.last;
            }
        }
        named
    }
}

/// Where a request authenticates: who asks, and where the outcome is noted.
struct Desk {
    ports: SharedPorts,
    findings: Findings,
    target: Target,
    certificate: Option<ConnectionCertificate>,
}

impl Desk {
    fn of(parts: &Parts, ports: &SharedPorts) -> Self {
        Self {
            ports: ports.clone(),
            findings: Findings::of_request(parts),
            target: Target::of(&parts.method, &parts.uri),
            certificate: parts.extensions.get::<ConnectionCertificate>().cloned(),
        }
    }

    fn authenticator(&self) -> &dyn Authenticator {
        &*self.ports.authenticator
    }

    fn origin(&self) -> &Origin {
        self.findings.origin()
    }

    fn admit<T>(&self, admitted: Admitted<T>, scope: impl Fn(&T) -> &Scope) -> T {
        self.findings.note_admission(admitted.admission);
        self.findings.note_nonce(admitted.nonce);
        let scope = scope(&admitted.caller);
        self.findings.note_caller(scope.organization(), scope.actor().agent());
        admitted.caller
    }

    /// The proof that came with the request.
    fn proof(&self, headers: &HeaderMap) -> PresentedProof {
        let ports = &self.ports;
        let server = (ports.authorization_server.issuer(), ports.supported.aliases());
        self.target.proof(headers, server)
    }

    /// A token, and the proof that came with it where it is shown under the scheme for that. `None`
    /// for a proof beside a bearer token: whoever sends both believes that its token is bound.
    fn shown(
        &self,
        (scheme, token): (Scheme, Secret),
        headers: &HeaderMap,
    ) -> Option<PresentedToken> {
        let proof = match scheme {
            Scheme::Dpop => Some(self.proof(headers)),
            Scheme::Bearer if headers.contains_key(dpop::PROOF) => return None,
            Scheme::Bearer => None,
        };
        let certificate = self.certificate.as_ref().map(ShownCertificate::thumbprint);
        Some(PresentedToken { token, proof, certificate })
    }

    /// The certificate of the connection, for whoever finds out whether it matters.
    fn certificate(&self) -> Option<Box<dyn ShownCertificate>> {
        Some(Box::new(self.certificate.clone()?))
    }

    async fn bearer(&self, token: &PresentedToken) -> Result<Caller, Problem> {
        match self.authenticator().bearer(token, self.origin()).await {
            Ok(admitted) => Ok(self.admit(admitted, Caller::scope)),
            Err(BearerError::Invalid(admission)) => {
                self.findings.note_any_admission(admission);
                Err(Problem::token_refused())
            }
            Err(BearerError::Proof(invalid, admission)) => {
                self.findings.note_any_admission(admission);
                Err(Problem::proof_refused(invalid))
            }
            Err(BearerError::NonceNeeded(nonce, admission)) => {
                self.findings.note_admission(admission);
                self.findings.note_nonce(Some(nonce));
                Err(Problem::nonce_needed())
            }
            Err(BearerError::RateLimited(admission)) => Err(self.too_many(admission)),
            Err(BearerError::Store(error)) => Err(Problem::from(error)),
        }
    }

    async fn client(&self, sent: ClientCredentials) -> Result<AuthenticatedClient, OAuthError> {
        let method = sent.method;
        match self.authenticator().client(&sent.presented, self.origin()).await {
            Ok(admitted) => Ok(self.admit(admitted, AuthenticatedClient::scope)),
            Err(ClientError::Invalid(admission)) => {
                self.findings.note_any_admission(admission);
                Err(OAuthError::invalid_client(Some(method)))
            }
            Err(ClientError::RateLimited(admission)) => Err(self.too_many_for_oauth(admission)),
            Err(ClientError::Store(error)) => Err(OAuthError::from(error)),
        }
    }

    /// Why a token did not let its bearer in, in the words of an OAuth endpoint.
    fn oauth_refusal(&self, error: BearerError) -> OAuthError {
        match error {
            BearerError::Invalid(admission) => {
                self.findings.note_any_admission(admission);
                OAuthError::invalid_token()
            }
            BearerError::Proof(invalid, admission) => {
                self.findings.note_any_admission(admission);
                OAuthError::proof_refused(invalid)
            }
            BearerError::NonceNeeded(nonce, admission) => {
                self.findings.note_admission(admission);
                self.findings.note_nonce(Some(nonce));
                OAuthError::nonce_needed()
            }
            BearerError::RateLimited(admission) => self.too_many_for_oauth(admission),
            BearerError::Store(error) => OAuthError::from(error),
        }
    }

    /// Notes a caller that presented nothing that could be checked.
    async fn refuse(&self, refusal: impl Fn() -> Problem) -> Problem {
        match self.authenticator().anonymous(self.origin()).await {
            Ok(Refused::Noted(admission)) => {
                self.findings.note_any_admission(admission);
                refusal()
            }
            Ok(Refused::TooMany(admission)) => self.too_many(admission),
            Err(error) => Problem::from(error),
        }
    }

    fn too_many(&self, admission: Admission) -> Problem {
        self.findings.note_admission(admission);
        Problem::rate_limited(retry_after(&admission, self.ports.process.clock.now()))
    }

    fn too_many_for_oauth(&self, admission: Admission) -> OAuthError {
        self.findings.note_admission(admission);
        OAuthError::rate_limited(retry_after(&admission, self.ports.process.clock.now()))
    }
}

/// Authenticates the callers of an OAuth endpoint, which need the form to do so.
pub(crate) struct OAuthCallers<E> {
    desk: Desk,
    endpoint: PhantomData<E>,
}

impl<E: Endpoint> FromRequestParts<SharedPorts> for OAuthCallers<E> {
    type Rejection = OAuthError;

    async fn from_request_parts(
        parts: &mut Parts,
        ports: &SharedPorts,
    ) -> Result<Self, OAuthError> {
        Ok(Self { desk: Desk::of(parts, ports), endpoint: PhantomData })
    }
}

impl<E: Endpoint> OAuthCallers<E> {
    /// The proof that came with the request, if one did.
    pub(crate) fn proof(&self, headers: &HeaderMap) -> Option<PresentedProof> {
        headers.contains_key(dpop::PROOF).then(|| self.desk.proof(headers))
    }

    /// Notes the nonce for the client's next proof.
    pub(crate) fn note_nonce(&self, nonce: Option<String>) {
        self.desk.findings.note_nonce(nonce);
    }

    /// The client, by its own credential alone.
    pub(crate) async fn client(
        &self,
        headers: &HeaderMap,
        form: &Form,
    ) -> Result<AuthenticatedClient, OAuthError> {
        match client_credentials(headers, form, || self.desk.certificate()) {
            Ok(sent) => self.desk.client(sent).await,
            Err(error) => Err(self.refuse(error).await),
        }
    }

    /// The caller, by its own credential or by a token that meets what the endpoint demands.
    pub(crate) async fn caller(
        &self,
        headers: &HeaderMap,
        form: &Form,
    ) -> Result<Caller, OAuthError> {
        match presented(headers, form, || self.desk.certificate()) {
            Ok(Presented::Client(sent)) => {
                self.desk.client(sent).await.map(|client| client.as_caller())
            }
            Ok(Presented::Token(scheme, token)) => self.bearer((scheme, token), headers).await,
            Err(error) => Err(self.refuse(error).await),
        }
    }

    async fn bearer(
        &self,
        (scheme, token): (Scheme, Secret),
        headers: &HeaderMap,
    ) -> Result<Caller, OAuthError> {
        let desk = &self.desk;
        let is_empty = token.expose_secret().is_empty();
        let shown = desk.shown((scheme, token), headers).filter(|_| !is_empty);
        let Some(shown) = shown else {
            return Err(self.refuse(OAuthError::invalid_token()).await);
        };
        let mut caller = match desk.authenticator().bearer(&shown, desk.origin()).await {
            Ok(admitted) => desk.admit(admitted, Caller::scope),
            Err(error) => return Err(desk.oauth_refusal(error)),
        };
        if let Some(requirement) = requirement(&E::ROUTE.access)
            && let Err(denied) = caller.meet(requirement, None)
        {
            desk.authenticator().denied(&caller, Denial::Scope(denied)).await?;
            return Err(OAuthError::insufficient_scope(denied.required.scope()));
        }
        Ok(caller)
    }

    /// Notes a caller that did not authenticate; a request that is merely malformed is not noted.
    async fn refuse(&self, error: OAuthError) -> OAuthError {
        if error.status() != StatusCode::UNAUTHORIZED {
            return error;
        }
        match self.desk.authenticator().anonymous(self.desk.origin()).await {
            Ok(Refused::Noted(admission)) => {
                self.desk.findings.note_any_admission(admission);
                error
            }
            Ok(Refused::TooMany(admission)) => self.desk.too_many_for_oauth(admission),
            Err(error) => OAuthError::from(error),
        }
    }
}
