//! The rows of this database, column by column: a list is an array, an object is read as text.

use kernel::StoreError;
use sqlx::{Decode, Postgres, Row as _, Type, postgres::PgRow, types::Uuid};
use stored_rows::Cells;

/// A row.
pub(crate) struct Row(pub(crate) PgRow);

impl Row {
    fn get<'r, T>(&'r self, column: &'static str) -> Option<T>
    where
        T: Decode<'r, Postgres> + Type<Postgres>,
    {
        self.0.try_get(column).ok()
    }
}

impl Cells for Row {
    fn id(&self, column: &'static str) -> Option<Option<Uuid>> {
        self.get(column)
    }

    fn text(&self, column: &'static str) -> Option<Option<&str>> {
        self.get(column)
    }

    fn number(&self, column: &'static str) -> Option<Option<i64>> {
        self.get(column)
    }

    fn flag(&self, column: &'static str) -> Option<bool> {
        self.get(column)
    }

    fn bytes(&self, column: &'static str) -> Option<Option<&[u8]>> {
        self.get(column)
    }

    fn names(&self, column: &'static str) -> Option<Vec<String>> {
        self.get(column)
    }
}

/// The number in the only column of the only row, such as a count.
pub(crate) fn number(rows: &[Row], table: &'static str) -> Result<u64, StoreError> {
    let corrupt = StoreError::Corrupt { table, column: "count(*)" };
    let number: Option<i64> = rows.first().and_then(|row| row.0.try_get(0).ok());
    number.and_then(|number| u64::try_from(number).ok()).ok_or(corrupt)
}
