//! What a running server tells of its health, and what `idp health` makes of it.

use serde_json::json;

use crate::process::{Process, data, idp, run};
use crate::support::http::Request;

#[test]
fn a_server_tells_how_its_database_is_and_of_no_cache_where_it_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let server = Process::serve(&mut idp(&[], &data(&folder)));
    let health = server.send(&Request::new("GET", "/health/detailed")).expect(200);
    assert_eq!(health["status"], "healthy");
    assert_eq!(health["version"], env!("CARGO_PKG_VERSION"));
    let latency = &health["services"]["database"]["latencyMs"];
    assert!(latency.is_u64(), "{health}");
    let database = json!({ "status": "healthy", "latencyMs": latency });
    assert_eq!(health["services"], json!({ "database": database }));
}

#[test]
fn idp_health_finds_a_server_by_its_configuration_or_its_url() {
    let folder = tempfile::tempdir().unwrap();
    let data = data(&folder);
    // On every address, as in a container: it is asked on loopback.
    let server = Process::serve(idp(&[], &data).env("IDP_LISTEN", "0.0.0.0"));
    let (_, port) = server.address.rsplit_once(':').unwrap();
    let url = format!("http://127.0.0.1:{port}");
    let by_url = run(&mut idp(&["health", "--url", &url], &data));
    let configured = &mut idp(&["health"], &data);
    let by_configuration = run(configured.env("PORT", port).env("IDP_LISTEN", "0.0.0.0"));
    for asked in [by_url, by_configuration] {
        let said = (asked.code, asked.out.as_str(), asked.log.as_str());
        assert_eq!(said, (Some(0), "ready\n", ""));
    }
    let any = run(&mut idp(&["health"], &data)).refused();
    assert!(any.contains("use --url"), "{any}");
}
