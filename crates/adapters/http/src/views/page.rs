//! A page of a list, as it goes out.

use kernel::{Page, Total};
use serde::Serialize;

/// A page of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageView<T> {
    data: Vec<T>,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_relation: Option<&'static str>,
    page: Option<u32>,
    limit: u32,
    next_cursor: Option<String>,
}

impl<T> PageView<T> {
    /// The page as asked for, each row turned into its view.
    pub(crate) fn new<'a, Row, Id: ToString>(
        found: &'a Page<Row, Id>,
        (page, limit): (Option<u32>, u32),
    ) -> Self
    where
        T: From<&'a Row>,
    {
        let (total, total_relation) = match found.total {
            Total::Exactly(rows) => (rows, None),
            Total::AtLeast(rows) => (rows, Some("gte")),
        };
        Self {
            data: found.rows.iter().map(T::from).collect(),
            total,
            total_relation,
            page,
            limit,
            next_cursor: found.next.as_ref().map(ToString::to_string),
        }
    }
}
