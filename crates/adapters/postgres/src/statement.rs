//! Statements of this database, with their values bound.

use serde_json::Value as Json;
use sqlx::AssertSqlSafe;
use stored_rows::{Text, Value};

use crate::session::Statement;

/// A statement of this text, with these values in the order of their places.
pub(crate) fn statement(sql: &'static str, values: impl IntoIterator<Item = Value>) -> Statement {
    values.into_iter().fold(sqlx::query(sql), bind)
}

/// A statement that was put together.
pub(crate) fn assembled(text: Text) -> Statement {
    let (sql, values) = text.into_parts();
    values.into_iter().fold(sqlx::query(AssertSqlSafe(sql)), bind)
}

fn bind(statement: Statement, value: Value) -> Statement {
    match value {
        Value::Id(id) => statement.bind(id),
        Value::OptionalId(id) => statement.bind(id),
        Value::Text(text) => statement.bind(text),
        Value::OptionalText(text) => statement.bind(text),
        Value::Number(number) => statement.bind(number),
        Value::OptionalNumber(number) => statement.bind(number),
        Value::Flag(flag) => statement.bind(flag),
        Value::Bytes(bytes) => statement.bind(bytes),
        Value::OptionalBytes(bytes) => statement.bind(bytes),
        Value::Names(names) => statement.bind(names),
        // As text: the statement says that it is JSON, so that it is kept as it was written.
        Value::Object(object) => statement.bind(Json::from(object).to_string()),
    }
}
