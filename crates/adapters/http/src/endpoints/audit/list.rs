//! `GET /api/v1/audit`: lists events.

use std::sync::Arc;

use audit::EventFilter;
use axum::{extract::State, http::Method};
use kernel::Text;
use registry::Permission;
use usecases::{Requirement, driving::AuditTrail};

use crate::{
    caller::Authorized,
    fields::{text, timestamp},
    json::Json,
    paging::paging,
    problem::Problem,
    query::Query,
    route::{Access, Dialect, Endpoint, Route},
    views::{EventView, PageView},
};

/// The endpoint.
pub(crate) struct ListEvents;

impl Endpoint for ListEvents {
    const ROUTE: Route = Route {
        method: Method::GET,
        path: "/api/v1/audit",
        operation: "listAuditEvents",
        access: Access::Bearer(Requirement::Has(Permission::AuditRead)),
        dialect: Dialect::Problem,
        events: &[],
    };
}

pub(crate) async fn handle(
    State(audit): State<Arc<dyn AuditTrail>>,
    caller: Authorized<ListEvents>,
    Query(mut fields): Query,
) -> Result<Json<PageView<EventView>>, Problem> {
    let paging = paging(&mut fields);
    let resource = fields.optional("resourceId", text::<Text<128>>);
    let (from, until) =
        (fields.optional("fromDate", timestamp), fields.optional("toDate", timestamp));
    if until.is_some_and(|until| from.is_some_and(|from| until <= from)) {
        fields.refuse("toDate", "must be later than `fromDate`");
    }
    let filter = EventFilter {
        agent: fields.optional("agentId", text),
        action: fields.optional("action", text),
        outcome: fields.optional("outcome", text),
        resource: resource.map(|id| id.to_string()),
        from,
        until,
    };
    let paging = fields.finish(|| paging)?;
    let found = audit.list(&caller, &filter, paging.request).await?;
    Ok(Json(PageView::new(&found, paging.shown)))
}
