//! The HTTP contract, from outside: the whole router over a real store, and every answer held
//! against the OpenAPI document.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that fails says so by its panic"
)]

mod kit;

mod advertised;
mod agent_changes;
mod agent_lists;
mod agents;
mod assertions;
mod audit_exports;
mod audit_log;
mod audit_proofs;
mod audit_tiles;
mod client_authentication;
mod client_keys;
mod cors;
mod credential_life;
mod credential_races;
mod discovery;
mod dpop;
mod events;
mod forgeries;
mod health;
mod introspection;
mod leaks;
mod limits;
mod mutual_tls;
mod openapi;
mod outages;
mod placement;
mod quotas;
mod refusals;
mod registrations;
mod revocation;
mod signed_introspection;
mod signing_keys;
mod slow_bodies;
mod times;
mod token;
mod walks;
mod wire;
