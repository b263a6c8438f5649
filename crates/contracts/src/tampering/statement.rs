//! SQL that the databases of both stores understand, values apart.

use std::fmt::Write as _;

use audit::Hash;
use uuid::Uuid;

/// Whose SQL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// Ids are bytes, flags are numbers.
    Sqlite,
    /// Ids and flags have types of their own.
    Postgres,
}

/// A value of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number.
    Number(i64),
    /// True or false.
    Flag(bool),
    /// A text, JSON among them.
    Text(String),
    /// An id.
    Id(Uuid),
    /// Bytes.
    Bytes(Vec<u8>),
}

/// A statement. Its values are written into its text: who owns a database need not fear injections.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    text: String,
    values: Vec<Value>,
}

impl Statement {
    /// This text, in which each `?` stands for the next of the values.
    #[must_use]
    pub fn new(text: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Self {
        Self { text: text.into(), values: values.into_iter().collect() }
    }

    /// The statement as a database takes it.
    #[must_use]
    pub fn of(&self, dialect: Dialect) -> String {
        let mut parts = self.text.split('?');
        let mut whole = parts.next().unwrap_or_default().to_owned();
        let mut values = self.values.iter();
        for part in parts {
            whole.push_str(&values.next().unwrap().of(dialect));
            whole.push_str(part);
        }
        assert_eq!(values.next(), None, "a value too many for `{}`", self.text);
        whole
    }
}

impl Value {
    fn of(&self, dialect: Dialect) -> String {
        match (self, dialect) {
            (Self::Null, _) => "NULL".to_owned(),
            (Self::Number(number), _) => number.to_string(),
            (Self::Flag(flag), Dialect::Sqlite) => u8::from(*flag).to_string(),
            (Self::Flag(flag), Dialect::Postgres) => flag.to_string(),
            (Self::Text(text), _) => format!("'{}'", text.replace('\'', "''")),
            (Self::Id(id), Dialect::Sqlite) => format!("x'{}'", id.simple()),
            (Self::Id(id), Dialect::Postgres) => format!("'{id}'"),
            (Self::Bytes(bytes), Dialect::Sqlite) => format!("x'{}'", hex(bytes)),
            (Self::Bytes(bytes), Dialect::Postgres) => format!("'\\x{}'", hex(bytes)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

impl From<Uuid> for Value {
    fn from(id: Uuid) -> Self {
        Self::Id(id)
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Number(i64::try_from(number).unwrap())
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<Hash> for Value {
    fn from(hash: Hash) -> Self {
        Self::Bytes(hash.as_bytes().to_vec())
    }
}

impl From<[u8; 32]> for Value {
    fn from(bytes: [u8; 32]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_database_gets_its_own_form_of_the_same_values() {
        let id = Uuid::from_u128(1);
        let values = [id.into(), true.into(), "it's".into(), Value::Bytes(vec![10]), Value::Null];
        let statement = Statement::new("SELECT ?, ?, ?, ?, ?", values);
        let sqlite = "SELECT x'00000000000000000000000000000001', 1, 'it''s', x'0a', NULL";
        assert_eq!(statement.of(Dialect::Sqlite), sqlite);
        let postgres =
            r"SELECT '00000000-0000-0000-0000-000000000001', true, 'it''s', '\x0a', NULL";
        assert_eq!(statement.of(Dialect::Postgres), postgres);
    }
}
