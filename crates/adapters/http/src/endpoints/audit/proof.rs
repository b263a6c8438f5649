//! `GET /api/v1/audit/{eventId}/proof`: proves that an event is in the log.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::State,
    http::{Method, header},
};
use kernel::EventId;
use registry::Permission;
use usecases::{
    Requirement,
    audit_log::{ProofError, SizeField},
    driving::AuditTrail,
};

use crate::{
    caller::Authorized,
    fields::whole_number,
    json::Json,
    path::Path,
    problem::{FieldErrors, Problem, seconds},
    query::Query,
    route::{Access, Dialect, Endpoint, Route},
    views::InclusionProofView,
};

/// Within this time an event that is committed is covered by a checkpoint.
const COVERED_WITHIN: Duration = Duration::from_secs(1);

/// The endpoint.
pub(crate) struct GetProof;

impl Endpoint for GetProof {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/audit/{eventId}/proof",
        operation: "getAuditProof",
        access: Access::Bearer(Requirement::Has(Permission::AuditRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(audit): State<Arc<dyn AuditTrail>>,
    caller: Authorized<GetProof>,
    Path(event): Path<EventId>,
    Query(mut fields): Query,
) -> Result<Json<InclusionProofView>, Problem> {
    let size = fields.optional("size", whole_number);
    let size = fields.finish(|| Some(size))?;
    let proof = audit.inclusion(&caller, event, size).await?;
    Ok(Json(InclusionProofView::from(&proof)))
}

impl From<ProofError> for Problem {
    fn from(error: ProofError) -> Self {
        match error {
            ProofError::Unknown => Self::forbidden_target(),
            ProofError::Uncovered => {
                Self::absent("no checkpoint covers the event yet; ask again in a second")
                    .with_header(header::RETRY_AFTER, seconds(COVERED_WITHIN))
            }
            ProofError::Size { field, .. } => {
                let name = match field {
                    SizeField::Size => "size",
                    SizeField::From => "from",
                    SizeField::To => "to",
                };
                Self::validation(FieldErrors::of(name, error.to_string()))
            }
            ProofError::Store(error) => Self::from(error),
        }
    }
}
