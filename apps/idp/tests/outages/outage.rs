//! What must hold while the store takes no writes, for whatever reason: nothing changes, no token
//! leaves, nobody is told anything false, and what only reads goes on.

use serde_json::json;

use crate::{
    client::{Client, agent, introspects, register, send_all, text},
    installation::{Installation, Server},
    wire::{Request, send},
};

/// A server, and somebody of each kind that is needed to ask it for everything.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) installation: Installation,
    pub(crate) server: Server,
    admin: Client,
    worker: Client,
    token: String,
    workers_token: String,
    credential: String,
}

impl Scene {
    /// Sets it up.
    #[track_caller]
    pub(crate) fn new() -> Self {
        let installation = Installation::start();
        let server = installation.server();
        let admin = installation.admin();
        let token = admin.token(&server.address);
        let worker = register(&server.address, &token, "worker@example.com");
        let workers_token = worker.token(&server.address);
        let path = format!("/api/v1/agents/{}/credentials", worker.id);
        let listed = send(&server.address, &Request::get(&path).bearer(&token)).expect(200);
        let credential = text(&listed["data"][0]["credentialId"]);
        Self { installation, server, admin, worker, token, workers_token, credential }
    }

    /// All that must be refused: each kind of change, and tokens.
    fn changes(&self) -> Vec<(&'static str, Request)> {
        let agents = "/api/v1/agents".to_owned();
        let worker = format!("{agents}/{}", self.worker.id);
        let credentials = format!("{worker}/credentials");
        let credential = format!("{credentials}/{}", self.credential);
        let new = |method, path: &str| Request::new(method, path).bearer(&self.token);
        let revoked = [("token", self.workers_token.as_str())];
        vec![
            ("a token", self.admin.asks()),
            ("another token", self.worker.asks()),
            ("a registration", new("POST", &agents).json(&agent("late@example.com"))),
            ("a suspension", new("PATCH", &worker).json(&json!({"status": "suspended"}))),
            ("a decommissioning", new("DELETE", &worker)),
            ("a credential", new("POST", &credentials).json(&json!({}))),
            ("a rotation", new("POST", &format!("{credential}/rotate")).json(&json!({}))),
            ("a credential's end", new("DELETE", &credential)),
            ("a revocation", new("POST", "/api/v1/token/revoke").form(&revoked)),
        ]
    }

    /// What says whether a token is good.
    fn judgements(&self) -> Vec<(&'static str, Request)> {
        vec![
            ("an introspection", introspects(&self.workers_token, &self.token)),
            ("one of the token itself", introspects(&self.token, &self.token)),
        ]
    }

    /// Tries it all at the same time, twice over, while nothing can be written.
    #[track_caller]
    pub(crate) fn expect_nothing_written(&self, fault: &str) {
        let (changes, judgements) = (self.changes(), self.judgements());
        let count = changes.len();
        let mut all = changes;
        all.extend(judgements);
        for round in 0..2 {
            let answers = send_all(&self.server.address, &all);
            for (number, (answer, (name, _))) in answers.into_iter().zip(&all).enumerate() {
                let what = format!("{fault}, round {round}: {name}");
                if number < count {
                    answer.expect_outage(&what);
                } else {
                    answer.expect_in_time(&what);
                    assert_eq!(answer.status, 200, "{what}: {}", answer.body);
                    assert_eq!(answer.expect(200)["active"], true, "{what}");
                }
            }
        }
        for path in ["/health", "/.well-known/jwks.json"] {
            send(&self.server.address, &Request::get(path)).expect(200);
        }
    }

    /// What only reads is answered, and the store can be reached.
    #[track_caller]
    pub(crate) fn expect_reads(&self, fault: &str) {
        let agent = format!("/api/v1/agents/{}", self.worker.id);
        for path in ["/api/v1/agents", &agent, "/api/v1/audit", "/health/detailed"] {
            let answer = send(&self.server.address, &Request::get(path).bearer(&self.token));
            assert_eq!(answer.status, 200, "{fault}: {path}: {}", answer.body);
        }
    }

    /// What reads an agent's record.
    pub(crate) fn reads(&self) -> Request {
        Request::get(&format!("/api/v1/agents/{}", self.worker.id)).bearer(&self.token)
    }

    /// Everything works, once what still waited has been given up.
    #[track_caller]
    pub(crate) fn expect_healed_in_time(&self, fault: &str) {
        for request in [self.admin.asks(), self.reads()] {
            let answered = std::iter::repeat_with(|| send(&self.server.address, &request));
            let mut failed = answered.take_while(|answer| answer.status != 200);
            assert!(failed.by_ref().take(3).count() < 3, "{fault}: it fails still");
        }
        self.expect_healed(fault);
    }

    /// Everything works, after no more than so many changes have failed.
    #[track_caller]
    pub(crate) fn expect_healed_after(&self, fault: &str, failures: u32) {
        let path = format!("/api/v1/agents/{}", self.admin.id);
        let change = Request::new("PATCH", &path).bearer(&self.token);
        for number in 0..=failures {
            let change = change.clone().json(&json!({"owner": format!("owner-{number}")}));
            if send(&self.server.address, &change).status == 200 {
                return self.expect_healed(fault);
            }
        }
        panic!("{fault}: changes fail still");
    }

    /// Everything works, without anybody having restarted anything.
    #[track_caller]
    pub(crate) fn expect_healed(&self, fault: &str) {
        for client in [&self.admin, &self.worker] {
            let answer = send(&self.server.address, &client.asks());
            assert_eq!(answer.status, 200, "{fault}: {}", answer.body);
        }
        let email = format!("after-{}@example.com", fault.replace(' ', "-"));
        register(&self.server.address, &self.token, &email);
        let judged = introspects(&self.workers_token, &self.token);
        assert_eq!(send(&self.server.address, &judged).expect(200)["active"], true, "{fault}");
    }
}
