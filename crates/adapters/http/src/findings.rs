//! What is found out about a request while it is served, for whoever writes its answer and its line in
//! the log.

use std::sync::{Arc, OnceLock};

use axum::http::request::Parts;
use kernel::{AgentId, OrganizationId};
use tenancy::{Admission, Origin};
use usecases::Caller;

/// Where the request comes from, and a place for each thing that is found out later. All clones are of
/// one request.
///
/// It lies in the extensions of the request: once, since each thing there costs an allocation.
#[derive(Debug, Clone)]
pub(crate) struct Findings(Arc<Found>);

#[derive(Debug)]
struct Found {
    origin: Origin,
    caller: OnceLock<(OrganizationId, Option<AgentId>)>,
    admitted: OnceLock<Admitted>,
    admission: OnceLock<Admission>,
    nonce: OnceLock<String>,
}

/// A caller that meets what its route demands, and what it asks for.
#[derive(Debug, Clone)]
pub(crate) struct Admitted {
    /// The caller.
    pub(crate) caller: Arc<Caller>,
    /// The last id in the path. All ids have one form, so any of them is read as any other.
    pub(crate) target: Option<AgentId>,
}

impl Findings {
    /// Of a request of this origin, nothing else is known yet.
    pub(crate) fn of(origin: Origin) -> Self {
        Self(Arc::new(Found {
            origin,
            caller: OnceLock::new(),
            admitted: OnceLock::new(),
            admission: OnceLock::new(),
            nonce: OnceLock::new(),
        }))
    }

    /// Those of a request; of one that came past the layer that begins them, none.
    pub(crate) fn of_request(parts: &Parts) -> Self {
        let begun = parts.extensions.get::<Self>().cloned();
        begun.unwrap_or_else(|| Self::of(Origin::internal()))
    }

    /// Where the request comes from.
    pub(crate) fn origin(&self) -> &Origin {
        &self.0.origin
    }

    /// Notes who turned out to call. The first note stays, as all first notes do.
    pub(crate) fn note_caller(&self, organization: OrganizationId, agent: Option<AgentId>) {
        self.0.caller.get_or_init(|| (organization, agent));
    }

    /// Who turned out to call.
    pub(crate) fn caller(&self) -> Option<&(OrganizationId, Option<AgentId>)> {
        self.0.caller.get()
    }

    /// Notes who was let in.
    pub(crate) fn note_admitted(&self, admitted: Admitted) {
        self.0.admitted.get_or_init(|| admitted);
    }

    /// Who was let in.
    pub(crate) fn admitted(&self) -> Option<&Admitted> {
        self.0.admitted.get()
    }

    /// Notes what the limiter said.
    pub(crate) fn note_admission(&self, admission: Admission) {
        self.0.admission.get_or_init(|| admission);
    }

    /// Notes what the limiter said, if it was asked.
    pub(crate) fn note_any_admission(&self, admission: Option<Admission>) {
        if let Some(admission) = admission {
            self.note_admission(admission);
        }
    }

    /// What the limiter said to this request.
    pub(crate) fn admission(&self) -> Option<&Admission> {
        self.0.admission.get()
    }

    /// Notes the nonce for the caller's next proof, if there is one.
    pub(crate) fn note_nonce(&self, nonce: Option<String>) {
        if let Some(nonce) = nonce {
            self.0.nonce.get_or_init(|| nonce);
        }
    }

    /// The nonce for the caller's next proof.
    pub(crate) fn nonce(&self) -> Option<&str> {
        self.0.nonce.get().map(String::as_str)
    }
}
