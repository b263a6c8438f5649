//! The HTTP contract: one endpoint a file, over the driving ports of the use cases.
//!
//! # What it is for
//! Turns requests into calls of use cases and their answers into responses, as
//! `docs/openapi.yaml` has it. No rule of the business is here, only the rules of the wire.
//!
//! # Order to read it in
//! `error_code`, `problem` and `oauth_error` are what can go wrong; `fields`,
//! `json_body`, `query`, `path`, `form_body`, `client_authentication` and `dpop` read what was
//! sent; `content` takes bodies in. Around it all: `surroundings`, `shield`, `request_context`,
//! `render`, `placement`; below it: `server`, `socket`, `tls` and
//! `mutual_tls`. What goes on after an answer has begun:
//! `exports`.
#![warn(missing_docs)]

pub(crate) mod basic_auth;
pub(crate) mod caller;
pub(crate) mod challenge;
pub(crate) mod client_authentication;
pub(crate) mod content;
pub(crate) mod denials;
pub(crate) mod dpop;
pub(crate) mod endpoints;
pub(crate) mod entity_tag;
pub(crate) mod error_code;
pub mod exports;
pub(crate) mod fields;
pub(crate) mod findings;
pub(crate) mod form_body;
pub(crate) mod json;
pub(crate) mod json_body;
pub mod metrics;
pub mod mutual_tls;
pub(crate) mod negotiation;
pub(crate) mod oauth_error;
pub(crate) mod paging;
pub(crate) mod path;
pub(crate) mod percent;
pub(crate) mod placement;
pub(crate) mod problem;
pub(crate) mod query;
pub(crate) mod rate_limit;
#[cfg(feature = "readers")]
pub mod readers;
pub(crate) mod render;
pub(crate) mod request_context;
pub mod route;
pub mod router;
pub mod server;
pub mod service_health;
pub(crate) mod shield;
pub(crate) mod socket;
pub mod state;
pub mod supported;
pub(crate) mod surroundings;
pub mod tls;
pub(crate) mod views;

#[cfg(test)]
mod sample;

pub use axum::Router;
pub use exports::{ExportLimits, Exports};
pub use metrics::{Answered, MetricsText, RequestObserver, metrics_router};
pub use mutual_tls::{
    Authorities, ClientCertificates, InvalidAuthorities, InvalidNetwork, TrustedNetwork,
    with_client_certificates,
};
pub use request_context::Peer;
pub use router::{RouterSettings, build, routes};
pub use server::{ServerLimits, serve, serve_over};
pub use service_health::{Service, ServiceHealth};
pub use state::{Ports, Process, Readiness, ReadinessProbe, ServicesProbe};
pub use supported::{MutualTls, Supported};
pub use tls::{AskClients, Tls, TlsIdentity};
