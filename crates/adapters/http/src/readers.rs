//! The readers of what callers send, for whoever feeds them anything at all. No part of the server.

use kernel::{AgentId, ExposeSecret};

use crate::{basic_auth, fields::Fields, form_body::Form, paging, percent, query::Query};

/// Reads a form, in which `resource` may be repeated, and tells how many values it has of a parameter
/// that may not.
#[must_use]
pub fn form(bytes: &[u8]) -> Option<usize> {
    let form = Form::parse(bytes, &["resource"]).ok()?;
    Some(form.all("scope").count())
}

/// Reads what follows `Basic `: an id and a secret.
#[must_use]
pub fn basic(credentials: &str) -> Option<(String, String)> {
    let (id, secret) = basic_auth::decode(credentials)?;
    Some((id, secret.expose_secret().to_owned()))
}

/// Reads a query that asks for a page: whether it names one.
#[must_use]
pub fn page(query: &str) -> bool {
    let mut fields = Query::parse(Some(query));
    let page = paging::paging::<AgentId>(&mut fields);
    fields.finish(|| page).is_ok()
}

/// Reads a body of JSON: whether it is an object that some endpoint could take.
#[must_use]
pub fn json(bytes: &[u8]) -> bool {
    Fields::parse(bytes).is_ok()
}

/// Decodes text that may be percent-encoded.
#[must_use]
pub fn percent_decoded(text: &str) -> Option<String> {
    percent::decode(text).ok()
}
