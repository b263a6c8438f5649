//! The real server, started as its own process, and a small client to talk to it with.

pub(crate) mod http;
pub(crate) mod server;
