//! A statement that is put together of constants, since a list has many filters and each must be
//! served by its index.

use kernel::PageRequest;
use sqlx::{AssertSqlSafe, types::Uuid};

use crate::session::Statement;

const LIMIT: &str = " LIMIT ?";
const OFFSET: &str = " OFFSET ?";

/// A value to bind.
pub(crate) enum Value {
    Id(Uuid),
    Text(String),
    Number(i64),
}

/// The parts so far. Only constants can be added, so that no value can become a part of the text.
pub(crate) struct Parts {
    sql: String,
    values: Vec<Value>,
}

impl Parts {
    pub(crate) fn new(head: &'static str) -> Self {
        Self { sql: head.to_owned(), values: Vec::new() }
    }

    pub(crate) fn add(&mut self, part: &'static str) {
        self.sql.push_str(part);
    }

    /// Adds a part that holds one place, written `?`, and its value. The place gets its number here.
    pub(crate) fn bind(&mut self, part: &'static str, value: Value) {
        self.values.push(value);
        self.sql.push_str(&part.replace('?', &format!("${}", self.values.len())));
    }

    pub(crate) fn build(self) -> Statement {
        let bind = |statement: Statement, value| match value {
            Value::Id(id) => statement.bind(id),
            Value::Text(text) => statement.bind(text),
            Value::Number(number) => statement.bind(number),
        };
        self.values.into_iter().fold(sqlx::query(AssertSqlSafe(self.sql)), bind)
    }

    /// Ends a list with the page's bounds, one row past its limit, which tells whether more follow.
    pub(crate) fn build_page<Id: Copy>(mut self, page: PageRequest<Id>) -> Statement {
        self.bind(LIMIT, Value::Number(i64::from(page.limit.get()) + 1));
        self.bind(OFFSET, Value::Number(i64::try_from(page.offset()).unwrap_or(i64::MAX)));
        self.build()
    }
}
