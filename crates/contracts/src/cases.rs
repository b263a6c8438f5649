//! The cases, by what they are about. Each is a sentence that a store must make true.

pub mod agent_lists;
pub mod agents;
pub mod credentials;
pub mod feed;
pub mod hints;
pub mod journal;
pub mod log;
pub mod notes;
pub mod organizations;
pub mod rates;
pub mod tenants;
pub mod tokens;
