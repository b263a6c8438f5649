//! What is answered when something inside fails: refusals that tell nothing, and no half-done work.

use std::sync::Arc;

use async_trait::async_trait;
use audit::Action;
use http_api::{
    Ports, Readiness, ReadinessProbe,
    route::{Access, Dialect, Route},
    routes,
};
use kernel::{EntropyUnavailable, StoreError};
use serde_json::json;
use tenancy::{Admission, Origin};
use tokens::port::SigningFailed;
use usecases::{
    agents, audit_log, authenticate, credentials,
    driving::{
        MockAgentCredentials, MockAgentKeys, MockAgentRegistry, MockAuditTrail, MockAuthenticator,
        MockAuthorizationServer, MockOwnOrganization,
    },
    keys, tokens as issuing,
};

use crate::{
    kit::{Answer, Server, Settings, call::Call, server::ISSUER},
    walks::{Target, good},
};

/// What a store may say, none of which may be seen outside.
const CANARY: &str = "canary: SELECT secret FROM credential; host=db.internal; /var/lib/idp/idp.db";

/// How the ports fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    Unavailable,
    Conflict,
    Corrupt,
    Panic,
}

impl Fault {
    fn strike(self) -> StoreError {
        match self {
            Self::Unavailable => StoreError::unavailable(CANARY),
            Self::Conflict => StoreError::Conflict,
            Self::Corrupt => StoreError::Corrupt { table: "canary_table", column: "canary_column" },
            Self::Panic => panic!("{CANARY}"),
        }
    }

    const fn status(self) -> u16 {
        match self {
            Self::Unavailable | Self::Conflict => 503,
            Self::Corrupt | Self::Panic => 500,
        }
    }
}

fn failing_agents(fault: Fault) -> MockAgentRegistry {
    let mut mock = MockAgentRegistry::new();
    mock.expect_register()
        .returning(move |_, _, _| Err(agents::RegisterError::Store(fault.strike())));
    mock.expect_get().returning(move |_, _| Err(agents::GetError::Store(fault.strike())));
    mock.expect_list().returning(move |_, _, _| Err(fault.strike()));
    mock.expect_update()
        .returning(move |_, _, _, _| Err(agents::UpdateError::Store(fault.strike())));
    mock.expect_decommission()
        .returning(move |_, _| Err(agents::DecommissionError::Store(fault.strike())));
    mock
}

fn failing_credentials(fault: Fault) -> MockAgentCredentials {
    let mut mock = MockAgentCredentials::new();
    mock.expect_create()
        .returning(move |_, _, _| Err(credentials::CreateError::Store(fault.strike())));
    mock.expect_list().returning(move |_, _, _| Err(credentials::ListError::Store(fault.strike())));
    mock.expect_rotate()
        .returning(move |_, _, _, _| Err(credentials::RotateError::Store(fault.strike())));
    mock.expect_revoke()
        .returning(move |_, _, _| Err(credentials::RevokeError::Store(fault.strike())));
    mock
}

fn failing_keys(fault: Fault) -> MockAgentKeys {
    let mut mock = MockAgentKeys::new();
    mock.expect_add().returning(move |_, _, _| Err(keys::AddError::Store(fault.strike())));
    mock.expect_list().returning(move |_, _, _| Err(credentials::ListError::Store(fault.strike())));
    mock.expect_remove().returning(move |_, _, _| Err(keys::RemoveError::Store(fault.strike())));
    mock
}

fn failing_server(fault: Fault, keys: Vec<tokens::Jwk>) -> MockAuthorizationServer {
    let mut mock = MockAuthorizationServer::new();
    mock.expect_issuer().return_const(ISSUER.parse::<tokens::Issuer>().unwrap());
    mock.expect_published_keys().returning(move || keys.clone());
    mock.expect_signing_algorithms().return_const(vec![tokens::Algorithm::Es256]);
    mock.expect_issue().returning(move |_, _| Err(issuing::IssueError::Store(fault.strike())));
    mock.expect_introspect().returning(move |_, _| Err(fault.strike()));
    mock.expect_revoke().returning(move |_, _| Err(issuing::RevokeError::Store(fault.strike())));
    mock
}

/// Every port but the one that finds out who calls.
fn failing(ports: Ports, fault: Fault) -> Ports {
    let mut audit = MockAuditTrail::new();
    audit.expect_get().returning(move |_, _| Err(audit_log::GetEventError::Store(fault.strike())));
    audit.expect_list().returning(move |_, _, _| Err(fault.strike()));
    audit.expect_checkpoint().returning(move |_| Err(fault.strike()));
    audit.expect_key().returning(move |_| Err(fault.strike()));
    let proof = move || audit_log::ProofError::Store(fault.strike());
    audit.expect_inclusion().returning(move |_, _, _| Err(proof()));
    audit.expect_consistency().returning(move |_, _, _| Err(proof()));
    audit.expect_tile().returning(move |_, _| Err(audit_log::TileError::Store(fault.strike())));
    audit
        .expect_begin_export()
        .returning(move |_, _| Err(audit_log::ExportError::Store(fault.strike())));
    let mut organization = MockOwnOrganization::new();
    organization.expect_get().returning(move |_| Err(fault.strike()));
    let published = ports.authorization_server.published_keys();
    Ports {
        agents: Arc::new(failing_agents(fault)),
        credentials: Arc::new(failing_credentials(fault)),
        keys: Arc::new(failing_keys(fault)),
        authorization_server: Arc::new(failing_server(fault, published)),
        audit: Arc::new(audit),
        organization: Arc::new(organization),
        ..ports
    }
}

