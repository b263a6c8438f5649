//! Clients with certificates (RFC 8705), behind a proxy that passes them on: who gets in, and where
//! their tokens are good.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use audit::Action;
use credentials::{Certificate, CertificateSubject, ShownCertificate, SubjectKind};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use http_api::{Authorities, ClientCertificates, MutualTls, Supported};
use jose::CertificateThumbprint;
use kernel::Timestamp;
use rustls::{
    crypto::ring::default_provider,
    pki_types::{CertificateDer, CertificateRevocationListDer, pem::PemObject},
};
use serde_json::{Value, json};
use servers::certificates::{AlternativeName, Authority, Held, Wanted, self_signed};
use tenancy::Origin;
use usecases::authenticate::PresentedClient;

use crate::kit::{Answer, KeyPair, Prover, Server, Settings, call::Call, prover::TOKEN};

/// Where calls of these tests come from.
const PROXY: &str = "192.0.2.1";
const STRANGER: &str = "198.51.100.1";
const NAME: &str = "spiffe://example.com/agent";
const ALIAS: &str = "https://mtls.example.com";
const BOTH: [&str; 2] = ["tls_client_auth", "self_signed_tls_client_auth"];

/// A server that sees certificates, and whom it trusts.
struct House {
    server: Server,
    authorities: Arc<Authorities>,
    authority: Authority,
}

impl House {
    async fn open() -> Self {
        let client_methods = BOTH.to_vec();
        let aliases = Some(ALIAS.to_owned());
        let mutual_tls = Some(MutualTls { client_methods, aliases });
        let server = Server::altered(Settings::default(), |mut ports| {
            ports.supported = Arc::new(Supported { mutual_tls, ..Supported::default() });
            ports
        });
        let authorities = Arc::new(Authorities::none());
        let certificates = Arc::new(ClientCertificates {
            proxies: vec![PROXY.parse().unwrap()],
            forwarded: true,
            authorities: authorities.clone(),
        });
        let server = server.await.seeing(certificates);
        let house = Self { server, authorities, authority: Authority::new("CA").unwrap() };
        house.trust(&[]);
        house
    }

    /// Trusts the authority, but for these certificates.
    fn trust(&self, revoked: &[&Held]) {
        let list = self.authority.revoke(revoked).unwrap();
        let list = CertificateRevocationListDer::from_pem_slice(list.as_bytes()).unwrap();
        let trusted = vec![CertificateDer::from(self.authority.der())];
        self.authorities.trust(trusted, vec![list], Arc::new(default_provider())).unwrap();
    }

    /// Registers something for a new agent; gives the agent.
    async fn registered(&self, roles: &[&str], body: Value) -> String {
        let agent = self.server.register_agent(json!({ "roles": roles })).await;
        self.register(&agent, body).await.expect(201);
        agent
    }

    async fn register(&self, agent: &str, body: Value) -> Answer {
        let token = self.server.token("credentials:write").await;
        let path = format!("/api/v1/agents/{agent}/keys");
        self.server.post(path).token(&token).json(&body).send().await
    }

    /// An agent whose certificates must bear the name.
    async fn named(&self) -> String {
        self.registered(&["operator"], json!({ "tlsClientAuth": { "sanUri": NAME } })).await
    }

    /// A request for a token by a certificate.
    async fn ask(&self, agent: &str, held: &Held) -> Answer {
        let form = [("grant_type", "client_credentials"), ("client_id", agent)];
        self.server.post(TOKEN).showing(held).form(&form).send().await
    }

    async fn token(&self, agent: &str, held: &Held) -> String {
        self.ask(agent, held).await.expect(200).text("access_token")
    }
}

impl Call<'_> {
    /// As a proxy passes it on.
    fn showing(self, held: &Held) -> Self {
        self.header("client-cert", format!(":{}:", BASE64.encode(&held.der)))
    }
}

fn wanted() -> Wanted {
    Wanted::of("agent").with_uri(NAME)
}

fn thumbprint(held: &Held) -> String {
    CertificateThumbprint::of(&held.der).to_string()
}

fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

const REFUSED: (u16, &str) = (401, "invalid_client");

#[tokio::test]
async fn a_name_of_each_kind_lets_in_who_has_it_and_binds_the_token() {
    let mut house = House::open().await;
    let wanted = Wanted {
        organization: Some("Example, Inc.".into()),
        names: vec![
            AlternativeName::Dns("agent.example.com".into()),
            AlternativeName::Uri(NAME.into()),
            AlternativeName::Address("192.0.2.7".parse().unwrap()),
            AlternativeName::Email("agent@example.com".into()),
        ],
        ..Wanted::of("agent")
    };
    let held = house.authority.certify(&wanted).unwrap();
    let other = house.authority.certify(&Wanted::of("other")).unwrap();
    for (member, name, spelled) in [
        ("subjectDn", "cn=agent, o=Example\\2C Inc.", "CN=agent,O=Example\\, Inc."),
        ("sanDns", "Agent.Example.com", "agent.example.com"),
        ("sanUri", NAME, NAME),
        ("sanIp", "192.0.2.7", "192.0.2.7"),
        ("sanEmail", "agent@EXAMPLE.com", "agent@example.com"),
    ] {
        let agent = house.server.register_agent(json!({ "roles": ["operator"] })).await;
        let body = json!({ "tlsClientAuth": { member: name } });
        let added = house.register(&agent, body).await.expect(201);
        assert_eq!(added.json["tlsClientAuth"], json!({ member: spelled }));
        assert_eq!(added.json["method"], "tls_client_auth");
        let issued = house.ask(&agent, &held).await.expect(200);
        assert_eq!(issued.text("token_type"), "Bearer");
        let claims = claims(&issued.text("access_token"));
        assert_eq!(claims["cnf"], json!({ "x5t#S256": thumbprint(&held) }), "{member}");
        assert_eq!(claims["credential_id"], added.json["credentialId"]);
        assert_eq!(house.ask(&agent, &other).await.refusal(), REFUSED, "{member}");
    }
}

#[tokio::test]
async fn dp_11_a_certificate_that_no_authority_vouches_for_lets_nobody_in() {
    let mut house = House::open().await;
    let agent = house.named().await;
    let mut other = Authority::new("CA").unwrap();
    let mut below = house.authority.below("below").unwrap();
    let good = house.authority.certify(&wanted()).unwrap();
    let revoked = house.authority.certify(&wanted()).unwrap();
    house.ask(&agent, &good).await.expect(200);
    house.ask(&agent, &revoked).await.expect(200);
    house.trust(&[&revoked]);
    let of = |years| Wanted { years, ..wanted() };
    for (what, held) in [
        ("of another authority of the same name", other.certify(&wanted()).unwrap()),
        ("made out to oneself", self_signed(&wanted()).unwrap()),
        ("expired", house.authority.certify(&of((2024, 2026))).unwrap()),
        ("of the future", house.authority.certify(&of((2027, 2090))).unwrap()),
        ("revoked", revoked),
        (
            "of a server",
            house.authority.certify(&Wanted { is_of_a_server: true, ..wanted() }).unwrap(),
        ),
        (
            "with another name",
            house
                .authority
                .certify(&Wanted::of("agent").with_uri("spiffe://example.com/other"))
                .unwrap(),
        ),
        ("of an authority that did not come with it", below.certify(&wanted()).unwrap()),
    ] {
        let (refused, events) = house.server.events_of_doing(house.ask(&agent, &held)).await;
        assert_eq!(refused.refusal(), REFUSED, "{what}");
        let [event] = &events[..] else { panic!("{what}: {events:?}") };
        assert_eq!(event.action, Action::AuthFailed, "{what}");
    }
    // A new certificate by the same authority, with another key.
    let renewed = house.authority.certify(&wanted()).unwrap();
    house.ask(&agent, &renewed).await.expect(200);
    house.ask(&agent, &good).await.expect(200);
}

