//! What leaks: no secret and no token stands in a log line at any level, or in an event.

use std::{
    io,
    sync::{LazyLock, Mutex, PoisonError},
};

use serde_json::json;

use crate::kit::{Client, Server};

/// Everything that is logged while the tests run, by any thread: the store has its own.
static LOG: Mutex<Vec<u8>> = Mutex::new(Vec::new());

static CAPTURE: LazyLock<()> = LazyLock::new(|| {
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE);
    let subscriber = subscriber.with_ansi(false).with_writer(|| Log).finish();
    tracing::subscriber::set_global_default(subscriber).unwrap();
});

struct Log;

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOG.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn sl_01_no_secret_and_no_token_is_in_a_log_line_or_an_event() {
    LazyLock::force(&CAPTURE);
    let server = Server::start().await;
    let client = server.client(&["operator"]).await;
    let token = server.token_of(&client, "agents:read credentials:write").await;
    let (id, secret) = (client.id.as_str(), client.secret.as_str());
    let wrong = Client { secret: server.admin.secret.clone(), ..client.clone() };
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
    let inner = [("token", token.as_str()), ("client_id", id), ("client_secret", secret)];
    let path = format!("/api/v1/agents/{id}/credentials/{}/rotate", client.credential);
    let canary = "canary-of-a-secret";
    let calls = [
        server.post("/api/v1/token").form(&form),
        server.post("/api/v1/token/introspect").form(&inner),
        server.post(format!("/api/v1/token?client_secret={secret}")).form(&form),
        server.get(format!("/api/v1/agents?access_token={token}")).token(&token),
        server.get(format!("/{token}")).token(&token),
        server.get(format!("/api/v1/agents/{secret}")).token(&token),
        server.post("/api/v1/agents").token(&token).json(&json!({ canary: secret })),
        server.post(&path).token(&token).json(&json!({ "overlapSeconds": 60 })),
        server.get("/api/v1/agents").header("cookie", format!("token={token}")).token(canary),
        server.get("/api/v1/agents").header("x-request-id", &token).token(&token),
        server.post("/api/v1/token/revoke").form(&inner),
    ];
    for call in calls {
        call.send().await;
    }
    server.ask(&wrong, &[]).await.expect(401);
    server.ask(&client, &[("scope", canary)]).await.expect(400);

    let log = LOG.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let log = String::from_utf8_lossy(&log);
    assert!(log.contains("request_id"), "nothing was captured");
    let events = format!("{:?}", server.events().await);
    let mut secrets = server.secrets();
    secrets.push(canary.to_owned());
    assert!(secrets.len() > 8);
    for secret in secrets {
        assert!(!events.contains(&secret), "an event holds a secret");
        assert!(!log.contains(&secret), "a log line holds a secret");
        // Neither the random part alone, nor a token's signature.
        let tail = secret.rsplit('.').next().unwrap();
        let tail = tail.get(tail.len().saturating_sub(40)..).unwrap();
        assert!(!log.contains(tail) && !events.contains(tail));
    }
}
