//! An admin's session, and the calls that this test makes.

use std::io;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use crate::departed::{Checkpoint, Departed};
use crate::stopwatch::{now, until};
use crate::support::{
    http::{self, Answer, Request},
    server::Admin,
};
use crate::verified::Evidence;

/// How soon a checkpoint must cover what was acknowledged, on a machine with other things to do.
pub(crate) const COVERED: Duration = Duration::from_secs(5);

/// A token, with what it says of itself.
#[derive(Debug, Clone)]
pub(crate) struct Issued {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) credential: String,
}

/// Somebody who acts with an admin's token.
#[derive(Debug)]
pub(crate) struct Session {
    address: String,
    pub(crate) token: Issued,
}

impl Session {
    /// Gets the admin a token.
    pub(crate) fn open(address: &str, admin: &Admin) -> io::Result<Self> {
        let token = issue(address, &admin.client_id, &admin.client_secret)?;
        Ok(Self { address: address.to_owned(), token: token.expect("the admin gets a token") })
    }

    /// Waits until a checkpoint covers all that was acknowledged before this session began, and gives
    /// it back.
    #[track_caller]
    pub(crate) fn covered(&self) -> Checkpoint {
        let path = format!("/api/v1/audit?action=token.issued&resourceId={}", self.token.id);
        let (begun, mut position) = (now(), None);
        until(begun, COVERED, || {
            position = self.get(&path).unwrap().expect(200)["data"][0]["position"].as_u64();
            position.is_some()
        });
        let mut covering = None;
        until(begun, COVERED, || {
            let served = self.get("/api/v1/audit/checkpoint").unwrap();
            let served = (served.status == 200).then(|| Checkpoint::of(&served.body));
            covering = served.filter(|it| Some(it.size) > position);
            covering.is_some()
        });
        covering.unwrap()
    }

    /// What the log says now, and what left of it.
    #[track_caller]
    pub(crate) fn evidence(&self, departed: &Departed) -> Evidence {
        self.covered();
        let whole = |path| {
            let answer = self.get(path).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.body
        };
        Evidence::keep(&whole("/api/v1/audit/export"), &whole("/api/v1/audit/key"), departed)
    }

    fn send(&self, request: Request) -> io::Result<Answer> {
        http::send(&self.address, &request.bearer(&self.token.text))
    }

    pub(crate) fn get(&self, path: &str) -> io::Result<Answer> {
        self.send(Request::new("GET", path))
    }

    pub(crate) fn register(&self, email: &str) -> io::Result<String> {
        let agent = json!({
            "email": email,
            "agentType": "custom",
            "version": "1.0.0",
            "capabilities": ["resume:read"],
            "owner": "test",
            "deploymentEnv": "development",
        });
        let agent = self.send(Request::new("POST", "/api/v1/agents").json(&agent))?.expect(201);
        Ok(text(&agent["agentId"]))
    }

    /// The new credential's id and secret.
    pub(crate) fn give_credential(&self, agent: &str) -> io::Result<(String, String)> {
        let path = format!("/api/v1/agents/{agent}/credentials");
        let made = self.send(Request::new("POST", &path).json(&json!({})))?.expect(201);
        Ok((text(&made["credentialId"]), text(&made["clientSecret"])))
    }

    pub(crate) fn revoke_credential(&self, agent: &str, credential: &str) -> io::Result<()> {
        let path = format!("/api/v1/agents/{agent}/credentials/{credential}");
        self.send(Request::new("DELETE", &path))?.expect(204);
        Ok(())
    }

    pub(crate) fn is_active(&self, token: &str) -> io::Result<bool> {
        let request = Request::new("POST", "/api/v1/token/introspect").form(&[("token", token)]);
        Ok(self.send(request)?.expect(200)["active"] == true)
    }

    /// How many events of that kind there are, of that resource where one is named.
    pub(crate) fn events(&self, action: &str, resource: Option<&str>) -> io::Result<u64> {
        let resource = resource.map(|id| format!("&resourceId={id}")).unwrap_or_default();
        let path = format!("/api/v1/audit?limit=1&action={action}{resource}");
        Ok(self.get(&path)?.expect(200)["total"].as_u64().unwrap())
    }

    pub(crate) fn issue(&self, agent: &str, secret: &str) -> io::Result<Option<Issued>> {
        issue(&self.address, agent, secret)
    }

    pub(crate) fn revoke(&self, token: &str, agent: &str, secret: &str) -> io::Result<()> {
        let request = Request::new("POST", "/api/v1/token/revoke").form(&[("token", token)]);
        let answer = http::send(&self.address, &request.basic(agent, secret))?;
        assert_eq!(answer.status, 200, "{}", answer.body);
        Ok(())
    }
}

/// A token for the client, if it is good.
fn issue(address: &str, client_id: &str, client_secret: &str) -> io::Result<Option<Issued>> {
    let request = Request::new("POST", "/api/v1/token")
        .basic(client_id, client_secret)
        .form(&[("grant_type", "client_credentials")]);
    let answer = http::send(address, &request)?;
    if answer.status == 401 {
        return Ok(None);
    }
    let token = text(&answer.expect(200)["access_token"]);
    let payload = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&payload).unwrap();
    let (id, credential) = (text(&claims["jti"]), text(&claims["credential_id"]));
    Ok(Some(Issued { id, text: token, credential }))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}
