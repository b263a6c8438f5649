//! Serves an issuer that has a path of its own, `https://host/tenant`, whether or not the proxy in
//! front takes that path away.
//!
//! What lies below the issuer's path is what lies below the root. Two documents do not lie below it:
//! their well-known name stands between the host and the path (RFC 8414 section 3.1, RFC 9728
//! section 3.1), and where another issuer's or none stands, there is nothing.

use std::borrow::Cow;

use axum::{
    Router,
    extract::Request,
    http::{HeaderMap, HeaderValue, Uri, header, uri::PathAndQuery},
    response::Response,
};
use tokens::Issuer;
use tower::ServiceBuilder;

const WELL_KNOWN: &str = "/.well-known/";

/// Names that stand before the issuer's path and nowhere else.
const BEFORE: [&str; 2] = ["oauth-authorization-server", "oauth-protected-resource"];

/// The name that stands behind the issuer's path (OpenID Connect Discovery section 4.1), and before it
/// for clients that look for all documents there (RFC 8414 section 5).
const EITHER: &str = "openid-configuration";

/// The router, at the issuer's place.
pub(crate) fn place(router: Router, issuer: &Issuer) -> Router {
    if issuer.path().is_empty() {
        return router;
    }
    let (asked, answered) = (issuer.path().to_owned(), issuer.path().to_owned());
    // Before any route is chosen, which a layer of the router itself would be too late for.
    let placed = ServiceBuilder::new()
        .map_request(move |mut request: Request| {
            if let Some(uri) = moved(request.uri(), &asked) {
                *request.uri_mut() = uri;
            }
            request
        })
        .map_response(move |mut response: Response| {
            move_back(response.headers_mut(), &answered);
            response
        })
        .service(router);
    Router::new().fallback_service(placed)
}

/// The URI as the router knows it; `None` where it may stay as it is.
fn moved(uri: &Uri, issuer: &str) -> Option<Uri> {
    let path = routed(uri.path(), issuer)?;
    let target = match uri.query() {
        Some(query) => Cow::Owned(format!("{path}?{query}")),
        None => path,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(&*target).ok()?);
    Uri::from_parts(parts).ok()
}

fn routed<'a>(path: &'a str, issuer: &str) -> Option<Cow<'a, str>> {
    if let Some(name) = path.strip_prefix(WELL_KNOWN).and_then(|rest| rest.strip_suffix(issuer))
        && (name == EITHER || BEFORE.contains(&name))
    {
        return Some(Cow::Owned(format!("{WELL_KNOWN}{name}")));
    }
    let below = path.strip_prefix(issuer).filter(|below| below.starts_with('/'));
    let inner = below.unwrap_or(path);
    if inner.strip_prefix(WELL_KNOWN).is_some_and(|name| BEFORE.contains(&name)) {
        // No route ends with a slash.
        return Some(Cow::Owned(format!("{inner}/")));
    }
    below.map(Cow::Borrowed)
}

/// A path in an answer is a path below the host.
fn move_back(headers: &mut HeaderMap, issuer: &str) {
    let Some(location) = headers.get(header::LOCATION).and_then(|value| value.to_str().ok()) else {
        return;
    };
    if location.starts_with('/')
        && let Ok(moved) = HeaderValue::try_from(format!("{issuer}{location}"))
    {
        headers.insert(header::LOCATION, moved);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_below_the_issuer_and_what_stands_before_it_is_found_and_nothing_else() {
        for (asked, found) in [
            ("/t/one/api/v1/token", Some("/api/v1/token")),
            ("/t/one/.well-known/jwks.json", Some("/.well-known/jwks.json")),
            ("/t/one/.well-known/openid-configuration", Some("/.well-known/openid-configuration")),
            ("/.well-known/openid-configuration/t/one", Some("/.well-known/openid-configuration")),
            (
                "/.well-known/oauth-authorization-server/t/one",
                Some("/.well-known/oauth-authorization-server"),
            ),
            (
                "/.well-known/oauth-protected-resource/t/one",
                Some("/.well-known/oauth-protected-resource"),
            ),
            (
                "/.well-known/oauth-authorization-server",
                Some("/.well-known/oauth-authorization-server/"),
            ),
            (
                "/t/one/.well-known/oauth-protected-resource",
                Some("/.well-known/oauth-protected-resource/"),
            ),
            ("/.well-known/oauth-authorization-server/t", None),
            ("/.well-known/oauth-authorization-server/t/one/", None),
            ("/.well-known/oauth-authorization-server/t/two", None),
            ("/.well-known/jwks.json/t/one", None),
            ("/.well-known//t/one", None),
            ("/t/one", None),
            ("/t/ones/api/v1/token", None),
            ("/T/one/api/v1/token", None),
            ("/api/v1/token", None),
        ] {
            assert_eq!(routed(asked, "/t/one").as_deref(), found, "{asked}");
        }
    }

    #[test]
    fn a_query_stays() {
        let uri = "http://a.example/t/one/api?x=/t/one".parse().unwrap();
        assert_eq!(moved(&uri, "/t/one").unwrap(), "http://a.example/api?x=/t/one");
    }
}
