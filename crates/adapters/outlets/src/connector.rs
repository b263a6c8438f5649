//! The way to a witness: its URL, and whom to trust on the way.

use std::{io, str::FromStr, sync::Arc};

use hyper::Uri;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use thiserror::Error;
use url::Url;

/// Why a witness cannot be used as configured. Nothing of the URL is in its text.
#[derive(Debug, Error)]
pub enum InvalidWitness {
    /// The URL is none.
    #[error("must be a URL")]
    Url(#[source] url::ParseError),
    /// It is of another scheme.
    #[error("must begin with `http://` or `https://`")]
    Scheme,
    /// It holds a user's name or password, which would stand in logs along the way.
    #[error("must not hold a user's name or password")]
    Credentials,
    /// It has a part that a prefix cannot have.
    #[error("must end with its path: no `?` and no `#`")]
    NotAPrefix,
    /// No client can ask for it.
    #[error("must be a URL that HTTP can ask for")]
    Unasked,
    /// The machine trusts nobody.
    #[error("needs certificates that this machine trusts, and there are none")]
    Trust(#[source] io::Error),
    /// The cryptography lacks what TLS needs.
    #[error("needs a version of TLS that is not there")]
    Tls(#[source] rustls::Error),
}

/// Where a witness is: the prefix under which it takes checkpoints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessUrl {
    /// Where checkpoints are submitted.
    pub(crate) submission: Uri,
}

impl FromStr for WitnessUrl {
    type Err = InvalidWitness;

    fn from_str(prefix: &str) -> Result<Self, InvalidWitness> {
        let url = Url::parse(prefix).map_err(InvalidWitness::Url)?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidWitness::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidWitness::Credentials);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidWitness::NotAPrefix);
        }
        let submission = format!("{}/add-checkpoint", url.as_str().trim_end_matches('/'));
        let submission = submission.parse().map_err(|_| InvalidWitness::Unasked)?;
        Ok(Self { submission })
    }
}

/// Connects, over TLS where the URL says so.
pub(crate) fn connector(to: &Uri) -> Result<HttpsConnector<HttpConnector>, InvalidWitness> {
    // The provider is named, since a process may have two, or none, that would be taken by default.
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(InvalidWitness::Tls)?;
    let is_secure = to.scheme_str() == Some("https");
    let config = if is_secure {
        config.with_native_roots().map_err(InvalidWitness::Trust)?
    } else {
        config.with_root_certificates(RootCertStore::empty())
    };
    let builder = HttpsConnectorBuilder::new().with_tls_config(config.with_no_client_auth());
    let builder = if is_secure { builder.https_only() } else { builder.https_or_http() };
    Ok(builder.enable_http1().build())
}
