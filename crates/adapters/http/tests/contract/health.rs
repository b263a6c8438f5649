//! `GET /health/detailed`: each service as it is, the worst of them on top, and nothing else.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use http_api::{Service, ServiceHealth, ServicesProbe};
use serde_json::{Value, json};

use crate::kit::{Answer, Server, Settings};

/// What a failure inside may say, which may not be seen outside.
const CANARY: &str = "canary: redis://cache.internal refused the password";

/// Answers as it is told to, or panics where it is told nothing.
struct Told(Option<Vec<ServiceHealth>>);

#[async_trait]
impl ServicesProbe for Told {
    async fn services(&self) -> Vec<ServiceHealth> {
        self.0.clone().unwrap_or_else(|| panic!("{CANARY}"))
    }
}

const fn answered(service: Service, milliseconds: u64) -> ServiceHealth {
    let latency = Duration::from_millis(milliseconds);
    ServiceHealth { service, latency, reachable: true, clocks_apart: false }
}

const fn gave_up(service: Service, milliseconds: u64) -> ServiceHealth {
    ServiceHealth { reachable: false, ..answered(service, milliseconds) }
}

async fn server(told: Option<Vec<ServiceHealth>>) -> Server {
    Server::altered(Settings::default(), |mut ports| {
        ports.process.services = Arc::new(Told(told));
        ports
    })
    .await
}

async fn detailed(services: &[ServiceHealth]) -> Answer {
    server(Some(services.to_vec())).await.get("/health/detailed").send().await
}

/// The whole answer, but for how long the process has run.
fn whole(status: &str, services: &Value) -> Value {
    json!({ "status": status, "version": "1.2.3", "uptime": 0, "services": services })
}

#[tokio::test]
async fn each_service_is_told_with_its_latency_and_nothing_else() {
    use Service::{Cache, Database};
    let answer = detailed(&[answered(Database, 3), answered(Cache, 0)]).await.expect(200);
    let healthy = json!({
        "database": { "status": "healthy", "latencyMs": 3 },
        "cache": { "status": "healthy", "latencyMs": 0 },
    });
    assert_eq!(answer.json, whole("healthy", &healthy));
    let answer = detailed(&[answered(Database, 1_001), gave_up(Cache, 2_000)]).await.expect(503);
    let unwell = json!({
        "database": { "status": "degraded", "latencyMs": 1_001 },
        "cache": { "status": "unreachable", "latencyMs": 2_000 },
    });
    assert_eq!(answer.json, whole("unreachable", &unwell));
}

#[tokio::test]
async fn a_service_that_is_not_configured_is_left_out() {
    let answer = detailed(&[answered(Service::Database, 1)]).await.expect(200);
    let services = json!({ "database": { "status": "healthy", "latencyMs": 1 } });
    assert_eq!(answer.json, whole("healthy", &services));
}

#[tokio::test]
async fn the_worst_service_decides_and_only_one_that_is_away_is_a_503() {
    use Service::{Cache, Database};
    for (database, cache, status, word) in [
        (answered(Database, 1_000), answered(Cache, 1_000), 200, "healthy"),
        (answered(Database, 1_001), answered(Cache, 1), 200, "degraded"),
        (answered(Database, 1), answered(Cache, 1_900), 200, "degraded"),
        (gave_up(Database, 2_000), answered(Cache, 1), 503, "unreachable"),
        (answered(Database, 1), gave_up(Cache, 0), 503, "unreachable"),
        (gave_up(Database, 0), gave_up(Cache, 0), 503, "unreachable"),
    ] {
        let answer = detailed(&[database, cache]).await.expect(status);
        assert_eq!(answer.json["status"], word);
    }
}

#[tokio::test]
async fn ck_04_a_database_whose_clock_is_far_off_is_degraded_and_it_is_said_why() {
    let off = ServiceHealth { clocks_apart: true, ..answered(Service::Database, 1) };
    let answer = detailed(&[off]).await.expect(200);
    let services =
        json!({ "database": { "status": "degraded", "latencyMs": 1, "reason": "clockSkew" } });
    assert_eq!(answer.json, whole("degraded", &services));
    // Every replica is off where the database is: none would be left to send requests to.
    server(Some(vec![off])).await.get("/health/ready").send().await.expect(200);
}

#[tokio::test]
async fn whatever_the_services_do_the_process_is_alive_and_ready_by_its_own_probe() {
    let away = [Service::Database, Service::Cache].map(|service| gave_up(service, 2_000));
    let server = server(Some(away.to_vec())).await;
    for path in ["/health", "/health/ready"] {
        server.get(path).send().await.expect(200);
    }
}

#[tokio::test]
async fn uptime_is_told_in_whole_seconds_since_the_start() {
    let server = Server::start().await;
    server.clock.advance(Duration::from_millis(90_999));
    let answer = server.get("/health/detailed").send().await.expect(200);
    assert_eq!(answer.json["uptime"], 90);
}

#[tokio::test]
async fn sl_03_a_panic_while_services_are_asked_is_a_generic_500() {
    let answer = server(None).await.get("/health/detailed").send().await;
    assert_eq!(answer.refusal(), (500, "INTERNAL_ERROR"));
    let shown = format!("{:?} {}", answer.headers, String::from_utf8_lossy(&answer.body));
    assert!(!shown.contains("canary"), "{shown}");
}
