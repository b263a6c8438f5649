//! The route table's row: what each route demands and leaves behind, as data.
//!
//! The router, the checks of access, the answers to a wrong method and the tests that walk over
//! every route all read this one description, so that no route can have a check that its sibling
//! lacks.

use audit::Action;
use axum::http::Method;
use usecases::Requirement;

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, as often as they like: probes of the platform that runs the server.
    Probe,
    /// Anybody, limited by address.
    Public,
    /// The bearer of a token that meets this.
    Bearer(Requirement),
    /// A client with its own credential (RFC 6749 section 2.3).
    Client,
    /// A client with its own credential, or the bearer of a token that meets this.
    ClientOrBearer(Requirement),
}

/// In which words a route speaks of its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `application/problem+json` (RFC 9457).
    Problem,
    /// The error body of RFC 6749 section 5.2.
    OAuth,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// The path, as the router spells it.
    pub path: &'static str,
    /// The operation's id in the OpenAPI document.
    pub operation: &'static str,
    /// Who may call it.
    pub access: Access,
    /// In which words it speaks of its errors.
    pub dialect: Dialect,
    /// The events of which a success leaves exactly one; none where it changes nothing.
    pub events: &'static [Action],
}

impl Route {
    /// The path as the OpenAPI document spells it, which has no word for a parameter that goes on to the
    /// end of the path, slashes and all.
    #[must_use]
    pub fn documented_path(&self) -> String {
        self.path.replace("{*", "{")
    }
}

/// An endpoint: a type without values that stands for its route in a handler's signature.
pub trait Endpoint: Send + Sync + 'static {
    /// The route.
    const ROUTE: Route;
}
