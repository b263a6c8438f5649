//! Judges what protects connections, key by key and together.

use figment::value::Value;
use url::Url;

use super::{PLAIN, Reader, Rejection, entries, folder, text};
use crate::config::{
    keys::{self, Key},
    transport::{IdentityFiles, Transport},
};

/// Whether the server is to speak TLS itself, so that the issuer that follows from the port is https.
pub(in super::super) fn speaks_tls(reader: &Reader<'_>) -> bool {
    reader.is_set(keys::TLS_CERTIFICATE) || reader.is_set(keys::TLS_KEY)
}

pub(in super::super) fn transport(reader: &mut Reader<'_>) -> Option<Transport> {
    let identity = identity(reader);
    let authorities = reader.optional(keys::MTLS_CA, folder);
    let asks_always = reader.required(keys::MTLS_ASK, |value| match text(value)? {
        "auto" => Ok(false),
        "always" => Ok(true),
        _ => Err(PLAIN),
    });
    let revoked = reader.optional(keys::MTLS_CRL, folder);
    let proxies =
        entries(reader, keys::TRUSTED_PROXIES, |text| text.parse().map_err(Rejection::because));
    let forwarded = reader.required(keys::CLIENT_CERTIFICATE_HEADER, |value| match text(value)? {
        "off" => Ok(false),
        name if name.eq_ignore_ascii_case("client-cert") => Ok(true),
        _ => Err(PLAIN),
    });
    let mtls_url = reader.optional(keys::MTLS_URL, base_url);
    let transport = Transport {
        identity: identity?,
        authorities: authorities?,
        asks_always: asks_always?,
        revoked: revoked?,
        proxies: proxies?,
        forwarded: forwarded?,
        mtls_url: mtls_url?,
    };
    judge_together(reader, &transport);
    Some(transport)
}

/// What is of no use alone is refused: whoever sets it believes that it protects something.
fn judge_together(reader: &mut Reader<'_>, transport: &Transport) {
    let comes_in = transport.identity.is_some() || transport.forwarded;
    if transport.authorities.is_some() && !comes_in {
        reader.refuse(
            keys::MTLS_CA,
            "no certificate of a client comes in: set `tls.certificate` and `tls.key`, or \
             `client_certificate_header`",
        );
    }
    if transport.asks_always && transport.identity.is_none() {
        reader.refuse(
            keys::MTLS_ASK,
            "whoever ends TLS asks, and that is not this server: set `tls.certificate` and `tls.key`",
        );
    }
    if transport.revoked.is_some() && transport.authorities.is_none() {
        reader.refuse(keys::MTLS_CRL, "it needs the authorities of `mtls.ca`");
    }
    if transport.forwarded && transport.proxies.is_empty() {
        reader.refuse(
            keys::CLIENT_CERTIFICATE_HEADER,
            "whoever sends it would be believed: name the proxies in `trusted_proxies`",
        );
    }
    if transport.mtls_url.is_some() && !transport.takes_client_certificates() {
        reader.refuse(
            keys::MTLS_URL,
            "no certificate of a client comes in: set `mtls.ca`, `mtls.ask` or `client_certificate_header`",
        );
    }
}

/// Both files, or none. The outer `None` says that one is missing or was refused.
fn identity(reader: &mut Reader<'_>) -> Option<Option<IdentityFiles>> {
    let certificate = reader.optional(keys::TLS_CERTIFICATE, folder)?;
    let key = reader.optional(keys::TLS_KEY, folder)?;
    match (certificate, key) {
        (Some(certificate), Some(key)) => Some(Some(IdentityFiles { certificate, key })),
        (None, None) => Some(None),
        (Some(_), None) => missing(reader, keys::TLS_KEY, "`tls.certificate` is of no use without"),
        (None, Some(_)) => missing(reader, keys::TLS_CERTIFICATE, "`tls.key` is of no use without"),
    }
}

fn missing<T>(reader: &mut Reader<'_>, key: &Key, because: &'static str) -> Option<T> {
    reader.refuse(key, because);
    None
}

/// An https URL that paths can be put behind.
fn base_url(value: &Value) -> Result<String, Rejection> {
    let given = text(value)?;
    let url = Url::parse(given).map_err(|_| PLAIN)?;
    let is_plain = url.scheme() == "https"
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    let spelled = url.as_str().trim_end_matches('/');
    if is_plain && spelled == given { Ok(given.to_owned()) } else { Err(PLAIN) }
}
