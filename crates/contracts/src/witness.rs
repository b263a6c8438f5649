//! A witness for tests: it keeps the rules of C2SP tlog-witness, or misbehaves as it is told to.
//!
//! It is a server of its own on threads of its own, so that a test can use it whatever it tests: a client in
//! this process, or a server in another one.

mod rules;
mod server;

pub use rules::Seen;
pub use server::{Behaviour, WitnessServer};
