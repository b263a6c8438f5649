//! Judges an answer: nothing of another organization stands in it, and nobody failed.

use data_encoding::BASE64URL_NOPAD;
use serde_json::Value;

use crate::{
    ids,
    wire::{Answer, Request},
    world::World,
};

/// What is wrong with an answer to a caller of this organization, or to one of none.
pub(crate) fn complaint(
    world: &World,
    listener: Option<usize>,
    request: &Request,
    answer: &Answer,
) -> Option<String> {
    if answer.status >= 500 || answer.status == 429 {
        return Some("nobody asked for this status".to_owned());
    }
    let headers = answer.headers.iter().map(|(_, value)| value.clone());
    let texts = headers.chain(body(request, answer));
    texts.filter_map(|text| foreign(world, listener, &text)).next()
}

/// What the body tells: as it is, and with the token in it opened.
fn body(request: &Request, answer: &Answer) -> Vec<String> {
    match request.operation {
        "issueToken" => {
            let claims = answer.json()["access_token"].as_str().map(payload);
            [answer.body.clone()].into_iter().chain(claims).collect()
        }
        "getAuditEvent" | "listAuditEvents" => vec![without_targets(answer.json())],
        "exportAuditLog" => {
            let lines = answer.body.lines().filter_map(|line| serde_json::from_str(line).ok());
            lines.map(without_targets).collect()
        }
        _ => vec![answer.body.clone()],
    }
}

/// Whatever was asked for in vain stands in the asker's own log, in that one place.
fn without_targets(mut body: Value) -> String {
    let forget = |event: &mut Value| {
        if event["action"] == "access.denied"
            && let Some(metadata) = event["metadata"].as_object_mut()
        {
            metadata.remove("target");
        }
    };
    if body.get("leafHash").is_some() {
        forget(&mut body["event"]);
    } else if let Some(events) = body["data"].as_array_mut() {
        events.iter_mut().for_each(forget);
    } else {
        forget(&mut body);
    }
    body.to_string()
}

/// The claims of a token, unverified.
pub(crate) fn payload(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap_or_default();
    let decoded = BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap_or_default();
    String::from_utf8(decoded).unwrap_or_default()
}

fn foreign(world: &World, listener: Option<usize>, text: &str) -> Option<String> {
    for (place, tenant) in world.tenants.iter().enumerate() {
        if Some(place) != listener && text.contains(&tenant.marker) {
            return Some(format!("`{}` stands in it", tenant.marker));
        }
    }
    let is_foreign =
        |id: &u128| world.ids.owner(*id, listener).is_some_and(|owner| Some(owner) != listener);
    let id = ids::within(text).into_iter().find(is_foreign)?;
    let owner = world.ids.owner(id, listener)?;
    Some(format!("{id:032x} of `{}` stands in it", world.tenants[owner].marker))
}

/// How many events the answer has left, where a success leaves so many.
pub(crate) fn events(request: &Request, answer: &Answer, of_a_success: u64) -> u64 {
    if (200..300).contains(&answer.status) {
        return of_a_success;
    }
    match (answer.status, answer.code().as_str()) {
        (401, _) => 1,
        (403, "AUTHORIZATION_ERROR" | "INSUFFICIENT_SCOPE" | "insufficient_scope") => 1,
        (400, "invalid_scope" | "invalid_target" | "unsupported_grant_type") => {
            u64::from(request.operation == "issueToken")
        }
        _ => 0,
    }
}
