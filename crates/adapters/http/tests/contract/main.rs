//! The HTTP contract, from outside: the whole router over a real store, and every answer held
//! against the OpenAPI document.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails says so by its panic"
)]

mod kit;

mod openapi;
mod walks;
mod wire;
