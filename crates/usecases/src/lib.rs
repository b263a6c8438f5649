//! What AgentIdP does, one use case a file, over the domain's ports.
//!
//! A use case begins a transaction or opens a view, asks the domain, records what the domain
//! decided, and commits. It holds no rule that the domain could hold, and knows neither HTTP nor
//! SQL. Whatever calls it (HTTP, the command line) sees only the object-safe traits in
//! [`driving`], so that generics stop at the composition root.
//!
//! # Order to read it in
//! [`caller`], [`provider`], [`driving`], then any use case: [`agents`] is a good first one. What is
//! kept of the store in memory, and when it counts, stands in [`known`].
#![warn(missing_docs)]

pub mod agents;
pub mod audit_log;
pub mod authenticate;
pub mod bootstrap;
pub mod caller;
pub mod credentials;
pub mod driving;
pub mod keys;
pub mod known;
pub mod log;
pub mod organization;
pub mod pepper;
pub mod provider;
mod refusals;
pub mod signing_key;
pub mod tokens;

pub use caller::{AuthenticatedClient, Caller, Denial, Denied, Requirement};
pub use known::Known;
pub use provider::{IdentityProvider, Parts};
