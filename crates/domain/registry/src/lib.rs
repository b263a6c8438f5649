//! Agents and their life cycle: who exists, and what each may ask for.
//!
//! # What it is for
//! The registry of the software that acts on its own. Each agent has an immutable identity, a
//! status that decides whether it is good, roles for the management API and capabilities for the
//! resource servers that it calls.
//!
//! # Invariants
//! - An agent changes only through an [`AgentChange`], which only [`Agent`] makes and which knows
//!   its event.
//! - Its id, email, organization and time of creation never change.
//! - `revoked` and `decommissioned` have no way back to `active`.
//! - Leaving `active` moves the watermark below which its tokens are dead.
//! - Only an admin says what resources an agent answers to: tokens for them are issued, and the
//!   agent learns of such tokens.
//! - No capability can be mistaken for a management scope.
//! - An organization keeps at least one active admin.
//!
//! # Order to read it in
//! [`status`], [`role`], [`fields`], [`agent`], [`change`],
//! [`reach`], [`port`].
#![warn(missing_docs)]

pub mod agent;
pub mod change;
pub mod fields;
pub mod idempotency;
pub mod port;
pub mod reach;
pub mod role;
pub mod status;

pub use agent::{Agent, AgentPatch, AgentRecord, LastAdmin, NewAgent, OtherAdmins, UpdateError};
pub use change::{AgentCause, AgentChange, Update};
pub use fields::{
    AgentType, Capabilities, Capability, DeploymentEnv, Email, Metadata, Owner, Resources,
    SoftwareVersion,
};
pub use idempotency::{Fingerprint, IdempotencyKey, PastRegistration, Registration};
pub use port::{AgentFilter, Agents};
pub use reach::IntrospectionReach;
pub use role::{Permission, ResourcesRefused, Role, RoleRefused, Roles, UnbindingRefused};
pub use status::{AgentStatus, StatusName, StatusRequest};
