//! What goes out: the contract's JSON, kept apart from the domain's types so that neither binds
//! the other.

mod agent;
mod client_key;
mod credential;
mod organization;
mod page;
mod proof;
mod token;

pub(crate) use agent::AgentView;
pub(crate) use audit::event_view::EventView;
pub(crate) use client_key::{ClientKeyView, subject_member};
pub(crate) use credential::{CredentialView, NewSecretView};
pub(crate) use organization::OrganizationView;
pub(crate) use page::PageView;
pub(crate) use proof::{ConsistencyProofView, InclusionProofView};
pub(crate) use token::ActiveTokenView;
