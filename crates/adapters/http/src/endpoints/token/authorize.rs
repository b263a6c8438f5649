//! `GET /api/v1/authorize`: where somebody would sign in, if there were anybody (RFC 6749 section 3.1).
//!
//! Some clients take no metadata without an authorization endpoint, though RFC 8414 section 2 asks for
//! one only where a grant uses it. So there is one: it refuses whatever it is asked, and sends nobody
//! elsewhere, since no client has a redirect URI (RFC 6749 section 4.1.2.1).

use axum::http::Method;

use crate::{
    problem::{FieldErrors, Problem},
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct Authorize;

impl Endpoint for Authorize {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/authorize",
        operation: "authorize",
        access: Access::Public,
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle() -> Problem {
    let reason = "nobody signs in here: a client gets its token at the token endpoint";
    Problem::validation(FieldErrors::of("response_type", reason))
}
