//! What a refused statement means to a caller.

use kernel::StoreError;
use sqlx::error::DatabaseError;

/// What the triggers say to an insert over a row that is there.
const REPLACED: &str = "a row that is there is never replaced";

/// Turns an error of the database into what a use case may know.
///
/// A row that is there already and a row that another refers to in vain both mean that somebody else
/// was faster: what the change was computed from is not so any more.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(database) if is_conflict(database) => StoreError::Conflict,
        Some(_) | None => StoreError::unavailable(error),
    }
}

fn is_conflict(error: &dyn DatabaseError) -> bool {
    error.is_unique_violation() || error.is_foreign_key_violation() || error.message() == REPLACED
}
