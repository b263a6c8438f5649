//! Organizations, their plans and limits, and the [`Scope`] that says who acts where.
//!
//! # What it is for
//! An organization is the tenant: agents, credentials and audit events belong to exactly one, and
//! nothing of one is visible from another. A [`Scope`] names the organization, the actor and the
//! request; whatever writes takes it, so that a use case cannot get any of the three wrong.
//!
//! # Invariants
//! - An organization changes only through an [`OrganizationChange`], which only [`Organization`]
//!   makes.
//! - Numbers that limit a plan come from configuration; this crate holds the contract's defaults.
//!
//! # Order to read it in
//! [`organization`], [`plan`], [`scope`], [`limits`].
#![warn(missing_docs)]

pub mod limits;
pub mod organization;
pub mod plan;
pub mod scope;

pub use limits::{Admission, Rate, RateKey, RateLimiter, StandIn};
pub use organization::{
    Kind, Name, Organization, OrganizationCause, OrganizationChange, OrganizationRecord,
    OrganizationStatus, Slug,
};
pub use plan::{Plan, Plans, Quota, QuotaReached, Quotas};
pub use scope::{Actor, Origin, Scope, UserAgent};
