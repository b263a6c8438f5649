//! Reading rows back: a value of no possible form is told by table and column, never guessed at.

use std::str::FromStr;

use kernel::{Revision, StoreError, Timestamp};
use serde_json::{Map, Value};
use sqlx::{Decode, Postgres, Row, Type, postgres::PgRow, types::Uuid};

/// A row of a known table.
pub(crate) struct Columns<'r> {
    table: &'static str,
    row: &'r PgRow,
}

impl<'r> Columns<'r> {
    pub(crate) const fn of(table: &'static str, row: &'r PgRow) -> Self {
        Self { table, row }
    }

    /// The error for a column whose value cannot be.
    pub(crate) const fn corrupt(&self, column: &'static str) -> StoreError {
        StoreError::Corrupt { table: self.table, column }
    }

    pub(crate) fn get<T>(&self, column: &'static str) -> Result<T, StoreError>
    where
        T: Decode<'r, Postgres> + Type<Postgres>,
    {
        self.row.try_get(column).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn id<T>(&self, column: &'static str, id: fn(Uuid) -> T) -> Result<T, StoreError> {
        self.get(column).map(id)
    }

    pub(crate) fn optional_id<T>(
        &self,
        column: &'static str,
        id: fn(Uuid) -> T,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.get::<Option<Uuid>>(column)?.map(id))
    }

    pub(crate) fn parsed<T: FromStr>(&self, column: &'static str) -> Result<T, StoreError> {
        self.get::<&str>(column)?.parse().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn optional_parsed<T: FromStr>(
        &self,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        match self.get::<Option<&str>>(column)? {
            Some(text) => text.parse().map(Some).map_err(|_| self.corrupt(column)),
            None => Ok(None),
        }
    }

    pub(crate) fn time(&self, column: &'static str) -> Result<Timestamp, StoreError> {
        Timestamp::from_unix_micros(self.get(column)?).map_err(|_| self.corrupt(column))
    }

    pub(crate) fn optional_time(
        &self,
        column: &'static str,
    ) -> Result<Option<Timestamp>, StoreError> {
        match self.get::<Option<i64>>(column)? {
            Some(micros) => {
                Timestamp::from_unix_micros(micros).map(Some).map_err(|_| self.corrupt(column))
            }
            None => Ok(None),
        }
    }

    pub(crate) fn revision(&self) -> Result<Revision, StoreError> {
        Revision::new(self.get("revision")?).ok_or_else(|| self.corrupt("revision"))
    }

    pub(crate) fn bytes<const N: usize>(
        &self,
        column: &'static str,
    ) -> Result<[u8; N], StoreError> {
        self.get::<&[u8]>(column)?.try_into().map_err(|_| self.corrupt(column))
    }

    pub(crate) fn object(&self, column: &'static str) -> Result<Map<String, Value>, StoreError> {
        serde_json::from_str(self.get(column)?).map_err(|_| self.corrupt(column))
    }

    /// An array of names.
    pub(crate) fn names<T: FromStr>(&self, column: &'static str) -> Result<Vec<T>, StoreError> {
        self.names_by(column, str::parse)
    }

    /// The names of a JSON array, each read in this way.
    pub(crate) fn names_by<T, E>(
        &self,
        column: &'static str,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, StoreError> {
        let names: Vec<String> = self.get(column)?;
        names.iter().map(|name| read(name).map_err(|_| self.corrupt(column))).collect()
    }
}

/// The number in the only column of the only row, such as a count.
pub(crate) fn number(rows: &[PgRow], table: &'static str) -> Result<u64, StoreError> {
    let corrupt = StoreError::Corrupt { table, column: "count(*)" };
    let number: Option<i64> = rows.first().and_then(|row| row.try_get(0).ok());
    number.and_then(|number| u64::try_from(number).ok()).ok_or(corrupt)
}
