//! Values on their way into columns.

use kernel::{Revision, Timestamp};
use serde_json::{Map, Value as Json};
use uuid::Uuid;

/// A value to bind. How each is kept is the database's own matter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An id.
    Id(Uuid),
    /// An id, or none.
    OptionalId(Option<Uuid>),
    /// A text.
    Text(String),
    /// A text, or none.
    OptionalText(Option<String>),
    /// A whole number; an instant is its microseconds since 1970.
    Number(i64),
    /// A whole number, or none.
    OptionalNumber(Option<i64>),
    /// Yes or no.
    Flag(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// Bytes, or none.
    OptionalBytes(Option<Vec<u8>>),
    /// A list of names.
    Names(Vec<String>),
    /// A JSON object.
    Object(Map<String, Json>),
}

impl Value {
    /// A text.
    #[must_use]
    pub fn text(text: &str) -> Self {
        Self::Text(text.to_owned())
    }

    /// An instant.
    #[must_use]
    pub const fn instant(at: Timestamp) -> Self {
        Self::Number(at.unix_micros())
    }

    /// An instant, or none.
    #[must_use]
    pub fn optional_instant(at: Option<Timestamp>) -> Self {
        Self::OptionalNumber(at.map(Timestamp::unix_micros))
    }

    /// A revision.
    #[must_use]
    pub fn revision(revision: Revision) -> Self {
        Self::Number(i64::from(revision.get()))
    }

    /// A list of names.
    #[must_use]
    pub fn names<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        Self::Names(names.map(str::to_owned).collect())
    }
}

/// By what an update finds its row, if that is still as it was: organization, id and revision.
#[must_use]
pub fn found(organization: Uuid, id: Uuid, expected: Revision) -> [Value; 3] {
    [Value::Id(organization), Value::Id(id), Value::revision(expected)]
}
