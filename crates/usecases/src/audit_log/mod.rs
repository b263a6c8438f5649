//! Reading the audit log.

mod get;
mod list;

pub use get::GetEventError;
