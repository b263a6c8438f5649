//! Many rows in one: what the sequencer reads, it reads by the thousand.
//!
//! A row wakes whoever waits for it, which costs two switches between threads, and each of its values
//! an allocation or two: several times what SQLite needs to find it. So a log's events come as one JSON
//! text, an array of arrays. What cannot be read so, such as a text that is no UTF-8, is read row by row.

use data_encoding::HEXUPPER;
use kernel::StoreError;
use serde_json::Value;
use sqlx::types::Uuid;
use stored_rows::{Cells, Value as Bound};

use self::Packing::{Hex, Plain};
use crate::{row::Row, session::Mode, statement::statement};

/// How a column is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Packing {
    /// A text or a number, as itself.
    Plain,
    /// Bytes, in hexadecimal; none as null.
    Hex,
}

/// A column of packed rows.
type Column = (&'static str, Packing);

/// The columns of packed rows, in order, in one list or several. By the first one they are sorted.
pub(crate) type PackedColumns = &'static [&'static [Column]];

/// The columns of an event, as [`event!`] packs them.
pub(crate) const EVENT: &[Column] = &[
    ("id", Hex),
    ("organization_id", Hex),
    ("agent_id", Hex),
    ("action", Plain),
    ("outcome", Plain),
    ("resource_kind", Plain),
    ("resource_id", Plain),
    ("request_id", Plain),
    ("address", Plain),
    ("user_agent", Plain),
    ("used_credential_id", Hex),
    ("metadata", Plain),
    ("occurred_at", Plain),
    ("salt", Hex),
];

/// The value of a column of bytes that may hold none. SQLite's `hex` alone makes the empty
/// text of none as well as of the empty blob.
macro_rules! hex {
    ($column:literal) => {
        concat!("CASE WHEN ", $column, " IS NULL THEN NULL ELSE hex(", $column, ") END")
    };
}
pub(crate) use hex;

/// The values of an event in a packed row.
macro_rules! event {
    () => {
        concat!(
            $crate::packed::hex!("id"),
            ", ",
            $crate::packed::hex!("organization_id"),
            ", ",
            $crate::packed::hex!("agent_id"),
            ", action, outcome, resource_kind, resource_id, request_id, address, user_agent, ",
            $crate::packed::hex!("used_credential_id"),
            ", metadata, occurred_at, ",
            $crate::packed::hex!("salt")
        )
    };
}
pub(crate) use event;

/// A read whose rows can come packed.
pub(crate) struct Packable {
    /// Gives one row with one column, `packed`.
    pub(crate) packed: &'static str,
    /// Gives row by row what the other packs, for the same values.
    pub(crate) plain: &'static str,
    pub(crate) columns: PackedColumns,
}

impl Packable {
    /// The rows, for these values in the order of their places.
    pub(crate) async fn read(
        &self,
        mode: &mut impl Mode,
        values: &[Bound],
    ) -> Result<Vec<AnyRow>, StoreError> {
        let answer = mode.rows(statement(self.packed, values.iter().cloned())).await?;
        if let Some(rows) = unpack(&answer, self.columns) {
            return Ok(rows);
        }
        let rows = mode.rows(statement(self.plain, values.iter().cloned())).await?;
        Ok(rows.into_iter().map(AnyRow::Plain).collect())
    }
}

/// A row, in whichever way it came.
pub(crate) enum AnyRow {
    Packed(PackedRow),
    Plain(Row),
}

/// A row that was packed.
pub(crate) struct PackedRow {
    columns: PackedColumns,
    cells: Vec<Cell>,
}

enum Cell {
    Plain(Value),
    Bytes(Option<Vec<u8>>),
}