#[tokio::test]
async fn dp_11_of_certificates_of_ones_own_the_registered_one_lets_in_and_for_as_long_as_it_is_valid()
 {
    let house = House::open().await;
    let held = self_signed(&Wanted { years: (2024, 2027), ..wanted() }).unwrap();
    let body = json!({ "certificate": held.certificate });
    let agent = house.server.register_agent(json!({ "roles": ["operator"] })).await;
    let added = house.register(&agent, body).await.expect(201);
    assert_eq!(added.text("certificateThumbprint"), thumbprint(&held));
    assert_eq!(added.text("kid"), thumbprint(&held));
    assert_eq!(added.text("method"), "self_signed_tls_client_auth");
    assert_eq!(added.text("expiresAt"), "2027-01-01T00:00:00.000000Z");
    let token = house.token(&agent, &held).await;
    assert_eq!(claims(&token)["cnf"], json!({ "x5t#S256": thumbprint(&held) }));
    let same = self_signed(&Wanted { years: (2024, 2027), ..wanted() }).unwrap();
    assert_eq!(house.ask(&agent, &same).await.refusal(), REFUSED);
    // Two months later.
    house.server.clock.advance(std::time::Duration::from_secs(60 * 86_400));
    assert_eq!(house.ask(&agent, &held).await.refusal(), REFUSED);
}

#[tokio::test]
async fn dp_12_a_bound_token_is_good_with_its_certificate_alone() {
    let mut house = House::open().await;
    let agent = house.named().await;
    let held = house.authority.certify(&wanted()).unwrap();
    let renewed = house.authority.certify(&wanted()).unwrap();
    let token = house.token(&agent, &held).await;
    let read = || house.server.get("/api/v1/agents").token(&token);
    read().showing(&held).send().await.expect(200);
    for (what, call) in [
        ("with none", read()),
        ("with another of the same client", read().showing(&renewed)),
        ("with two", read().showing(&held).showing(&held)),
        ("with what a stranger says", read().showing(&held).from(STRANGER)),
        ("with one that cannot be read", read().header("client-cert", thumbprint(&held))),
    ] {
        assert_eq!(call.send().await.refusal(), (401, "UNAUTHORIZED"), "{what}");
    }
    // At the endpoints of the authorization server too.
    let form = [("token", token.as_str())];
    let introspect = || house.server.post("/api/v1/token/introspect").token(&token).form(&form);
    let told = introspect().showing(&held).send().await.expect(200);
    assert_eq!(told.json["cnf"], json!({ "x5t#S256": thumbprint(&held) }));
    assert_eq!(introspect().send().await.refusal(), (401, "invalid_token"));
    // And a token that is bound to nothing is good with any.
    let plain = house.server.token("agents:read").await;
    let call = house.server.get("/api/v1/agents").token(&plain);
    call.showing(&renewed).send().await.expect(200);
}

#[tokio::test]
async fn dp_11_a_stranger_speaks_for_nobody() {
    let mut house = House::open().await;
    let agent = house.named().await;
    let held = house.authority.certify(&wanted()).unwrap();
    let form = [("grant_type", "client_credentials"), ("client_id", agent.as_str())];
    let call = house.server.post(TOKEN).showing(&held).form(&form);
    assert_eq!(call.from(STRANGER).send().await.refusal(), REFUSED);
}

#[tokio::test]
async fn a_client_with_a_certificate_asks_about_tokens_and_ends_them() {
    let mut house = House::open().await;
    let agent = house.named().await;
    let held = house.authority.certify(&wanted()).unwrap();
    let token = house.token(&agent, &held).await;
    let form = [("token", token.as_str()), ("client_id", agent.as_str())];
    let call = |path: &str| house.server.post(path).showing(&held).form(&form);
    let is_active =
        async || call("/api/v1/token/introspect").send().await.expect(200).json["active"] == true;
    assert!(is_active().await);
    call("/api/v1/token/revoke").send().await.expect(200);
    assert!(!is_active().await);
}

