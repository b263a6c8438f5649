//! Issuing tokens, introspecting and revoking them.

mod introspect;
mod issue;
mod revoke;

pub use introspect::{ActiveToken, Introspection};
pub use issue::{GrantRequest, IssueError, IssuedToken};
pub use revoke::RevokeError;
