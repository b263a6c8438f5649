//! The requests that make what is measured.

use anyhow::Context;
use serde::de::DeserializeOwned;

use super::Connection;

/// The id and the secret of a client, as a line of a file has them.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) id: String,
    pub(super) secret: String,
}

impl Client {
    /// Of a line such as `id secret`; what follows is passed over.
    pub(super) fn of(line: &str) -> anyhow::Result<Self> {
        let mut words = line.split_ascii_whitespace().map(str::to_owned);
        let (id, secret) = words.next().zip(words.next()).context("a line is no client")?;
        Ok(Self { id, secret })
    }

    /// The request for a token with this scope.
    pub(super) fn token_request(&self, scope: &str) -> String {
        let Self { id, secret } = self;
        let scope = scope.replace(':', "%3A").replace(' ', "+");
        let body = format!(
            "grant_type=client_credentials&client_id={id}&client_secret={secret}&scope={scope}"
        );
        post("/api/v1/token", "application/x-www-form-urlencoded", None, &body)
    }

    /// A token with this scope.
    pub(super) fn token(&self, server: &mut Connection, scope: &str) -> anyhow::Result<String> {
        #[derive(serde::Deserialize)]
        struct Answer {
            access_token: String,
        }
        let answer: Answer =
            ask(server, &self.token_request(scope)).context("asking for a token")?;
        Ok(answer.access_token)
    }
}

/// Sends it, and reads the JSON of the answer.
pub(super) fn ask<T: DeserializeOwned>(
    server: &mut Connection,
    request: &str,
) -> anyhow::Result<T> {
    let body = server.send(request.as_bytes())?.success()?;
    serde_json::from_slice(&body).context("reading an answer")
}

/// A request with a body.
pub(super) fn post(path: &str, kind: &str, token: Option<&str>, body: &str) -> String {
    let bearer = token.map(|token| format!("Authorization: Bearer {token}\r\n"));
    format!(
        "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n{}Content-Length: {}\r\n\r\n{body}",
        bearer.unwrap_or_default(),
        body.len(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_the_id_and_the_secret_first() {
        let client = Client::of("an-id a-secret something else").unwrap();
        assert_eq!([client.id.as_str(), client.secret.as_str()], ["an-id", "a-secret"]);
        assert!(Client::of("alone").is_err());
    }

    #[test]
    fn a_request_for_a_token_escapes_its_scope() {
        let client = Client::of("an-id a-secret").unwrap();
        let request = client.token_request("agents:read audit:read");
        assert!(request.ends_with("&scope=agents%3Aread+audit%3Aread"), "{request}");
    }
}
