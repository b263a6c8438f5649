//! The real binary with TLS of its own, asked by curl, and behind a proxy that passes certificates on.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test fails so")]
#![expect(clippy::indexing_slicing, reason = "likewise")]

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};

use data_encoding::{BASE64, BASE64URL_NOPAD};
use serde_json::{Value, json};
use servers::certificates::{Authority, Held, Wanted, self_signed};
use tempfile::TempDir;

use crate::support::{
    http::{self, Request},
    server::{Admin, RunningServer},
};

#[expect(dead_code, reason = "the other files of tests use the rest")]
mod support;

const NAME: &str = "spiffe://example.com/agent";

/// A server with TLS of its own, and the folder of its files.
struct House {
    folder: TempDir,
    authority: Authority,
    server: RunningServer,
    admin: Admin,
}

/// What a client of curl shows.
struct Shown {
    certificate: PathBuf,
    key: PathBuf,
}

impl House {
    /// A server that trusts an authority about clients.
    fn open() -> Self {
        Self::asking(|ca| ("IDP_MTLS_CA", ca.to_str().unwrap().to_owned()))
    }

    /// A server that asks clients for certificates for this reason; it may need the authority's file.
    fn asking(because: impl FnOnce(&Path) -> (&'static str, String)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut authority = Authority::new("CA").unwrap();
        let own = authority.certify(&Wanted::of_this_machine()).unwrap();
        let put = |name: &str, text: &str| put(folder.path(), name, text);
        let files = [
            ("IDP_TLS_CERTIFICATE", put("tls.pem", &own.certificate)),
            ("IDP_TLS_KEY", put("tls.key", &own.key)),
        ];
        let (reason, value) = because(&put("ca.pem", &authority.pem()));
        let port = servers::free_port().to_string();
        let mtls_url = format!("https://localhost:{port}");
        let mut environment =
            vec![("PORT", port.as_str()), ("IDP_MTLS_URL", &mtls_url), (reason, &*value)];
        environment.extend(files.iter().map(|(name, file)| (*name, file.to_str().unwrap())));
        let server = RunningServer::start_with(&folder.path().join("data"), &environment);
        assert!(server.base_url.starts_with("https://127.0.0.1:"), "{}", server.base_url);
        let admin = server.admin();
        Self { folder, authority, server, admin }
    }

    fn hold(&self, held: &Held) -> Shown {
        let name = BASE64URL_NOPAD.encode(held.der.last_chunk::<16>().unwrap());
        let put = |end: &str, text: &str| put(self.folder.path(), &format!("{name}{end}"), text);
        Shown { certificate: put(".pem", &held.certificate), key: put(".key", &held.key) }
    }

    /// The status and the body of what curl gets.
    fn curl(&self, shown: Option<&Shown>, path: &str, more: &[&str]) -> (u16, Value) {
        let mut curl = Command::new("curl");
        curl.args([
            "--silent",
            "--show-error",
            "--max-time",
            "30",
            "--write-out",
            "\n%{http_code}",
        ]);
        curl.arg("--cacert").arg(self.folder.path().join("ca.pem"));
        if let Some(Shown { certificate, key }) = shown {
            curl.arg("--cert").arg(certificate).arg("--key").arg(key);
        }
        let output = curl.args(more).arg(format!("{}{path}", self.server.base_url)).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let (body, status) = text.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
    }

    fn posted(&self, path: &str, body: &Value) -> Value {
        let user = format!("{}:{}", self.admin.client_id, self.admin.client_secret);
        let grant = ["--user", &user, "--data", "grant_type=client_credentials"];
        let (_, issued) = self.curl(None, "/api/v1/token", &grant);
        let bearer = format!("Authorization: Bearer {}", issued["access_token"].as_str().unwrap());
        let body = body.to_string();
        let more = ["--header", &bearer, "--json", &body];
        let (status, made) = self.curl(None, path, &more);
        assert_eq!(status, 201, "{made}");
        made
    }

    fn registered(&self, email: &str, key: &Value) -> String {
        let made = self.posted("/api/v1/agents", &new_agent(email));
        let agent = made["agentId"].as_str().unwrap().to_owned();
        self.posted(&format!("/api/v1/agents/{agent}/keys"), key);
        agent
    }

    /// Asks for a token by nothing but the connection.
    fn ask(&self, agent: &str, shown: Option<&Shown>) -> (u16, Value) {
        let form = format!("grant_type=client_credentials&client_id={agent}");
        self.curl(shown, "/api/v1/token", &["--data", &form])
    }
}

fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
    let file = folder.join(name);
    fs::write(&file, text).unwrap();
    file
}

