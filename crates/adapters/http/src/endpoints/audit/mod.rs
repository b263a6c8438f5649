//! The audit log.

pub(crate) mod get;
pub(crate) mod list;
