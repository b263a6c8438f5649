//! The requests of a scenario: one for all, or one for each line of a list.

use std::fmt::Write as _;

/// Where the line of the list goes.
const HOLE: &str = "{line}";

/// A request, in which `{line}` may stand once: in the path, in a header or in the body. A line of the
/// list takes its place.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    method: &'static str,
    path: String,
    headers: Vec<(&'static str, String)>,
    body: Option<String>,
    list: Vec<String>,
    is_once: bool,
}

impl Request {
    /// A request without a body.
    pub(crate) fn get(path: &str) -> Self {
        let (path, headers, list) = (path.to_owned(), Vec::new(), Vec::new());
        Self { method: "GET", path, headers, body: None, list, is_once: false }
    }

    /// A form.
    pub(crate) fn form(path: &str, body: &str) -> Self {
        Self::post(path, "application/x-www-form-urlencoded", body)
    }

    /// A JSON document.
    pub(crate) fn json(path: &str, body: &str) -> Self {
        Self::post(path, "application/json", body)
    }

    fn post(path: &str, kind: &str, body: &str) -> Self {
        let request = Self::get(path).with_header("Content-Type", kind);
        Self { method: "POST", body: Some(body.to_owned()), ..request }
    }

    /// With one header more.
    #[must_use]
    pub(crate) fn with_header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// On behalf of whoever has the token.
    #[must_use]
    pub(crate) fn bearing(self, token: &str) -> Self {
        self.with_header("Authorization", &format!("Bearer {token}"))
    }

    /// For each line, from the first again after the last.
    #[must_use]
    pub(crate) fn for_each(self, list: Vec<String>) -> Self {
        Self { list, is_once: false, ..self }
    }

    /// For each line, and never twice: with the last of them the measurement ends.
    #[must_use]
    pub(crate) fn once_for_each(self, list: Vec<String>) -> Self {
        Self { list, is_once: true, ..self }
    }

    /// The lines; none where all requests are the same.
    pub(crate) fn list(&self) -> &[String] {
        &self.list
    }

    /// Whether no line is used twice.
    pub(crate) const fn is_once(&self) -> bool {
        self.is_once
    }

    /// What comes before the line, what comes after it, and, where the line is a part of the body, how
    /// long the rest of the body is: then the length belongs between the first and the second part of
    /// what comes before, which are told apart.
    pub(crate) fn parts(&self) -> Parts {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: 127.0.0.1\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        let body = self.body.as_deref().unwrap_or_default();
        if let Some((before, after)) = body.split_once(HOLE) {
            head.push_str("Content-Length: ");
            let before = format!("\r\n\r\n{before}");
            let length = Some(body.len() - HOLE.len());
            return Parts { head, length, before, after: after.to_owned() };
        }
        if self.body.is_some() {
            let _ = write!(head, "Content-Length: {}\r\n", body.len());
        }
        let whole = format!("{head}\r\n{body}");
        let (head, after) = whole.split_once(HOLE).unwrap_or((&whole, ""));
        Parts {
            head: head.to_owned(),
            length: None,
            before: String::new(),
            after: after.to_owned(),
        }
    }
}

/// A request but for its line: `head`, then the length of the body where the line is a part of it, then
/// `before`, the line, `after`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parts {
    pub(crate) head: String,
    pub(crate) length: Option<usize>,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Parts {
    /// The request for this line, as it goes over the wire.
    pub(crate) fn with(&self, line: &str) -> String {
        let length = self.length.map(|rest| (rest + line.len()).to_string()).unwrap_or_default();
        [&self.head, &length, &self.before, line, &self.after].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_in_the_body_counts_in_its_length() {
        let request = Request::form("/introspect", "token={line}&a=b").bearing("me");
        let text = request.parts().with("12345");
        let expected = "POST /introspect HTTP/1.1\r\nHost: 127.0.0.1\r\n\
                        Content-Type: application/x-www-form-urlencoded\r\n\
                        Authorization: Bearer me\r\nContent-Length: 15\r\n\r\ntoken=12345&a=b";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_line_in_the_path_or_in_a_header_leaves_the_body_as_it_is() {
        let text = Request::get("/agents/{line}").parts().with("7");
        assert_eq!(text, "GET /agents/7 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
        let text = Request::json("/agents", "{}").bearing("{line}").parts().with("7");
        assert!(text.contains("Bearer 7\r\nContent-Length: 2\r\n\r\n{}"), "{text}");
    }

    #[test]
    fn without_a_line_all_requests_are_the_same() {
        let text = Request::form("/token", "a=b").parts().with("");
        assert!(text.ends_with("Content-Length: 3\r\n\r\na=b"), "{text}");
    }
}
