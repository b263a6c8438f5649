//! Finds the one method by which a client authenticates at an OAuth endpoint.
//!
//! A request with two methods is refused whole. A server that takes the first that passes lets an
//! attacker add a method that it has to one that it has not.

use axum::http::{HeaderMap, header};
use kernel::Secret;

use crate::{basic_auth, form_body::Form, oauth_error::OAuthError};

/// How a client sends its secret (RFC 7591 section 2 has the names).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientMethod {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
}

impl ClientMethod {
    /// The registered name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
        }
    }
}

/// An id and a secret that nobody has checked yet.
#[derive(Debug)]
pub(crate) struct ClientCredentials {
    /// Who the client claims to be, in its own words.
    pub(crate) client_id: String,
    /// What it claims to know.
    pub(crate) secret: Secret,
    /// Where both stood. A refusal depends on it: see [`OAuthError::invalid_client`].
    pub(crate) method: ClientMethod,
}

/// What a caller authenticates with.
#[derive(Debug)]
pub(crate) enum Presented {
    /// An id and a secret.
    Client(ClientCredentials),
    /// A bearer token.
    Bearer(Secret),
}

/// The one method of a request at the token endpoint, which takes no bearer token.
pub(crate) fn client_credentials(
    headers: &HeaderMap,
    form: &Form,
) -> Result<ClientCredentials, OAuthError> {
    match presented(headers, form)? {
        Presented::Client(credentials) => Ok(credentials),
        Presented::Bearer(_) => Err(OAuthError::invalid_client(None)),
    }
}

/// The one method of a request, be it a client's or a bearer token.
pub(crate) fn presented(headers: &HeaderMap, form: &Form) -> Result<Presented, OAuthError> {
    let in_form = form.get("client_secret").is_some();
    let assertion =
        form.get("client_assertion").is_some() || form.get("client_assertion_type").is_some();
    let header = authorization(headers)?;
    if u8::from(in_form) + u8::from(assertion) + u8::from(header.is_some()) > 1 {
        return Err(OAuthError::invalid_request("more than one way of client authentication"));
    }
    match header {
        Some(Authorization::Basic(credentials)) => basic(&credentials, form).map(Presented::Client),
        Some(Authorization::Bearer(token)) => Ok(Presented::Bearer(token)),
        Some(Authorization::Unknown) => Err(OAuthError::invalid_client(None)),
        None => post(form).map(Presented::Client),
    }
}

fn basic(credentials: &Secret, form: &Form) -> Result<ClientCredentials, OAuthError> {
    use kernel::ExposeSecret as _;
    let refused = || OAuthError::invalid_client(Some(ClientMethod::Basic));
    let (client_id, secret) =
        basic_auth::decode(credentials.expose_secret()).ok_or_else(refused)?;
    // An id in the form that is another's is a client that confuses, or is confused.
    if form.get("client_id").is_some_and(|in_form| in_form != client_id) {
        return Err(refused());
    }
    Ok(ClientCredentials { client_id, secret, method: ClientMethod::Basic })
}

fn post(form: &Form) -> Result<ClientCredentials, OAuthError> {
    match (form.get("client_id"), form.secret("client_secret")) {
        (Some(client_id), Some(secret)) => Ok(ClientCredentials {
            client_id: client_id.to_owned(),
            secret,
            method: ClientMethod::Post,
        }),
        (Some(_) | None, None) | (None, Some(_)) => Err(OAuthError::invalid_client(None)),
    }
}

/// An `Authorization` header, by its scheme.
pub(crate) enum Authorization {
    /// HTTP Basic, still encoded.
    Basic(Secret),
    /// A bearer token, unread.
    Bearer(Secret),
    /// Another scheme, or none.
    Unknown,
}

