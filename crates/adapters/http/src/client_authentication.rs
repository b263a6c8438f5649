//! Finds the one method by which a client authenticates at an OAuth endpoint.
//!
//! A request with two methods is refused whole. A server that takes the first that passes lets an
//! attacker add a method that it has to one that it has not.

use axum::http::{HeaderMap, header};
use credentials::{ShownCertificate, assertion::ASSERTION_TYPE};
use kernel::Secret;
use tokens::Scheme;
use usecases::authenticate::PresentedClient;

use crate::{basic_auth, form_body::Form, oauth_error::OAuthError};

/// How a client authenticates (RFC 7591 section 2 has the names).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientMethod {
    /// `client_secret_basic`.
    Basic,
    /// `client_secret_post`.
    Post,
    /// `private_key_jwt`.
    PrivateKeyJwt,
    /// `tls_client_auth` or `self_signed_tls_client_auth`: the client does not say which (RFC 8705
    /// section 2).
    Certificate,
}

impl ClientMethod {
    /// The registered name.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Basic => "client_secret_basic",
            Self::Post => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::Certificate => "tls_client_auth",
        }
    }
}

/// What a client authenticates by, which nobody has checked yet.
#[derive(Debug)]
pub(crate) struct ClientCredentials {
    /// Who the client claims to be, and what it claims to hold.
    pub(crate) presented: PresentedClient,
    /// Where it stood. A refusal depends on it: see [`OAuthError::invalid_client`].
    pub(crate) method: ClientMethod,
}

/// What a caller authenticates with.
#[derive(Debug)]
pub(crate) enum Presented {
    /// What is a client's own.
    Client(ClientCredentials),
    /// A token, under the scheme by which it is shown.
    Token(Scheme, Secret),
}

/// The one method of a request at the token endpoint, which takes no token.
pub(crate) fn client_credentials(
    headers: &HeaderMap,
    form: &Form,
    certificate: impl FnOnce() -> Option<Box<dyn ShownCertificate>>,
) -> Result<ClientCredentials, OAuthError> {
    match presented(headers, form, certificate)? {
        Presented::Client(credentials) => Ok(credentials),
        Presented::Token(..) => Err(OAuthError::invalid_client(None)),
    }
}

/// The one method of a request, be it a client's or a token. The certificate of the connection is one
/// where there is no other: a connection may have it for another purpose, such as a token that is bound
/// to it.
pub(crate) fn presented(
    headers: &HeaderMap,
    form: &Form,
    certificate: impl FnOnce() -> Option<Box<dyn ShownCertificate>>,
) -> Result<Presented, OAuthError> {
    let in_form = form.get("client_secret").is_some();
    let assertion =
        form.get("client_assertion").is_some() || form.get("client_assertion_type").is_some();
    let header = authorization(headers)?;
    if u8::from(in_form) + u8::from(assertion) + u8::from(header.is_some()) > 1 {
        return Err(OAuthError::invalid_request("more than one way of client authentication"));
    }
    match header {
        Some(Authorization::Basic(credentials)) => basic(&credentials, form).map(Presented::Client),
        Some(Authorization::Token(scheme, token)) => Ok(Presented::Token(scheme, token)),
        Some(Authorization::Unknown) => Err(OAuthError::invalid_client(None)),
        None if assertion => by_assertion(form).map(Presented::Client),
        None if in_form => post(form).map(Presented::Client),
        None => by_certificate(form, certificate).map(Presented::Client),
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
    let presented = PresentedClient::Secret { id: client_id, secret };
    Ok(ClientCredentials { presented, method: ClientMethod::Basic })
}

/// The assertion of RFC 7521 section 4.2. The parameter that says of which kind it is must be there: an
/// assertion of another kind is another's to judge.
fn by_assertion(form: &Form) -> Result<ClientCredentials, OAuthError> {
    let kind = form.get("client_assertion_type");
    if kind.is_some_and(|kind| kind != ASSERTION_TYPE) {
        let description = format!("client_assertion_type must be {ASSERTION_TYPE}");
        return Err(OAuthError::invalid_request(description));
    }
    match (kind, form.secret("client_assertion")) {
        (Some(_), Some(assertion)) => {
            let id = form.get("client_id").map(str::to_owned);
            let presented = PresentedClient::Assertion { id, assertion };
            Ok(ClientCredentials { presented, method: ClientMethod::PrivateKeyJwt })
        }
        (Some(_) | None, None) | (None, Some(_)) => {
            let description = "client_assertion and client_assertion_type are needed together";
            Err(OAuthError::invalid_request(description))
        }
    }
}

fn post(form: &Form) -> Result<ClientCredentials, OAuthError> {
    match (form.get("client_id"), form.secret("client_secret")) {
        (Some(client_id), Some(secret)) => Ok(ClientCredentials {
            presented: PresentedClient::Secret { id: client_id.to_owned(), secret },
            method: ClientMethod::Post,
        }),
        (Some(_) | None, None) | (None, Some(_)) => Err(OAuthError::invalid_client(None)),
    }
}

/// The certificate of the connection, unread. The client must say who it is, since a certificate may be
/// of another use (RFC 8705 section 2).
fn by_certificate(
    form: &Form,
    certificate: impl FnOnce() -> Option<Box<dyn ShownCertificate>>,
) -> Result<ClientCredentials, OAuthError> {
    let id = form.get("client_id").map(str::to_owned);
    match id.and_then(|id| Some((id, certificate()?))) {
        Some((id, certificate)) => Ok(ClientCredentials {
            presented: PresentedClient::Certificate { id, certificate },
            method: ClientMethod::Certificate,
        }),
        None => Err(OAuthError::invalid_client(None)),
    }
}

/// An `Authorization` header, by its scheme.
pub(crate) enum Authorization {
    /// HTTP Basic, still encoded.
    Basic(Secret),
    /// A token, unread.
    Token(Scheme, Secret),
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
        Authorization::Token(Scheme::Bearer, credentials)
    } else if scheme.eq_ignore_ascii_case("dpop") {
        Authorization::Token(Scheme::Dpop, credentials)
    } else {
        Authorization::Unknown
    }))
}