fn new_agent(email: &str) -> Value {
    json!({
        "email": email,
        "agentType": "screener",
        "version": "1.4.0",
        "capabilities": ["resume:read"],
        "owner": "talent-team",
        "deploymentEnv": "production",
        "roles": ["operator"],
    })
}

#[test]
fn dp_11_dp_12_curl_gets_in_by_a_certificate_and_uses_the_token_with_it_alone() {
    let mut house = House::open();
    let wanted = Wanted::of("agent").with_uri(NAME);
    let own = self_signed(&Wanted::of("own")).unwrap();
    let certified = house.authority.certify(&wanted).unwrap();
    let expired =
        house.authority.certify(&Wanted { years: (2020, 2021), ..wanted.clone() }).unwrap();
    let foreign = Authority::new("CA").unwrap().certify(&wanted).unwrap();
    let by_name =
        house.registered("a@example.com", &json!({ "tlsClientAuth": { "sanUri": NAME } }));
    let by_own = house.registered("b@example.com", &json!({ "certificate": own.certificate }));
    let other = self_signed(&Wanted::of("own")).unwrap();
    let [own, other, certified, expired, foreign] =
        [own, other, certified, expired, foreign].map(|held| house.hold(&held));

    for (agent, shown, bad) in [
        (&by_name, &certified, [Some(&expired), Some(&foreign), Some(&own), None]),
        (&by_own, &own, [Some(&other), Some(&certified), Some(&expired), None]),
    ] {
        for bad in bad {
            let (status, refused) = house.ask(agent, bad);
            assert_eq!((status, &refused["error"]), (401, &json!("invalid_client")), "{refused}");
        }
        let (status, issued) = house.ask(agent, Some(shown));
        assert_eq!((status, &issued["token_type"]), (200, &json!("Bearer")), "{issued}");
        let bearer = format!("Authorization: Bearer {}", issued["access_token"].as_str().unwrap());
        let read =
            |shown, version| house.curl(shown, "/api/v1/agents", &[version, "--header", &bearer]).0;
        for version in ["--http1.1", "--http2", "--tlsv1.3"] {
            assert_eq!(read(Some(shown), version), 200, "{version}");
        }
        assert_eq!(read(Some(&other), "--http2"), 401);
        assert_eq!(read(None, "--http2"), 401);
    }
}

#[test]
fn without_authorities_a_certificate_of_ones_own_lets_in_where_the_server_asks_for_it() {
    let mut house = House::asking(|_| ("IDP_MTLS_ASK", "always".to_owned()));
    let (_, metadata) = house.curl(None, "/.well-known/oauth-authorization-server", &[]);
    let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
    assert!(methods.contains(&json!("self_signed_tls_client_auth")), "{methods:?}");
    assert!(!methods.contains(&json!("tls_client_auth")), "{methods:?}");
    let own = self_signed(&Wanted::of("own")).unwrap();
    let agent = house.registered("a@example.com", &json!({ "certificate": own.certificate }));
    let other = house.authority.certify(&Wanted::of("own")).unwrap();
    let [own, other] = [own, other].map(|held| house.hold(&held));
    let (status, issued) = house.ask(&agent, Some(&own));
    assert_eq!(status, 200, "{issued}");
    for bad in [Some(&other), None] {
        assert_eq!(house.ask(&agent, bad).0, 401);
    }
    let bearer = format!("Authorization: Bearer {}", issued["access_token"].as_str().unwrap());
    let read = |shown| house.curl(shown, "/api/v1/agents", &["--header", &bearer]).0;
    assert_eq!((read(Some(&own)), read(None)), (200, 401));
}

#[test]
fn dp_12_a_header_is_nobodys_word_where_no_proxy_is_trusted() {
    let mut house = House::open();
    let held = house.authority.certify(&Wanted::of("agent").with_uri(NAME)).unwrap();
    let agent = house.registered("a@example.com", &json!({ "tlsClientAuth": { "sanUri": NAME } }));
    let header = format!("Client-Cert: :{}:", BASE64.encode(&held.der));
    let form = format!("grant_type=client_credentials&client_id={agent}");
    let (status, _) = house.curl(None, "/api/v1/token", &["--header", &header, "--data", &form]);
    assert_eq!(status, 401);
}

