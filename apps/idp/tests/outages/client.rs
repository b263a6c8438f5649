//! Clients, and what they ask for.

use serde_json::{Value, json};

use crate::wire::{Answer, Connection, Request, send};

/// A client that can authenticate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Client {
    /// The request for a token.
    pub(crate) fn asks(&self) -> Request {
        Request::token(&self.id, &self.secret)
    }

    /// A token.
    #[track_caller]
    pub(crate) fn token(&self, address: &str) -> String {
        text(&send(address, &self.asks()).expect(200)["access_token"])
    }
}

/// An agent as it is registered.
pub(crate) fn agent(email: &str) -> Value {
    json!({
        "email": email,
        "agentType": "custom",
        "version": "1.0.0",
        "capabilities": ["resume:read"],
        "owner": "test",
        "deploymentEnv": "development",
    })
}

/// Registers an agent, and gives it a credential.
#[track_caller]
pub(crate) fn register(address: &str, token: &str, email: &str) -> Client {
    let mut connection = Connection::new(address);
    let request = Request::new("POST", "/api/v1/agents").bearer(token).json(&agent(email));
    let id = text(&connection.send(&request).expect(201)["agentId"]);
    let path = format!("/api/v1/agents/{id}/credentials");
    let request = Request::new("POST", &path).bearer(token).json(&json!({}));
    let secret = text(&connection.send(&request).expect(201)["clientSecret"]);
    Client { id, secret }
}

/// Introspects a token by the bearer of another one.
pub(crate) fn introspects(token: &str, bearer: &str) -> Request {
    Request::new("POST", "/api/v1/token/introspect").bearer(bearer).form(&[("token", token)])
}

/// Sends each on a connection of its own, all at the same time.
pub(crate) fn send_all(address: &str, requests: &[(&'static str, Request)]) -> Vec<Answer> {
    std::thread::scope(|scope| {
        let sending: Vec<_> = requests
            .iter()
            .map(|(_, request)| scope.spawn(move || send(address, request)))
            .collect();
        sending.into_iter().map(|sent| sent.join().unwrap()).collect()
    })
}

/// A member that is a text.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