fn failing_authenticator(fault: Fault) -> MockAuthenticator {
    let mut mock = MockAuthenticator::new();
    mock.expect_client()
        .returning(move |_, _| Err(authenticate::ClientError::Store(fault.strike())));
    mock.expect_bearer()
        .returning(move |_, _| Err(authenticate::BearerError::Store(fault.strike())));
    mock.expect_visitor().returning(move |_: &Origin| -> Result<Option<Admission>, StoreError> {
        Err(fault.strike())
    });
    mock.expect_anonymous().returning(move |_| Err(fault.strike()));
    mock
}

fn assert_generic(route: &Route, answer: &Answer, status: u16) {
    let told = format!("{} {}: {}", route.method, route.path, answer.json);
    assert_eq!(answer.status, status, "{told}");
    let code = match (route.dialect, status) {
        (Dialect::Problem, 503) => "SERVICE_UNAVAILABLE",
        (Dialect::Problem, _) => "INTERNAL_ERROR",
        (Dialect::OAuth, 503) => "temporarily_unavailable",
        (Dialect::OAuth, _) => "server_error",
    };
    assert_eq!(answer.refusal().1, code, "{told}");
    assert_eq!(answer.header("retry-after").is_some(), status == 503, "{told}");
    let whole = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
    for leak in ["canary", "SELECT", "db.internal", "/var/lib", "panicked"] {
        assert!(!whole.contains(leak), "{told}");
    }
}

/// A request that nothing is wrong with but what fails inside. No id in it exists: no port gets to
/// look for one.
fn faultless<'a>(server: &'a Server, route: &Route, token: &str) -> Call<'a> {
    let call = good(server, route, &Target::of(server).path(route));
    match route.access {
        Access::Bearer(_) => call.token(token),
        Access::Client | Access::ClientOrBearer(_) => {
            let form = [("grant_type", "client_credentials"), ("token", token)];
            let client = &server.admin;
            server.post(route.path).basic(&client.id, &client.secret).form(&form)
        }
        Access::Probe | Access::Public => call,
    }
}

/// A server whose ports fail, and a token that it would have issued.
async fn with_failing_ports(fault: Fault) -> (Server, String) {
    let server = Server::altered(Settings::default(), |ports| failing(ports, fault)).await;
    let token = server.token_of_the_inside().await;
    (server, token)
}

#[tokio::test]
async fn every_route_answers_for_each_fault_of_its_port_and_tells_nothing_of_it() {
    for fault in [Fault::Unavailable, Fault::Conflict, Fault::Corrupt] {
        let (server, token) = with_failing_ports(fault).await;
        for route in routes() {
            let answer = faultless(&server, &route, &token).send().await;
            match route.access {
                Access::Probe | Access::Public => {
                    let refuses = route.operation == "authorize";
                    assert_eq!(answer.status, if refuses { 400 } else { 200 });
                }
                Access::Bearer(_) | Access::Client | Access::ClientOrBearer(_) => {
                    assert_generic(&route, &answer, fault.status());
                }
            }
        }
    }
}

#[tokio::test]
async fn sl_03_a_panic_inside_is_a_generic_500_in_the_words_of_its_route() {
    for route in routes() {
        if matches!(route.access, Access::Probe | Access::Public) {
            continue;
        }
        let (server, token) = with_failing_ports(Fault::Panic).await;
        let answer = faultless(&server, &route, &token).send().await;
        assert_generic(&route, &answer, 500);
        server.get("/health").send().await.expect(200);
    }
}

#[tokio::test]
async fn nobody_is_let_in_and_nobody_is_refused_for_good_while_it_cannot_be_known_who_calls() {
    for fault in [Fault::Unavailable, Fault::Conflict, Fault::Corrupt] {
        let server = Server::altered(Settings::default(), |ports| Ports {
            authenticator: Arc::new(failing_authenticator(fault)),
            ..ports
        })
        .await;
        for route in routes() {
            let answer = faultless(&server, &route, "token").send().await;
            if route.access == Access::Probe {
                assert_eq!(answer.status, 200);
                continue;
            }
            assert_generic(&route, &answer, fault.status());
            if route.access != Access::Public {
                let nobody = server.call(route.method.clone(), Target::of(&server).path(&route));
                let answer = nobody.form(&[("token", "x")]).send().await;
                assert_generic(&route, &answer, fault.status());
            }
        }
    }
}

