//! `GET /api/v1/audit/export`: the log as lines that anybody can verify offline.

use std::sync::Arc;

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderName, HeaderValue, Method, header},
};
use futures_util::stream;
use registry::Permission;
use usecases::{Requirement, audit_log::ExportError, driving::AuditTrail};

use crate::{
    caller::Authorized,
    exports::{CutShort, Export, Exports},
    fields::whole_number,
    problem::{FieldErrors, Problem},
    query::Query,
    route::{Access, Dialect, Endpoint, Route},
    shield::UnderWay,
};

const FROM: &str = "from";

const NDJSON: (HeaderName, HeaderValue) =
    (header::CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));

/// The endpoint.
pub(crate) struct ExportLog;

impl Endpoint for ExportLog {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/audit/export",
        operation: "exportAuditLog",
        access: Access::Bearer(Requirement::Has(Permission::AuditRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(audit): State<Arc<dyn AuditTrail>>,
    State(exports): State<Exports>,
    caller: Authorized<ExportLog>,
    method: Method,
    Query(mut fields): Query,
    under_way: Option<Extension<UnderWay>>,
) -> Result<([(HeaderName, HeaderValue); 1], Body), Problem> {
    let from = fields.optional(FROM, whole_number);
    let from = fields.finish(|| Some(from))?.unwrap_or_default();
    let place = exports.take(caller.scope().organization())?;
    let cursor = audit.begin_export(&caller, from).await?;
    if method == Method::HEAD {
        // How long the body would be is not known, which a whole one would say.
        return Ok(([NDJSON], Body::from_stream(stream::empty::<Result<Vec<u8>, CutShort>>())));
    }
    // What fails before the first line can still be told in words.
    let first = audit.export(&caller, cursor).await?;
    let export = Export { audit, caller: caller.clone(), place };
    Ok(([NDJSON], export.into_body(first, under_way.map(|Extension(open)| open))))
}

impl From<ExportError> for Problem {
    fn from(error: ExportError) -> Self {
        match error {
            ExportError::Position { .. } => {
                Self::validation(FieldErrors::of(FROM, error.to_string()))
            }
            ExportError::Store(error) => Self::from(error),
        }
    }
}
