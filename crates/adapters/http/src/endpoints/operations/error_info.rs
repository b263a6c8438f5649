//! `GET /errors/{code}`: what an error's `type` leads to.

use axum::{extract::RawPathParams, http::Method};
use serde::Serialize;

use crate::{
    error_code::Code,
    json::Json,
    problem::Problem,
    route::{Access, Dialect, Endpoint, Route},
};

/// The endpoint.
pub(crate) struct GetError;

impl Endpoint for GetError {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/errors/{code}",
        operation: "getError",
        access: Access::Public,
        dialect: Dialect::Problem,
        events: &[],
    };
}

/// The answer.
#[derive(Debug, Serialize)]
pub(crate) struct ErrorView {
    code: &'static str,
    title: &'static str,
    status: u16,
    description: &'static str,
}

pub(crate) async fn handle(path: RawPathParams) -> Result<Json<ErrorView>, Problem> {
    let slug = path.iter().find(|(name, _)| *name == "code").map(|(_, slug)| slug);
    let code = slug.and_then(Code::from_slug).ok_or_else(Problem::not_found)?;
    Ok(Json(ErrorView {
        code: code.name(),
        title: code.title(),
        status: code.status().as_u16(),
        description: code.description(),
    }))
}
