//! Finding out who calls: by a client's own credential, or by a token.

mod assertion;
mod bearer;
mod begin;
mod brief;
mod certificate;
mod client;
mod facts;
mod key_holder;
mod parties;
mod presented;
mod proof;
mod recorded_proofs;
mod refuse;
mod secret;
mod verified;

pub use bearer::BearerError;
pub use begin::CallerEnded;
pub use client::ClientError;
pub use facts::KnowsParties;
pub(crate) use parties::{AgentBrief, Parties};
pub use presented::{PresentedClient, PresentedProof, PresentedToken};
pub(crate) use proof::ProofError;
pub use proof::Proofs;
pub use recorded_proofs::RecordedProofs;
pub use refuse::Refused;

use kernel::StoreError;
use tenancy::{Admission, RateKey};

use crate::{caller::Caller, provider::IdentityProvider};

/// A caller that was let in, and what the limiter says to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted<T> {
    /// The caller.
    pub caller: T,
    /// What is left of its rate.
    pub admission: Admission,
    /// The nonce for its next proof, where it showed one (RFC 9449 section 8.2).
    pub nonce: Option<String>,
}

impl<S, G> IdentityProvider<S, G> {
    /// Counts one request of a caller.
    async fn admit(&self, caller: &Caller) -> Result<Admission, StoreError> {
        let key = RateKey::Client(caller.scope().organization(), caller.agent());
        let rate = self.parts.plans.quotas(caller.plan()).requests;
        self.parts.limiter.admit(key, rate, self.now()).await
    }
}
