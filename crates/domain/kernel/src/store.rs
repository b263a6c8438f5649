//! What can go wrong in any store, as far as a use case may know.

use std::error::Error as StdError;

use thiserror::Error;

use crate::ports::EntropyUnavailable;

/// An error from the other side of a port, with its cause for the log alone.
pub type Source = Box<dyn StdError + Send + Sync>;

/// Why a store did not do what it was asked to.
///
/// Its text never holds what the source says: that may name a host, a path or a statement.
#[derive(Debug, Error)]
pub enum StoreError {
    /// Somebody else changed the same thing first; nothing was written.
    #[error("the record was changed meanwhile")]
    Conflict,
    /// The store is out of reach, too busy or too slow. Nothing was acknowledged.
    #[error("the store is not available")]
    Unavailable(#[source] Source),
    /// The store holds something to be impossible that it was told to write: a bug, which doing it
    /// again does not mend. Nothing was written.
    #[error("the store refused what cannot be")]
    Refused(#[source] Source),
    /// A stored row is of no possible form; the row needs an operator.
    #[error("table `{table}` holds a row that cannot be: column `{column}`")]
    Corrupt {
        /// The table that holds it.
        table: &'static str,
        /// The column at fault.
        column: &'static str,
    },
}

impl StoreError {
    /// Wraps whatever kept the store from answering.
    pub fn unavailable(source: impl Into<Source>) -> Self {
        Self::Unavailable(source.into())
    }
}

impl From<EntropyUnavailable> for StoreError {
    fn from(source: EntropyUnavailable) -> Self {
        Self::unavailable(source)
    }
}
