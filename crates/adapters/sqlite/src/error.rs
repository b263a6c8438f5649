//! What a refused statement means to a caller.

use kernel::StoreError;
use sqlx::error::DatabaseError;

/// What the triggers say to a write over a row that is there.
const REPLACED: &str = "a row that is there is never replaced";

/// `SQLITE_CONSTRAINT`, the low byte of the code of every constraint: of checks, of triggers, of types.
const CONSTRAINT: u32 = 19;

/// Turns an error of the database into what a use case may know.
///
/// A row that is there already and a row that another refers to in vain both mean that somebody else
/// was faster: what the change was computed from is not so any more. Any other constraint refuses
/// what no correct change is, and would refuse it again: told as an outage, clients would repeat our
/// bug for ever.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(database) if is_conflict(database) => StoreError::Conflict,
        Some(database) if is_refused(database) => StoreError::Refused(error.into()),
        Some(_) | None => StoreError::unavailable(error),
    }
}

fn is_conflict(error: &dyn DatabaseError) -> bool {
    error.is_unique_violation() || error.is_foreign_key_violation() || error.message() == REPLACED
}

fn is_refused(error: &dyn DatabaseError) -> bool {
    let code = error.code().and_then(|code| code.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == CONSTRAINT)
}
