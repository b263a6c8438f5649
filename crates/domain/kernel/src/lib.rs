//! Typed ids, time, secrets, OAuth scopes and resources, and pages: what every other domain crate speaks in.
//!
//! # What it is for
//! Small values that are right by construction. Text from outside is parsed into one of these
//! at the edge; from there on no function takes a bare `String`, `Uuid` or number where a
//! mix-up could matter.
//!
//! # Invariants
//! - An id is a lower-case, hyphenated UUID, and ids of different kinds are different types.
//! - Nothing here reads a clock or makes a random number: [`Clock`] and [`Entropy`] are ports.
//! - A [`Secret`] is wiped when dropped and prints nothing of itself.
//!
//! # Order to read it in
//! [`ids`], [`time`], [`ports`], [`text`], [`scopes`], [`resource`], [`standing`], [`page`], [`store`].
#![warn(missing_docs)]

pub mod ids;
pub mod page;
pub mod ports;
pub mod resource;
pub mod revision;
pub mod scopes;
pub mod secret;
pub mod standing;
pub mod store;
pub mod text;
pub mod time;

pub use ids::{AgentId, CredentialId, EventId, OrganizationId, RequestId, TokenId};
pub use page::{Limit, Page, PageRequest, Start, Total};
pub use ports::{Clock, Entropy, EntropyUnavailable};
pub use resource::{InvalidResource, Resource};
pub use revision::Revision;
pub use scopes::{ScopeSet, ScopeToken};
pub use secret::{ExposeSecret, Secret};
pub use standing::Standing;
pub use store::StoreError;
pub use text::Text;
pub use time::{CLOCK_SKEW, Timestamp};
