//! `GET /api/v1/audit/tile/…`: a tile of the log, as C2SP tlog-tiles has it.

use std::sync::Arc;

use audit::merkle::{InvalidTilePath, TileLevel, TilePath};
use axum::{
    extract::State,
    http::{HeaderValue, Method, Uri, header},
    response::{IntoResponse, Response},
};
use registry::Permission;
use usecases::{Requirement, audit_log::TileError, driving::AuditTrail};

use crate::{
    caller::Authorized,
    path::{Path, PathParameter},
    problem::{FieldErrors, Problem},
    query::NoQuery,
    route::{Access, Dialect, Endpoint, Route},
};

/// How many hashes a full tile has.
const FULL: u16 = 256;

/// What never changes need not be asked for again. The same path is another tile for the caller of
/// another organization, so what is kept answers the same token only.
const KEPT: [(header::HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("private, max-age=31536000, immutable")),
    (header::VARY, HeaderValue::from_static("authorization")),
];

/// The endpoint.
pub(crate) struct GetTile;

impl Endpoint for GetTile {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/audit/tile/{*path}",
        operation: "getAuditTile",
        access: Access::Bearer(Requirement::Has(Permission::AuditRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(audit): State<Arc<dyn AuditTrail>>,
    caller: Authorized<GetTile>,
    Path(path): Path<TilePath>,
    _: NoQuery,
    uri: Uri,
) -> Result<Response, Problem> {
    if !is_spelt_out(&uri, path) {
        let reason = InvalidTilePath.to_string();
        return Err(Problem::validation(FieldErrors::of(TilePath::NAME, reason)));
    }
    let bytes = audit.tile(&caller, path).await?;
    Ok(if is_for_good(path) { (KEPT, bytes).into_response() } else { bytes.into_response() })
}

/// Whether the path of the request is the path of the tile to the letter. An escaped slash would be a
/// second name for it, which something in between may read as another path.
fn is_spelt_out(uri: &Uri, path: TilePath) -> bool {
    let sent = GetTile::ROUTE
        .path
        .strip_suffix("{*path}")
        .and_then(|tiles| uri.path().strip_prefix(tiles));
    sent.is_some_and(|sent| sent == path.to_string())
}

/// Whether the tile never changes and never goes away. Entries do go: a copy that was kept would
/// outlive what is erased.
fn is_for_good(path: TilePath) -> bool {
    match path.level {
        TileLevel::Hashes(_) => path.width == FULL,
        TileLevel::Entries => false,
    }
}

impl From<TileError> for Problem {
    fn from(error: TileError) -> Self {
        match error {
            TileError::Absent => Self::absent("there is no such tile"),
            TileError::Store(error) => Self::from(error),
        }
    }
}