#[test]
fn plain_http_at_the_port_of_tls_ends_cleanly_and_hurts_nobody() {
    let house = House::open();
    let address = house.server.base_url.strip_prefix("https://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    assert_eq!(answer.first(), Some(&21), "an alert of TLS: {answer:?}");
    assert_eq!(house.curl(None, "/health", &[]).0, 200);
}

#[test]
fn the_probe_of_a_container_asks_over_tls() {
    let house = House::open();
    let ask = |url: &str| -> ExitStatus {
        let mut probe = Command::new(env!("CARGO_BIN_EXE_idp"));
        probe.env_clear().args(["health", "--url", url]).output().unwrap().status
    };
    assert!(ask(&house.server.base_url).success());
    assert!(!ask(&house.server.base_url.replace("https", "http")).success());
    assert!(house.server.stop_gracefully().success());
}

#[test]
fn dp_11_behind_a_proxy_its_word_counts_and_only_its() {
    let mut authority = Authority::new("CA").unwrap();
    let held = authority.certify(&Wanted::of("agent").with_uri(NAME)).unwrap();
    let foreign =
        Authority::new("CA").unwrap().certify(&Wanted::of("agent").with_uri(NAME)).unwrap();
    for (proxies, is_trusted) in [("127.0.0.1", true), ("10.0.0.0/8", false)] {
        let folder = tempfile::tempdir().unwrap();
        let ca = put(folder.path(), "ca.pem", &authority.pem());
        let server = RunningServer::start_with(
            &folder.path().join("data"),
            &[
                ("PORT", "0"),
                ("IDP_TRUSTED_PROXIES", proxies),
                ("IDP_CLIENT_CERTIFICATE_HEADER", "Client-Cert"),
                ("IDP_MTLS_CA", ca.to_str().unwrap()),
            ],
        );
        let Admin { client_id, client_secret } = server.admin();
        let grant = [("grant_type", "client_credentials")];
        let request = Request::new("POST", "/api/v1/token").basic(&client_id, &client_secret);
        let issued = server.send(&request.form(&grant)).expect(200);
        let token = issued["access_token"].as_str().unwrap();
        let made = |path: &str, body: &Value| {
            server.send(&Request::new("POST", path).bearer(token).json(body)).expect(201)
        };
        let agent = made("/api/v1/agents", &new_agent("a@example.com"));
        let agent = agent["agentId"].as_str().unwrap();
        let key = json!({ "tlsClientAuth": { "sanUri": NAME } });
        made(&format!("/api/v1/agents/{agent}/keys"), &key);

        let showing = |request: Request, held: &Held| {
            let request = request.header("Client-Cert", &format!(":{}:", BASE64.encode(&held.der)));
            http::send(server.address(), &request).unwrap()
        };
        let form = [grant[0], ("client_id", agent)];
        let ask = |held| showing(Request::new("POST", "/api/v1/token").form(&form), held);
        assert_eq!(ask(&foreign).status, 401);
        let answer = ask(&held);
        if !is_trusted {
            assert_eq!(answer.status, 401);
            continue;
        }
        let bound = answer.expect(200);
        let bound = bound["access_token"].as_str().unwrap();
        let read = || Request::new("GET", "/api/v1/agents").bearer(bound);
        assert_eq!(showing(read(), &held).status, 200);
        assert_eq!(showing(read(), &foreign).status, 401);
        assert_eq!(server.send(&read()).status, 401);
    }
}

#[test]
fn strangers_clients_get_in_by_certificates_in_node() {
    let mut house = House::open();
    let held = house.authority.certify(&Wanted::of("agent").with_uri(NAME)).unwrap();
    let agent = house.registered("a@example.com", &json!({ "tlsClientAuth": { "sanUri": NAME } }));
    let Shown { certificate, key } = house.hold(&held);
    let script =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/node/certificates.mjs");
    let output = Command::new("node")
        .arg(script)
        .envs([("ISSUER", &house.server.base_url), ("CLIENT_ID", &agent)])
        .env("CA", house.folder.path().join("ca.pem"))
        .envs([("CERTIFICATE", certificate), ("KEY", key)])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let seen: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |library: &str| {
        json!({
            "library": library,
            "bound": ["x5t#S256"],
            "withCertificate": 200,
            "withNone": 401,
        })
    };
    let (mut first, mut second) = (of("openid-client"), of("oauth4webapi"));
    first["active"] = true.into();
    second["refused"] = "invalid_client".into();
    assert_eq!(seen, json!([first, second]));
}
