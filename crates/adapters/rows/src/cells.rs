//! Reading rows back: a value of no possible form is told by table and column, never guessed at.

use std::str::FromStr;

use kernel::{Revision, StoreError, Timestamp};
use serde_json::{Map, Value};
use uuid::Uuid;

/// One row of a database. Each answers `None` where the column is not there or holds another type,
/// and `Some(None)` where it holds nothing.
pub trait Cells {
    /// An id.
    fn id(&self, column: &'static str) -> Option<Option<Uuid>>;
    /// A text.
    fn text(&self, column: &'static str) -> Option<Option<&str>>;
    /// A whole number.
    fn number(&self, column: &'static str) -> Option<Option<i64>>;
    /// Yes or no.
    fn flag(&self, column: &'static str) -> Option<bool>;
    /// Bytes.
    fn bytes(&self, column: &'static str) -> Option<Option<&[u8]>>;
    /// A list of names.
    fn names(&self, column: &'static str) -> Option<Vec<String>>;
}

/// A row of a known table.
#[derive(Debug)]
pub struct Columns<'r, R> {
    table: &'static str,
    row: &'r R,
}

impl<'r, R: Cells> Columns<'r, R> {
    /// The columns of this row of that table.
    pub const fn of(table: &'static str, row: &'r R) -> Self {
        Self { table, row }
    }

    /// The error for a column whose value cannot be.
    #[must_use]
    pub const fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column }
    }

    fn held<T>(&self, column: &'static str, cell: Option<T>) -> Result<T, StoreError> {
        cell.ok_or_else(|| self.corrupt(column))
    }

    /// An id.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn id<T>(&self, column: &'static str, id: fn(Uuid) -> T) -> Result<T, StoreError> {
        self.held(column, self.row.id(column).flatten()).map(id)
    }

    /// An id, or none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_id<T>(
        &self,
        column: &'static str,
        id: fn(Uuid) -> T,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.held(column, self.row.id(column))?.map(id))
    }

    /// A text.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn text(&self, column: &'static str) -> Result<&'r str, StoreError> {
        self.held(column, self.row.text(column).flatten())
    }

    /// A text, or none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_text(&self, column: &'static str) -> Result<Option<&'r str>, StoreError> {
        self.held(column, self.row.text(column))
    }

    /// What a text says.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.text(column)?.parse().map_err(|_| self.corrupt(column))
    }

    /// What a text says, if there is one.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_parsed<T: FromStr>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        match self.optional_text(column)? {
            Some(text) => text.parse().map(Some).map_err(|_| self.corrupt(column)),
            None => Ok(None),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn number(&self, column: &'static str) -> Result<i64, StoreError> {
        self.held(column, self.row.number(column).flatten())
    }

    /// A whole number, or none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_number(&self, column: &'static str) -> Result<Option<i64>, StoreError> {
        self.held(column, self.row.number(column))
    }

    /// An instant.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Timestamp::from_unix_micros(self.number(column)?).map_err(|_| self.corrupt(column))
    }

    /// An instant, or none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_time(&self, column: &'static str) -> Result<Option<Timestamp>, StoreError> {
        match self.optional_number(column)? {
            Some(micros) => {
                Timestamp::from_unix_micros(micros).map(Some).map_err(|_| self.corrupt(column))
            }
            None => Ok(None),
        }
    }

    /// Yes or no.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn flag(&self, column: &'static str) -> Result<bool, StoreError> {
        self.held(column, self.row.flag(column))
    }

    /// The revision, in the column of that name.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn revision(&self) -> Result<Revision, StoreError> {
        Revision::new(self.number("revision")?).ok_or_else(|| self.corrupt("revision"))
    }

    /// Any number of bytes.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn all_bytes(&self, column: &'static str) -> Result<&'r [u8], StoreError> {
        self.held(column, self.row.bytes(column).flatten())
    }

    /// Any number of bytes, or none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_bytes(&self, column: &'static str) -> Result<Option<&'r [u8]>, StoreError> {
        self.held(column, self.row.bytes(column))
    }

    /// A whole number that is not negative.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn count(&self, column: &'static str) -> Result<u64, StoreError> {
        self.optional_count(column)?.ok_or_else(|| self.corrupt(column))
    }

    /// A whole number that is not negative, or none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn optional_count(&self, column: &'static str) -> Result<Option<u64>, StoreError> {
        let number = self.optional_number(column)?;
        number.map(|number| u64::try_from(number).map_err(|_| self.corrupt(column))).transpose()
    }

    /// So many bytes.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn bytes<const N: usize>(&self, column: &'static str) -> Result<[u8; N], StoreError> {
        self.all_bytes(column)?.try_into().map_err(|_| self.corrupt(column))
    }

    /// A JSON object.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn object(&self, column: &'static str) -> Result<Map<String, Value>, StoreError> {
        serde_json::from_str(self.text(column)?).map_err(|_| self.corrupt(column))
    }

    /// A list of names.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn names<T: FromStr>(&self, column: &'static str) -> Result<Vec<T>, StoreError> {
        self.names_by(column, str::parse)
    }

    /// A list of names, each read in this way.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`]
    pub fn names_by<T, E>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, StoreError> {
        let names = self.held(column, self.row.names(column))?;
        names.iter().map(|name| read(name).map_err(|_| self.corrupt(column))).collect()
    }
}
