//! The endpoints, one a file: each holds its route, its handler, and how its errors look outside.

pub(crate) mod agents;
pub(crate) mod audit;
pub(crate) mod credentials;
pub(crate) mod keys;
pub(crate) mod operations;
pub(crate) mod organization;
pub(crate) mod token;
pub(crate) mod well_known;

use axum::{
    handler::Handler,
    routing::{MethodFilter, MethodRouter, on},
};

use crate::{
    route::{Endpoint, Route},
    state::SharedPorts,
};

/// A route and the handler behind it.
pub(crate) struct Mounted {
    pub(crate) route: Route,
    pub(crate) handler: MethodRouter<SharedPorts>,
}

fn mount<E: Endpoint, H, T>(_: E, handler: H) -> Mounted
where
    H: Handler<T, SharedPorts>,
    T: 'static,
{
    let route = E::ROUTE;
    // Every method of the table has a filter; the tests walk over all of them.
    let filter = MethodFilter::try_from(route.method.clone()).unwrap_or(MethodFilter::TRACE);
    Mounted { handler: on(filter, handler), route }
}

/// Every endpoint there is.
pub(crate) fn all() -> Vec<Mounted> {
    vec![
        mount(agents::register::RegisterAgent, agents::register::handle),
        mount(agents::list::ListAgents, agents::list::handle),
        mount(agents::get::GetAgent, agents::get::handle),
        mount(agents::update::UpdateAgent, agents::update::handle),
        mount(agents::decommission::DecommissionAgent, agents::decommission::handle),
        mount(credentials::create::CreateCredential, credentials::create::handle),
        mount(credentials::list::ListCredentials, credentials::list::handle),
        mount(credentials::rotate::RotateCredential, credentials::rotate::handle),
        mount(credentials::revoke::RevokeCredential, credentials::revoke::handle),
        mount(keys::add::AddKey, keys::add::handle),
        mount(keys::list::ListKeys, keys::list::handle),
        mount(keys::remove::RemoveKey, keys::remove::handle),
        mount(token::authorize::Authorize, token::authorize::handle),
        mount(token::issue::IssueToken, token::issue::handle),
        mount(token::introspect::IntrospectToken, token::introspect::handle),
        mount(token::revoke::RevokeToken, token::revoke::handle),
        mount(audit::list::ListEvents, audit::list::handle),
        mount(audit::get::GetEvent, audit::get::handle),
        mount(audit::proof::GetProof, audit::proof::handle),
        mount(audit::checkpoint::GetCheckpoint, audit::checkpoint::handle),
        mount(audit::key::GetVerifierKey, audit::key::handle),
        mount(audit::consistency::GetConsistency, audit::consistency::handle),
        mount(audit::tile::GetTile, audit::tile::handle),
        mount(audit::export::ExportLog, audit::export::handle),
        mount(organization::get::GetOrganization, organization::get::handle),
        mount(
            well_known::authorization_server::GetAuthorizationServerMetadata,
            well_known::authorization_server::handle,
        ),
        mount(
            well_known::openid_configuration::GetOpenIdConfiguration,
            well_known::openid_configuration::handle,
        ),
        mount(
            well_known::protected_resource::GetProtectedResourceMetadata,
            well_known::protected_resource::handle,
        ),
        mount(well_known::jwks::GetJwks, well_known::jwks::handle),
        mount(operations::health::GetHealth, operations::health::handle),
        mount(operations::detailed_health::GetDetailedHealth, operations::detailed_health::handle),
        mount(operations::metrics::GetMetrics, operations::metrics::handle),
        mount(operations::ready::GetReadiness, operations::ready::handle),
        mount(operations::error_info::GetError, operations::error_info::handle),
        mount(operations::api_docs::GetApiDocs, operations::api_docs::page),
        mount(operations::api_docs::GetOpenApi, operations::api_docs::document),
        mount(operations::api_docs::GetApiDocsScript, operations::api_docs::script),
        mount(operations::api_docs::GetApiDocsStyle, operations::api_docs::style),
    ]
}