#[tokio::test]
async fn ca_02_a_certificate_beside_a_secret_is_for_another_purpose_and_two_methods_are_refused() {
    let house = House::open().await;
    let held = self_signed(&wanted()).unwrap();
    let client = house.server.client(&["operator"]).await;
    let form = [("grant_type", "client_credentials")];
    let ask = || house.server.post(TOKEN).showing(&held).basic(&client.id, &client.secret);
    let issued = ask().form(&form).send().await.expect(200);
    assert_eq!(claims(&issued.text("access_token"))["cnf"], Value::Null);
    let post = [("client_id", client.id.as_str()), ("client_secret", client.secret.as_str())];
    let both = [&form[..], &post].concat();
    assert_eq!(ask().form(&both).send().await.refusal(), (400, "invalid_request"));
    // Without its secret the certificate is all that it shows, and that is nobody's.
    assert_eq!(house.ask(&client.id, &held).await.refusal(), REFUSED);
}

#[tokio::test]
async fn ca_03_who_registered_a_certificate_gets_in_by_no_secret_and_for_no_other() {
    let mut house = House::open().await;
    let held = house.authority.certify(&wanted()).unwrap();
    let client = house.server.client(&["operator"]).await;
    house.register(&client.id, json!({ "tlsClientAuth": { "sanUri": NAME } })).await.expect(201);
    let call = || house.server.post(TOKEN).showing(&held);
    let form = [("grant_type", "client_credentials")];
    let by_secret = call().basic(&client.id, &client.secret).form(&form).send().await;
    assert_eq!(by_secret.refusal(), REFUSED);
    house.ask(&client.id, &held).await.expect(200);
    assert_eq!(call().form(&form).send().await.refusal(), REFUSED);
    let unknown = "018bcfe5-687b-7001-8203-040506070899";
    for other in [house.server.admin.id.as_str(), unknown, "nobody"] {
        assert_eq!(house.ask(other, &held).await.refusal(), REFUSED, "{other}");
    }
}

/// A certificate with the name of an agent, which counts how often somebody looks at it.
#[derive(Debug, Clone, Default)]
struct Counting {
    reads: Arc<AtomicUsize>,
    verdicts: Arc<AtomicUsize>,
}

impl ShownCertificate for Counting {
    fn thumbprint(&self) -> CertificateThumbprint {
        CertificateThumbprint::of(b"certificate")
    }

    fn read(&self) -> Option<Certificate> {
        self.reads.fetch_add(1, Relaxed);
        let at = |micros| Timestamp::from_unix_micros(micros).unwrap();
        Some(Certificate {
            thumbprint: self.thumbprint(),
            names: vec![CertificateSubject::parse(SubjectKind::SanUri, NAME).unwrap()],
            not_before: at(0),
            not_after: at(4_000_000_000_000_000),
        })
    }

    fn is_vouched_for(&self, _: Timestamp) -> bool {
        self.verdicts.fetch_add(1, Relaxed);
        true
    }
}

#[tokio::test]
async fn ds_08_no_chain_is_checked_for_who_is_unknown_or_registered_no_such_name() {
    let house = House::open().await;
    let unknown = "018bcfe5-687b-7001-8203-040506070899".to_owned();
    let by_secret = house.server.admin.id.clone();
    let by_key = house.registered(&["operator"], json!({ "jwk": KeyPair::es256().jwk() })).await;
    let own = self_signed(&wanted()).unwrap().certificate;
    let by_own = house.registered(&["operator"], json!({ "certificate": own })).await;
    let other = json!({ "tlsClientAuth": { "sanUri": "spiffe://example.com/other" } });
    let by_other = house.registered(&["operator"], other).await;
    let by_name = house.named().await;
    for (what, id, is_known, reads, verdicts) in [
        ("malformed", "nobody".to_owned(), false, 0, 0),
        ("unknown", unknown, false, 0, 0),
        ("with a secret", by_secret, false, 0, 0),
        ("with a key", by_key, false, 0, 0),
        ("with another of its own", by_own, false, 0, 0),
        ("with another name", by_other, false, 1, 0),
        ("with this name", by_name, true, 1, 1),
    ] {
        let counting = Counting::default();
        let certificate = Box::new(counting.clone());
        let presented = PresentedClient::Certificate { id, certificate };
        let origin = Origin::internal();
        let outcome = house.server.provider.authenticate_client(&presented, &origin).await;
        assert_eq!(outcome.is_ok(), is_known, "{what}");
        let cost = (counting.reads.load(Relaxed), counting.verdicts.load(Relaxed));
        assert_eq!(cost, (reads, verdicts), "{what}");
    }
}