#[tokio::test]
async fn without_randomness_or_a_key_nothing_is_made() {
    let none = || Err(issuing::IssueError::Entropy(EntropyUnavailable));
    let unsigned = || Err(issuing::IssueError::Signing(SigningFailed::new(CANARY)));
    let busy = || Err(issuing::IssueError::Signing(SigningFailed::Busy));
    let none_signs = || Err(issuing::IssueError::Signing(SigningFailed::NoneSigns));
    let causes: [(&str, fn() -> _, u16); 4] = [
        ("randomness", none, 503),
        ("a signature", unsigned, 500),
        ("a turn", busy, 503),
        ("a key", none_signs, 503),
    ];
    let route = routes().into_iter().find(|route| route.operation == "issueToken").unwrap();
    for (what, cause, status) in causes {
        let server = Server::altered(Settings::default(), |ports| {
            let mut mock = MockAuthorizationServer::new();
            mock.expect_issuer().return_const(ISSUER.parse::<tokens::Issuer>().unwrap());
            mock.expect_issue().returning(move |_, _| cause());
            Ports { authorization_server: Arc::new(mock), ..ports }
        })
        .await;
        let answer = faultless(&server, &route, "token").send().await;
        assert_generic(&route, &answer, status);
        assert!(!what.is_empty());
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_signed_now_is_a_503_and_one_that_never_can_a_500() {
    let unsigned = || SigningFailed::new(CANARY);
    let causes: [(fn() -> _, u16); 3] =
        [(unsigned, 500), (|| SigningFailed::Busy, 503), (|| SigningFailed::NoneSigns, 503)];
    let route = routes().into_iter().find(|route| route.operation == "introspectToken").unwrap();
    for (cause, status) in causes {
        let server = Server::altered(Settings::default(), |ports| {
            let mut mock = MockAuthorizationServer::new();
            mock.expect_issuer().return_const(ISSUER.parse::<tokens::Issuer>().unwrap());
            mock.expect_introspect().returning(|_, _| Ok(issuing::Introspection::Inactive));
            mock.expect_sign_introspection().returning(move |_, _| Err(cause()));
            Ports { authorization_server: Arc::new(mock), ..ports }
        })
        .await;
        let call = faultless(&server, &route, "token");
        let answer = call.header("accept", "application/token-introspection+jwt").send().await;
        assert_generic(&route, &answer, status);
    }
}

struct Fixed(Readiness);

#[async_trait]
impl ReadinessProbe for Fixed {
    async fn readiness(&self) -> Readiness {
        self.0
    }
}

#[tokio::test]
async fn a_server_that_is_not_ready_says_why_and_is_alive_all_the_same() {
    for (readiness, status, word) in [
        (Readiness::Ready, 200, "ready"),
        (Readiness::Draining, 503, "draining"),
        (Readiness::Unreachable, 503, "unreachable"),
    ] {
        let server = Server::altered(Settings::default(), |mut ports| {
            ports.process.probe = Arc::new(Fixed(readiness));
            ports
        })
        .await;
        let ready = server.get("/health/ready").send().await.expect(status);
        assert_eq!(ready.json, json!({ "status": word }));
        let health = server.get("/health").send().await.expect(200);
        assert_eq!(
            (&health.json["status"], &health.json["version"]),
            (&json!("healthy"), &json!("1.2.3"))
        );
        server.get("/.well-known/jwks.json").send().await.expect(200);
    }
}

#[tokio::test]
async fn au_02_where_no_event_can_be_kept_nothing_is_issued_changed_or_revoked() {
    let server = Server::start().await;
    let client = server.client(&["admin"]).await;
    let scope = "agents:read agents:write credentials:write tokens:introspect audit:read";
    let token = server.token_of(&client, scope).await;
    let target = Target::fresh(&server).await;
    let before = server.events().await.len();
    let read = format!("/api/v1/agents/{}", target.agent);
    let agent = server.get(&read).token(&token).send().await.expect(200).json;
    server.lose_the_writer();

    for route in routes().into_iter().filter(|route| !route.events.is_empty()) {
        let call = match route.access {
            Access::Client | Access::ClientOrBearer(_) => {
                let form = [("grant_type", "client_credentials"), ("token", token.as_str())];
                server.post(route.path).basic(&client.id, &client.secret).form(&form)
            }
            Access::Bearer(_) | Access::Probe | Access::Public => {
                good(&server, &route, &target.path(&route)).token(&token)
            }
        };
        let answer = call.send().await;
        if route.events == [Action::TokenIntrospected] {
            // An introspection grants nothing, and goes on.
            assert_eq!(answer.expect(200).json["active"], true);
        } else {
            assert_generic(&route, &answer, 503);
        }
    }
    let wrong = server.post("/api/v1/token").basic(&client.id, &server.other_admin.secret);
    let wrong = wrong.form(&[("grant_type", "client_credentials")]).send().await;
    assert_eq!(wrong.status, 503);
    assert_eq!(server.get(&read).token(&token).send().await.expect(200).json, agent);
    assert_eq!(server.events().await.len(), before);
    for path in ["/health", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"] {
        server.get(path).send().await.expect(200);
    }
}
