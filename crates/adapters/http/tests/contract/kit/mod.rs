//! What the tests are made with: a server in the process, calls of it, and the document that every
//! answer is held against.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod document;
pub(crate) mod founding;
pub(crate) mod log;
pub(crate) mod prover;
pub(crate) mod server;
pub(crate) mod signing_client;

pub(crate) use answer::Answer;
pub(crate) use contracts::KeyPair;
pub(crate) use prover::Prover;
pub(crate) use server::{Client, Server, Settings};
pub(crate) use signing_client::SigningClient;
