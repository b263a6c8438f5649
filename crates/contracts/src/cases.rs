//! The cases, by what they are about. Each is a sentence that a store must make true.

pub mod agent_lists;
pub mod agents;
pub mod checkpoint_keys;
pub mod client_keys;
pub mod credentials;
pub mod feed;
pub mod hints;
pub mod journal;
pub mod key_keeping;
pub mod leases;
pub mod log;
pub mod log_states;
pub mod log_trims;
pub mod logs;
pub mod notes;
pub mod organizations;
pub mod proof_uses;
pub mod rates;
pub mod single_uses;
pub mod tenants;
pub mod tokens;
pub mod writers;
