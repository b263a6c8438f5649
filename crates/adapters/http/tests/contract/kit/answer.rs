//! What came back.

use axum::http::HeaderMap;
use serde_json::Value;

/// A response, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
    /// The body as JSON; null where it is none.
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn number(&self, header: &str) -> i64 {
        self.header(header).unwrap_or_else(|| panic!("no {header}")).parse().unwrap()
    }

    /// The status and the code of a problem, or the error of an OAuth answer.
    pub(crate) fn refusal(&self) -> (u16, &str) {
        let code = self.json["code"].as_str().or(self.json["error"].as_str());
        (self.status, code.unwrap_or_default())
    }

    /// The names of the bad fields, each once, in order.
    pub(crate) fn bad_fields(&self) -> Vec<&str> {
        let fields = self.json["details"]["fields"].as_object();
        fields.map(|fields| fields.keys().map(String::as_str).collect()).unwrap_or_default()
    }

    pub(crate) fn text(&self, member: &str) -> String {
        let text = self.json[member].as_str();
        text.unwrap_or_else(|| panic!("no {member} in {}", self.json)).to_owned()
    }

    /// The answer without what differs from one request to the next by design: for the rule that
    /// two answers are the same, byte for byte.
    pub(crate) fn bare(&self) -> (u16, Vec<(String, String)>, String) {
        let id = self.header("x-request-id").unwrap();
        let varies = ["x-request-id", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit"];
        let headers = self.headers.iter().filter(|(name, _)| !varies.contains(&name.as_str()));
        let headers =
            headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        let body = String::from_utf8(self.body.clone()).unwrap().replace(id, "ID");
        (self.status, headers.collect(), body)
    }

    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        let body = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{body}");
        self
    }
}