#[tokio::test]
async fn a_key_that_is_removed_takes_its_tokens_with_it() {
    let mut house = House::open().await;
    let agent = house.server.register_agent(json!({ "roles": ["operator"] })).await;
    let body = json!({ "tlsClientAuth": { "sanUri": NAME } });
    let kid = house.register(&agent, body).await.expect(201).text("kid");
    let held = house.authority.certify(&wanted()).unwrap();
    let token = house.token(&agent, &held).await;
    let admin = house.server.token("credentials:write").await;
    let path = format!("/api/v1/agents/{agent}/keys/{kid}");
    house.server.delete(path).token(&admin).send().await.expect(204);
    assert_eq!(house.ask(&agent, &held).await.refusal(), REFUSED);
    let call = house.server.get("/api/v1/agents").token(&token).showing(&held);
    assert_eq!(call.send().await.refusal(), (401, "UNAUTHORIZED"));
}

#[tokio::test]
async fn a_proof_of_a_key_goes_before_the_certificate() {
    let mut house = House::open().await;
    let agent = house.named().await;
    let held = house.authority.certify(&wanted()).unwrap();
    let prover = Prover::new(&house.server);
    let form = [("grant_type", "client_credentials"), ("client_id", agent.as_str())];
    let ask = |nonce: &str| {
        let proof = prover.proof(&prover.claims("POST", TOKEN, nonce));
        house.server.post(TOKEN).showing(&held).form(&form).header("dpop", proof)
    };
    let asked = ask("").send().await;
    assert_eq!(asked.refusal(), (400, "use_dpop_nonce"));
    let issued = ask(asked.header("dpop-nonce").unwrap()).send().await.expect(200);
    assert_eq!(issued.text("token_type"), "DPoP");
    let cnf = claims(&issued.text("access_token"))["cnf"].clone();
    assert!(cnf["jkt"].is_string() && cnf.as_object().unwrap().len() == 1, "{cnf}");
}

#[tokio::test]
async fn dp_04_a_proof_may_be_of_the_url_that_is_named_for_certificates_where_one_is() {
    let house = House::open().await;
    for (server, is_taken) in [(&house.server, true), (&Server::start().await, false)] {
        let client = server.client(&["operator"]).await;
        let prover = Prover::new(server);
        let mut claims = prover.claims("POST", TOKEN, &prover.nonce(&client).await);
        claims["htu"] = json!(format!("{ALIAS}{TOKEN}"));
        let answer = prover.ask(&client, &claims).await;
        if !is_taken {
            assert_eq!(answer.refusal(), (400, "invalid_dpop_proof"));
            continue;
        }
        let token = answer.expect(200).text("access_token");
        // By either URL it is the same proof, and good once.
        assert_eq!(prover.ask(&client, &claims).await.refusal(), (400, "invalid_dpop_proof"));
        let nonce = prover.nonce(&client).await;
        let mut claims = prover.claims_with(&token, ("GET", "/api/v1/agents"), &nonce);
        claims["htu"] = json!(format!("{ALIAS}/api/v1/agents"));
        let read = house.server.get("/api/v1/agents").header("dpop", prover.proof(&claims));
        read.header("authorization", format!("DPoP {token}")).send().await.expect(200);
    }
}

