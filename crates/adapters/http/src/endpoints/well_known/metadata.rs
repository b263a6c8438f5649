//! The metadata, made of the route table, of what the domain knows, and of what is supported beside.
//! Everything that it names works, and no array in it is empty (RFC 8414 section 3.2).

use registry::Permission;
use serde::Serialize;
use tokens::{Algorithm, Issuer, issue::GRANT_TYPE};
use usecases::driving::AuthorizationServer;

use super::jwks::GetJwks;
use crate::{
    client_authentication::ClientMethod,
    endpoints::token::{
        authorize::Authorize, introspect::IntrospectToken, issue::IssueToken, revoke::RevokeToken,
    },
    route::Endpoint,
    supported::Supported,
};

type Names = Vec<&'static str>;

/// The server's metadata (RFC 8414 section 2; RFC 8705 section 5, RFC 9449 section 5.1, RFC 9701
/// section 7, RFC 9728 section 4).
#[derive(Debug, Serialize)]
pub(crate) struct AuthorizationServerMetadata {
    issuer: String,
    authorization_endpoint: String,
    #[serde(flatten)]
    endpoints: Endpoints,
    jwks_uri: String,
    grant_types_supported: Names,
    response_types_supported: Names,
    token_endpoint_auth_methods_supported: Names,
    introspection_endpoint_auth_methods_supported: Names,
    revocation_endpoint_auth_methods_supported: Names,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_endpoint_auth_signing_alg_values_supported: Names,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_endpoint_auth_signing_alg_values_supported: Names,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    revocation_endpoint_auth_signing_alg_values_supported: Names,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    introspection_signing_alg_values_supported: Names,
    scopes_supported: Names,
    service_documentation: String,
    protected_resources: [String; 1],
    #[serde(flatten)]
    bound: BoundTokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtls_endpoint_aliases: Option<Endpoints>,
}

/// The endpoints that clients authenticate at.
#[derive(Debug, Serialize)]
struct Endpoints {
    token_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
}

/// To what a token may be bound: server and resource say it in the same words.
#[derive(Debug, Serialize)]
struct BoundTokens {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    dpop_signing_alg_values_supported: Names,
    #[serde(skip_serializing_if = "is_false")]
    tls_client_certificate_bound_access_tokens: bool,
}

/// The management API as a resource (RFC 9728 section 2).
#[derive(Debug, Serialize)]
pub(crate) struct ProtectedResourceMetadata {
    resource: String,
    authorization_servers: [String; 1],
    scopes_supported: Names,
    bearer_methods_supported: Names,
    resource_documentation: String,
    resource_name: &'static str,
    #[serde(flatten)]
    bound: BoundTokens,
}

impl AuthorizationServerMetadata {
    pub(crate) fn of(server: &dyn AuthorizationServer, supported: &Supported) -> Self {
        let issuer = server.issuer();
        let methods = client_methods(supported);
        let assertions = names(&supported.assertion_algorithms);
        let aliases = supported.aliases();
        Self {
            issuer: issuer.as_str().to_owned(),
            authorization_endpoint: issuer.join(Authorize::ROUTE.path),
            endpoints: Endpoints::below(issuer.as_str()),
            jwks_uri: issuer.join(GetJwks::ROUTE.path),
            grant_types_supported: vec![GRANT_TYPE],
            response_types_supported: vec!["none"],
            token_endpoint_auth_methods_supported: methods.clone(),
            introspection_endpoint_auth_methods_supported: methods.clone(),
            revocation_endpoint_auth_methods_supported: methods,
            token_endpoint_auth_signing_alg_values_supported: assertions.clone(),
            introspection_endpoint_auth_signing_alg_values_supported: assertions.clone(),
            revocation_endpoint_auth_signing_alg_values_supported: assertions,
            introspection_signing_alg_values_supported: signing(server),
            scopes_supported: scopes(),
            service_documentation: documentation(issuer),
            protected_resources: [issuer.as_str().to_owned()],
            bound: BoundTokens::of(supported),
            mtls_endpoint_aliases: aliases.map(Endpoints::below),
        }
    }
}

impl Endpoints {
    fn below(base: &str) -> Self {
        let url = |path: &str| format!("{base}{path}");
        Self {
            token_endpoint: url(IssueToken::ROUTE.path),
            introspection_endpoint: url(IntrospectToken::ROUTE.path),
            revocation_endpoint: url(RevokeToken::ROUTE.path),
        }
    }
}

impl BoundTokens {
    fn of(supported: &Supported) -> Self {
        Self {
            dpop_signing_alg_values_supported: names(&supported.dpop_algorithms),
            tls_client_certificate_bound_access_tokens: supported.mutual_tls.is_some(),
        }
    }
}

impl ProtectedResourceMetadata {
    pub(crate) fn of(issuer: &Issuer, supported: &Supported) -> Self {
        Self {
            resource: issuer.as_str().to_owned(),
            authorization_servers: [issuer.as_str().to_owned()],
            scopes_supported: scopes(),
            bearer_methods_supported: vec!["header"],
            resource_documentation: documentation(issuer),
            resource_name: "AgentIdP management API",
            bound: BoundTokens::of(supported),
        }
    }
}

/// What this server signs answers to introspections with now: whoever asks for one cannot choose.
fn signing(server: &dyn AuthorizationServer) -> Names {
    server.signing_algorithms().into_iter().take(1).map(Algorithm::name).collect()
}

/// By which methods clients authenticate, at each endpoint alike.
fn client_methods(supported: &Supported) -> Names {
    let mut methods = [ClientMethod::Basic, ClientMethod::Post].map(ClientMethod::name).to_vec();
    if !supported.assertion_algorithms.is_empty() {
        methods.push("private_key_jwt");
    }
    methods.extend(supported.mutual_tls.iter().flat_map(|tls| &tls.client_methods));
    methods
}

fn names(algorithms: &[Algorithm]) -> Names {
    algorithms.iter().flat_map(|algorithm| algorithm.names()).copied().collect()
}

fn scopes() -> Names {
    Permission::ALL.iter().map(|permission| permission.scope()).collect()
}

fn documentation(issuer: &Issuer) -> String {
    issuer.join("/api-docs")
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
