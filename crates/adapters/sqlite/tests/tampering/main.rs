//! The owner of the file changes what is in it, and both verifiers find it: given nothing but the last
//! checkpoint that left.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]

mod owned;
mod post;
mod random;
mod retention;
mod signing;
