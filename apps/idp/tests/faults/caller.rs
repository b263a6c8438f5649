//! What the load, the checks and the measures ask of a replica.

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::front::{Front, Told};
use crate::support::http::{Answer, Request};

/// A client's id and secret.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: String,
}

/// A token, with what it says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) agent: String,
    pub(crate) credential: String,
}

/// A new credential.
#[derive(Debug, Clone)]
pub(crate) struct Secret {
    pub(crate) id: String,
    pub(crate) client: Client,
}

/// Somebody who acts with an admin's token.
#[derive(Debug, Clone)]
pub(crate) struct Caller<'a> {
    pub(crate) front: &'a Front,
    pub(crate) token: String,
}

impl<'a> Caller<'a> {
    pub(crate) fn open(front: &'a Front, at: usize, admin: &Client) -> Told<Self> {
        let token = issue(front, at, admin)?.expect("the admin gets a token").text;
        Ok(Self { front, token })
    }

    #[track_caller]
    fn send(&self, at: usize, request: Request) -> Told<Answer> {
        self.front.send(at, &request.bearer(&self.token))
    }

    /// Whatever the answer.
    #[track_caller]
    pub(crate) fn ask(&self, at: usize, path: &str) -> Told<Answer> {
        self.send(at, Request::new("GET", path))
    }

    #[track_caller]
    pub(crate) fn get(&self, at: usize, path: &str) -> Told<Value> {
        Ok(self.send(at, Request::new("GET", path))?.expect(200))
    }

    #[track_caller]
    pub(crate) fn register(&self, at: usize, email: &str, capability: &str) -> Told<String> {
        let agent = json!({
            "email": email,
            "agentType": "custom",
            "version": "1.0.0",
            "capabilities": ["resume:read", capability],
            "owner": "test",
            "deploymentEnv": "development",
        });
        let agent = self.send(at, Request::new("POST", "/api/v1/agents").json(&agent))?.expect(201);
        Ok(text(&agent["agentId"]))
    }

    /// Changes what the patch names.
    #[track_caller]
    pub(crate) fn patch(&self, at: usize, agent: &str, patch: &Value) -> Told<()> {
        let path = format!("/api/v1/agents/{agent}");
        self.send(at, Request::new("PATCH", &path).json(patch))?.expect(200);
        Ok(())
    }

    #[track_caller]
    pub(crate) fn decommission(&self, at: usize, agent: &str) -> Told<()> {
        let path = format!("/api/v1/agents/{agent}");
        self.send(at, Request::new("DELETE", &path))?.expect(204);
        Ok(())
    }

    #[track_caller]
    pub(crate) fn give_credential(&self, at: usize, agent: &str) -> Told<Secret> {
        self.new_secret(at, agent, &format!("/api/v1/agents/{agent}/credentials"))
    }

    /// Without overlap: the old one stops at once.
    #[track_caller]
    pub(crate) fn rotate(&self, at: usize, agent: &str, credential: &str) -> Told<Secret> {
        let path = format!("/api/v1/agents/{agent}/credentials/{credential}/rotate");
        self.new_secret(at, agent, &path)
    }

    #[track_caller]
    fn new_secret(&self, at: usize, agent: &str, path: &str) -> Told<Secret> {
        let made = self.send(at, Request::new("POST", path).json(&json!({})))?.expect(201);
        let client = Client { id: agent.to_owned(), secret: text(&made["clientSecret"]) };
        Ok(Secret { id: text(&made["credentialId"]), client })
    }

    #[track_caller]
    pub(crate) fn add_key(&self, at: usize, agent: &str, key: &Value) -> Told<()> {
        let path = format!("/api/v1/agents/{agent}/keys");
        self.send(at, Request::new("POST", &path).json(key))?.expect(201);
        Ok(())
    }

    #[track_caller]
    pub(crate) fn revoke_credential(&self, at: usize, agent: &str, id: &str) -> Told<()> {
        let path = format!("/api/v1/agents/{agent}/credentials/{id}");
        self.send(at, Request::new("DELETE", &path))?.expect(204);
        Ok(())
    }

    /// As an admin, who may revoke any token of its organization.
    #[track_caller]
    pub(crate) fn revoke(&self, at: usize, token: &str) -> Told<()> {
        let request = Request::new("POST", "/api/v1/token/revoke").form(&[("token", token)]);
        self.send(at, request)?.expect(200);
        Ok(())
    }

    #[track_caller]
    pub(crate) fn is_active(&self, at: usize, token: &str) -> Told<bool> {
        let request = Request::new("POST", "/api/v1/token/introspect").form(&[("token", token)]);
        Ok(self.send(at, request)?.expect(200)["active"] == true)
    }
}

/// A token for the client, if it is good.
#[track_caller]
pub(crate) fn issue(front: &Front, at: usize, client: &Client) -> Told<Option<Issued>> {
    issue_with(front, at, client, &[])
}

/// A token of these scopes, if it may have them.
#[track_caller]
pub(crate) fn issue_with(
    front: &Front,
    at: usize,
    client: &Client,
    scopes: &[&str],
) -> Told<Option<Issued>> {
    let scope = scopes.join(" ");
    let mut form = vec![("grant_type", "client_credentials")];
    form.extend((!scopes.is_empty()).then_some(("scope", scope.as_str())));
    let request = Request::new("POST", "/api/v1/token").basic(&client.id, &client.secret);
    let answer = front.send(at, &request.form(&form))?;
    let refused = serde_json::from_str::<Value>(&answer.body).unwrap_or_default();
    if answer.status == 401 || refused["error"] == "invalid_scope" {
        return Ok(None);
    }
    let token = text(&answer.expect(200)["access_token"]);
    let payload = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let (id, agent) = (text(&claims["jti"]), text(&claims["sub"]));
    Ok(Some(Issued { id, text: token, agent, credential: text(&claims["credential_id"]) }))
}

/// Asks for a token, whatever the answer.
#[track_caller]
pub(crate) fn ask_for_token(front: &Front, at: usize, client: &Client) -> Told<Answer> {
    let request = Request::new("POST", "/api/v1/token").basic(&client.id, &client.secret);
    front.send(at, &request.form(&[("grant_type", "client_credentials")]))
}

/// Whether the client was good; then the token is revoked.
#[track_caller]
pub(crate) fn revoke_token(front: &Front, at: usize, token: &str, client: &Client) -> Told<bool> {
    let request = Request::new("POST", "/api/v1/token/revoke").form(&[("token", token)]);
    let answer = front.send(at, &request.basic(&client.id, &client.secret))?;
    assert!(matches!(answer.status, 200 | 401), "{} {}", answer.status, answer.body);
    Ok(answer.status == 200)
}

/// Whether the token lets its bearer in: an agent may always read itself.
#[track_caller]
pub(crate) fn is_let_in(front: &Front, at: usize, token: &Issued) -> Told<bool> {
    let path = format!("/api/v1/agents/{}", token.agent);
    let answer = front.send(at, &Request::new("GET", &path).bearer(&token.text))?;
    assert!(matches!(answer.status, 200 | 401), "{} {}", answer.status, answer.body);
    Ok(answer.status == 200)
}

pub(crate) fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
