//! For those who run the server, and those who read its documentation.

pub(crate) mod api_docs;
pub(crate) mod detailed_health;
pub(crate) mod error_info;
pub(crate) mod health;
pub(crate) mod metrics;
pub(crate) mod ready;