/// Reads the one `Authorization` header that a request may have. Of two, one proxy believes the
/// first and another the last.
pub(crate) fn authorization(headers: &HeaderMap) -> Result<Option<Authorization>, OAuthError> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(OAuthError::invalid_request("more than one Authorization header"));
    }
    let Ok(value) = value.to_str() else { return Ok(Some(Authorization::Unknown)) };
    let (scheme, credentials) = value.split_once(' ').unwrap_or((value, ""));
    let credentials = Secret::from(credentials.trim_start_matches(' '));
    Ok(Some(if scheme.eq_ignore_ascii_case("basic") {
        Authorization::Basic(credentials)
    } else if scheme.eq_ignore_ascii_case("bearer") {
        Authorization::Bearer(credentials)
    } else {
        Authorization::Unknown
    }))
}

#[cfg(test)]
mod tests {
    use axum::{http::HeaderValue, response::IntoResponse};
    use kernel::ExposeSecret;

    use super::*;
    use crate::challenge::Challenge;

    fn headers(authorization: &[&str]) -> HeaderMap {
        let value = |value: &&str| (header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        authorization.iter().map(value).collect()
    }

    fn read(authorization: &[&str], form: &str) -> Result<ClientCredentials, OAuthError> {
        client_credentials(&headers(authorization), &Form::parse(form.as_bytes(), &[]).unwrap())
    }

    /// The error, its status, and whether it asks for Basic.
    fn refused(authorization: &[&str], form: &str) -> (&'static str, u16, bool) {
        let error = read(authorization, form).unwrap_err();
        let asks = error.challenge() == Some(&Challenge::Basic);
        (error.error(), error.into_response().status().as_u16(), asks)
    }

    /// `id:secret`.
    const BASIC: &str = "Basic aWQ6c2VjcmV0";

    #[test]
    fn both_methods_are_understood() {
        for (authorization, form, method) in [
            (vec![BASIC], "", ClientMethod::Basic),
            (vec!["bAsIc  aWQ6c2VjcmV0"], "client_id=id", ClientMethod::Basic),
            (vec![], "client_id=id&client_secret=secret", ClientMethod::Post),
        ] {
            let read = read(&authorization, form).unwrap();
            assert_eq!((read.client_id.as_str(), read.method), ("id", method));
            assert_eq!(read.secret.expose_secret(), "secret");
        }
    }

    #[test]
    fn ca_01_no_credentials_are_one_refusal_and_basic_is_asked_for_where_it_was_tried() {
        let plain = ("invalid_client", 401, false);
        let tried = ("invalid_client", 401, true);
        assert_eq!(refused(&[], ""), plain);
        assert_eq!(refused(&[], "client_id=id"), plain);
        assert_eq!(refused(&[], "client_secret=secret"), plain);
        assert_eq!(refused(&["Bearer token"], ""), plain);
        assert_eq!(refused(&["Digest a=b"], ""), plain);
        assert_eq!(refused(&[""], ""), plain);
        assert_eq!(refused(&["Basic"], ""), tried);
        assert_eq!(refused(&["Basic "], ""), tried);
        assert_eq!(refused(&["Basic Og=="], ""), tried);
        assert_eq!(refused(&["Basic ???"], ""), tried);
        assert_eq!(refused(&[BASIC], "client_id=another"), tried);
        assert_eq!(refused(&[], "client_assertion=a.b.c"), plain);
    }

    #[test]
    fn ca_02_two_methods_are_refused_even_if_one_would_pass() {
        let both = ("invalid_request", 400, false);
        assert_eq!(refused(&[BASIC], "client_id=id&client_secret=secret"), both);
        assert_eq!(refused(&[BASIC], "client_assertion=a.b.c"), both);
        assert_eq!(refused(&["Bearer t"], "client_id=id&client_secret=secret"), both);
        assert_eq!(refused(&[], "client_id=id&client_secret=s&client_assertion=a.b.c"), both);
        assert_eq!(refused(&[BASIC, BASIC], ""), both);
        assert_eq!(refused(&[BASIC, "Bearer t"], ""), both);
    }

    #[test]
    fn a_bearer_token_is_told_from_a_client() {
        let form = Form::parse(b"token=a", &[]).unwrap();
        match presented(&headers(&["bearer abc"]), &form) {
            Ok(Presented::Bearer(token)) => assert_eq!(token.expose_secret(), "abc"),
            other => panic!("{other:?}"),
        }
    }
}