#[cfg(test)]
mod tests {
    use axum::{http::HeaderValue, response::IntoResponse};
    use credentials::{Certificate, CertificateThumbprint};
    use kernel::{ExposeSecret, Timestamp};

    use super::*;
    use crate::challenge::Challenge;

    fn headers(authorization: &[&str]) -> HeaderMap {
        let value = |value: &&str| (header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        authorization.iter().map(value).collect()
    }

    fn read(authorization: &[&str], form: &str) -> Result<ClientCredentials, OAuthError> {
        with_certificate(authorization, form, None)
    }

    fn with_certificate(
        authorization: &[&str],
        form: &str,
        certificate: Option<Box<dyn ShownCertificate>>,
    ) -> Result<ClientCredentials, OAuthError> {
        let form = Form::parse(form.as_bytes(), &[]).unwrap();
        client_credentials(&headers(authorization), &form, || certificate)
    }

    /// A certificate that nobody may look at here.
    #[derive(Debug)]
    struct Unread;

    impl ShownCertificate for Unread {
        fn thumbprint(&self) -> CertificateThumbprint {
            panic!("nobody is known yet")
        }

        fn read(&self) -> Option<Certificate> {
            panic!("nobody is known yet")
        }

        fn is_vouched_for(&self, _: Timestamp) -> bool {
            panic!("nobody is known yet")
        }
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
            assert_eq!(read.method, method);
            let PresentedClient::Secret { id, secret } = read.presented else {
                panic!("{:?}", read.presented)
            };
            assert_eq!((id.as_str(), secret.expose_secret()), ("id", "secret"));
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
    fn ca_02_a_certificate_counts_where_there_is_no_other_method_and_the_client_says_who_it_is() {
        let method = |authorization: &[&str], form: &str| {
            let read = with_certificate(authorization, form, Some(Box::new(Unread)));
            read.map(|read| read.method).map_err(|error| error.error())
        };
        assert_eq!(method(&[], "client_id=id"), Ok(ClientMethod::Certificate));
        assert_eq!(method(&[], "client_id=id&client_secret=secret"), Ok(ClientMethod::Post));
        assert_eq!(method(&[BASIC], ""), Ok(ClientMethod::Basic));
        assert_eq!(method(&[], ""), Err("invalid_client"));
        assert_eq!(method(&[], "client_secret=secret"), Err("invalid_client"));
        assert_eq!(method(&["Digest a=b"], "client_id=id"), Err("invalid_client"));
        assert_eq!(method(&[BASIC], "client_assertion=a.b.c"), Err("invalid_request"));
    }

    #[test]
    fn an_assertion_comes_with_its_type_and_may_leave_out_the_id() {
        let of_type = format!("client_assertion_type={ASSERTION_TYPE}");
        for (id, named) in [("", None), ("&client_id=id", Some("id"))] {
            let read = read(&[], &format!("{of_type}&client_assertion=a.b.c{id}")).unwrap();
            assert_eq!(read.method, ClientMethod::PrivateKeyJwt);
            let PresentedClient::Assertion { id, assertion } = read.presented else {
                panic!("{:?}", read.presented)
            };
            assert_eq!((id.as_deref(), assertion.expose_secret()), (named, "a.b.c"));
        }
        let incomplete = ("invalid_request", 400, false);
        assert_eq!(refused(&[], "client_assertion=a.b.c"), incomplete);
        assert_eq!(refused(&[], &of_type), incomplete);
        assert_eq!(refused(&[], "client_assertion_type=saml2&client_assertion=a"), incomplete);
    }

    #[test]
    fn a_token_is_told_from_a_client_and_its_scheme_from_the_other() {
        let form = Form::parse(b"token=a", &[]).unwrap();
        for (header, expected) in [("bearer abc", Scheme::Bearer), ("dPoP  abc", Scheme::Dpop)] {
            match presented(&headers(&[header]), &form, || None) {
                Ok(Presented::Token(scheme, token)) => {
                    assert_eq!((scheme, token.expose_secret()), (expected, "abc"));
                }
                other => panic!("{other:?}"),
            }
        }
    }
}
