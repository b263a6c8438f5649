//! The text of a statement that is put together of constants, since a list has many filters and each
//! must be served by its index.

use kernel::PageRequest;

use crate::value::Value;

const LIMIT: &str = " LIMIT ?";
const OFFSET: &str = " OFFSET ?";

/// How a database writes the place of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Places {
    /// `?`, each.
    Alike,
    /// `$1`, `$2` and so on.
    Numbered,
}

/// The text so far, and the values in the order of their places. Only constants can be added, so
/// that no value can become a part of the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    places: Places,
    sql: String,
    values: Vec<Value>,
}

impl Text {
    /// A statement that begins so.
    #[must_use]
    pub fn new(places: Places, head: &'static str) -> Self {
        Self { places, sql: head.to_owned(), values: Vec::new() }
    }

    /// Adds a part without a place.
    pub fn add(&mut self, part: &'static str) {
        self.sql.push_str(part);
    }

    /// Adds a part that holds one place, written `?`, and its value.
    pub fn bind(&mut self, part: &'static str, value: Value) {
        self.values.push(value);
        match self.places {
            Places::Alike => self.sql.push_str(part),
            Places::Numbered => {
                self.sql.push_str(&part.replace('?', &format!("${}", self.values.len())));
            }
        }
    }

    /// Ends a list with the page's bounds, one row past its limit, which tells whether more follow.
    pub fn bind_page<Id: Copy>(&mut self, page: PageRequest<Id>) {
        self.bind(LIMIT, Value::Number(i64::from(page.limit.get()) + 1));
        self.bind(OFFSET, Value::Number(i64::try_from(page.offset()).unwrap_or(i64::MAX)));
    }

    /// The text and its values.
    #[must_use]
    pub fn into_parts(self) -> (String, Vec<Value>) {
        (self.sql, self.values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_in_the_order_of_their_values() {
        let text = |places| {
            let mut text = Text::new(places, "SELECT 1 FROM t WHERE a");
            text.bind(" = ?", Value::Number(1));
            text.add(" AND b");
            text.bind(" > ?", Value::Number(2));
            text.into_parts()
        };
        let values = vec![Value::Number(1), Value::Number(2)];
        let alike = "SELECT 1 FROM t WHERE a = ? AND b > ?".to_owned();
        assert_eq!(text(Places::Alike), (alike, values.clone()));
        let numbered = "SELECT 1 FROM t WHERE a = $1 AND b > $2".to_owned();
        assert_eq!(text(Places::Numbered), (numbered, values));
    }
}
