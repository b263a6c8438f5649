//! What a refused statement means to a caller.

use kernel::StoreError;
use sqlx::{error::DatabaseError, postgres::PgDatabaseError};

/// Integrity constraint violations: of checks, of triggers, of types.
const CONSTRAINT: &str = "23";
/// A value that no column can hold.
const DATA: &str = "22";
/// Row-level security, or a right that the server's role does not have any more.
const PRIVILEGE: &str = "42501";
/// The function of the database that says so of row-level security. Its message is in the language of
/// the database; this is not.
const ROW_SECURITY: &str = "ExecWithCheckOptions";
/// Somebody else was chosen to go on, or holds what is needed for too long.
const CHOSEN_AGAINST: [&str; 2] = ["40001", "40P01"];

/// What the server says last on a session: it was ended by somebody, or the server goes down.
const LAST_WORDS: &str = "57P";

/// What the session was given at its beginning, or has prepared since, is not so any more: the
/// database is read only, or was until a moment ago; a column has another type; the statement is gone.
/// The session would say so for ever.
const OUTDATED: [&str; 3] = ["25006", "0A000", "26000"];

/// Whether the session goes on after this error.
pub(crate) fn is_survived(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| !code.starts_with(LAST_WORDS)) && !is_outdated(error)
}

/// Whether this session, and every other that is as old, is of no use any more.
pub(crate) fn is_outdated(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(DatabaseError::code);
    code.is_some_and(|code| OUTDATED.contains(&code.as_ref()))
}

/// Turns an error of the database into what a use case may know.
///
/// A row that is there already and a row that another refers to in vain both mean that somebody else
/// was faster: what the change was computed from is not so any more. Any other constraint refuses
/// what no correct change is, and would refuse it again: told as an outage, clients would repeat our
/// bug for ever. A right that was taken away is one that somebody gives back: an outage.
pub(crate) fn store_error(error: sqlx::Error) -> StoreError {
    match error.as_database_error() {
        Some(database) if is_conflict(database) => StoreError::Conflict,
        Some(database) if is_refused(database) => StoreError::Refused(error.into()),
        Some(_) | None => StoreError::unavailable(error),
    }
}

fn is_conflict(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    error.is_unique_violation()
        || error.is_foreign_key_violation()
        || CHOSEN_AGAINST.contains(&code.as_ref())
}

fn is_refused(error: &dyn DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    code.starts_with(CONSTRAINT)
        || code.starts_with(DATA)
        || (code == PRIVILEGE && is_of_row_security(error))
}

fn is_of_row_security(error: &dyn DatabaseError) -> bool {
    let error = error.try_downcast_ref::<PgDatabaseError>();
    error.and_then(PgDatabaseError::routine) == Some(ROW_SECURITY)
}