/// The rows of an answer that is one packed text. `None` where it is none: they are to be read one by
/// one.
fn unpack(answer: &[Row], columns: PackedColumns) -> Option<Vec<AnyRow>> {
    let text = answer.first()?.text("packed")??;
    let mut rows: Vec<Vec<Value>> = serde_json::from_str(text).ok()?;
    // As they come they are in order, but nothing says that they must be.
    rows.sort_by_key(|row| row.first().and_then(Value::as_i64));
    rows.into_iter().map(|row| unpack_row(row, columns).map(AnyRow::Packed)).collect()
}

fn unpack_row(row: Vec<Value>, columns: PackedColumns) -> Option<PackedRow> {
    let packing = columns.iter().copied().flatten().map(|(_, packing)| *packing);
    if row.len() != packing.clone().count() {
        return None;
    }
    let cells = row.into_iter().zip(packing).map(unpack_cell).collect::<Option<_>>()?;
    Some(PackedRow { columns, cells })
}

fn unpack_cell((value, packing): (Value, Packing)) -> Option<Cell> {
    match packing {
        Plain => Some(Cell::Plain(value)),
        Hex if value.is_null() => Some(Cell::Bytes(None)),
        Hex => Some(Cell::Bytes(Some(HEXUPPER.decode(value.as_str()?.as_bytes()).ok()?))),
    }
}

impl PackedRow {
    fn cell(&self, column: &'static str) -> Option<&Cell> {
        let mut names = self.columns.iter().copied().flatten();
        self.cells.get(names.position(|(name, _)| *name == column)?)
    }

    fn plain(&self, column: &'static str) -> Option<&Value> {
        match self.cell(column)? {
            Cell::Plain(value) => Some(value),
            Cell::Bytes(_) => None,
        }
    }
}

/// What a plain cell holds, if it is of this kind; `Some(None)` where it holds nothing.
fn held<'v, T>(value: &'v Value, kind: impl FnOnce(&'v Value) -> Option<T>) -> Option<Option<T>> {
    if value.is_null() { Some(None) } else { kind(value).map(Some) }
}

impl Cells for PackedRow {
    fn id(&self, column: &'static str) -> Option<Option<Uuid>> {
        let bytes = self.bytes(column)?;
        bytes.map(|bytes| Uuid::from_slice(bytes).ok()).map_or(Some(None), |id| id.map(Some))
    }

    fn text(&self, column: &'static str) -> Option<Option<&str>> {
        held(self.plain(column)?, Value::as_str)
    }

    fn number(&self, column: &'static str) -> Option<Option<i64>> {
        held(self.plain(column)?, Value::as_i64)
    }

    fn flag(&self, column: &'static str) -> Option<bool> {
        self.number(column)?.map(|number| number != 0)
    }

    fn bytes(&self, column: &'static str) -> Option<Option<&[u8]>> {
        match self.cell(column)? {
            Cell::Bytes(bytes) => Some(bytes.as_deref()),
            Cell::Plain(_) => None,
        }
    }

    fn names(&self, column: &'static str) -> Option<Vec<String>> {
        serde_json::from_str(self.text(column)??).ok()
    }
}

/// Asks whichever row it is.
macro_rules! either {
    ($row:expr, $cells:ident => $answer:expr) => {
        match $row {
            AnyRow::Packed($cells) => $answer,
            AnyRow::Plain($cells) => $answer,
        }
    };
}

impl Cells for AnyRow {
    fn id(&self, column: &'static str) -> Option<Option<Uuid>> {
        either!(self, row => row.id(column))
    }

    fn text(&self, column: &'static str) -> Option<Option<&str>> {
        either!(self, row => row.text(column))
    }

    fn number(&self, column: &'static str) -> Option<Option<i64>> {
        either!(self, row => row.number(column))
    }

    fn flag(&self, column: &'static str) -> Option<bool> {
        either!(self, row => row.flag(column))
    }

    fn bytes(&self, column: &'static str) -> Option<Option<&[u8]>> {
        either!(self, row => row.bytes(column))
    }

    fn names(&self, column: &'static str) -> Option<Vec<String>> {
        either!(self, row => row.names(column))
    }
}