#[tokio::test]
async fn what_could_never_be_shown_is_not_registered() {
    let mut house = House::open().await;
    let client = house.server.client(&[]).await;
    let held = house.authority.certify(&wanted()).unwrap();
    let expired = self_signed(&Wanted { years: (2024, 2026), ..wanted() }).unwrap();
    let good = self_signed(&wanted()).unwrap();
    let (past, future) = ("2025-06-01T00:00:00Z", "2030-01-01T00:00:00Z");
    let with_key = [held.certificate.as_str(), &held.key].concat();
    for (body, fields) in [
        (json!({}), vec!["jwk"]),
        (json!({ "certificate": "?" }), vec!["certificate"]),
        (json!({ "certificate": 7 }), vec!["certificate"]),
        (json!({ "certificate": with_key }), vec!["certificate"]),
        (json!({ "certificate": expired.certificate }), vec!["certificate"]),
        (json!({ "certificate": expired.certificate, "expiresAt": future }), vec!["certificate"]),
        (json!({ "certificate": good.certificate, "expiresAt": past }), vec!["expiresAt"]),
        (json!({ "tlsClientAuth": {} }), vec!["tlsClientAuth"]),
        (json!({ "tlsClientAuth": NAME }), vec!["tlsClientAuth"]),
        (json!({ "tlsClientAuth": { "sanUri": 7 } }), vec!["tlsClientAuth"]),
        (json!({ "tlsClientAuth": { "sanUri": "agent" } }), vec!["tlsClientAuth"]),
        (json!({ "tlsClientAuth": { "sanDns": "*.example.com" } }), vec!["tlsClientAuth"]),
        (json!({ "tlsClientAuth": { "subjectDn": "agent" } }), vec!["tlsClientAuth"]),
        (json!({ "tlsClientAuth": { "sanSrv": "a" } }), vec!["tlsClientAuth"]),
        (json!({ "tlsClientAuth": { "sanUri": NAME, "sanDns": "a" } }), vec!["tlsClientAuth"]),
        (
            json!({ "certificate": held.certificate, "tlsClientAuth": { "sanUri": NAME } }),
            vec!["tlsClientAuth"],
        ),
    ] {
        let refused = house.register(&client.id, body.clone()).await;
        assert_eq!(refused.refusal(), (400, "VALIDATION_ERROR"), "{body}");
        assert_eq!(refused.bad_fields(), fields, "{body}: {}", refused.json);
    }
    // Its secret is as good as before.
    house.server.ask(&client, &[]).await.expect(200);
}

#[tokio::test]
async fn where_no_certificate_is_seen_none_is_registered_and_nobody_is_locked_out() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let held = self_signed(&wanted()).unwrap();
    let token = server.token("credentials:write").await;
    let path = format!("/api/v1/agents/{}/keys", client.id);
    for (body, field) in [
        (json!({ "certificate": held.certificate }), "certificate"),
        (json!({ "tlsClientAuth": { "sanUri": NAME } }), "tlsClientAuth"),
    ] {
        let refused = server.post(path.clone()).token(&token).json(&body).send().await;
        assert_eq!(refused.bad_fields(), [field]);
    }
    server.ask(&client, &[]).await.expect(200);
    // A header about a certificate is nobody's word here.
    let form = [("grant_type", "client_credentials"), ("client_id", client.id.as_str())];
    assert_eq!(server.post(TOKEN).showing(&held).form(&form).send().await.refusal(), REFUSED);
}

#[tokio::test]
async fn what_works_is_advertised() {
    let house = House::open().await;
    for place in ["oauth-authorization-server", "openid-configuration"] {
        let metadata = house.server.get(format!("/.well-known/{place}")).send().await.expect(200);
        for endpoint in ["token", "introspection", "revocation"] {
            let methods = &metadata.json[format!("{endpoint}_endpoint_auth_methods_supported")];
            let methods = methods.as_array().unwrap();
            assert!(BOTH.iter().all(|method| methods.contains(&json!(method))), "{methods:?}");
        }
        assert_eq!(metadata.json["tls_client_certificate_bound_access_tokens"], true);
        let alias = &metadata.json["mtls_endpoint_aliases"]["token_endpoint"];
        assert_eq!(alias, "https://mtls.example.com/api/v1/token");
    }
    let resource = house.server.get("/.well-known/oauth-protected-resource").send().await;
    assert_eq!(resource.expect(200).json["tls_client_certificate_bound_access_tokens"], true);
}
