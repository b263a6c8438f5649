//! The authorities whose word on a certificate counts, and what they took back.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use kernel::Timestamp;
use rustls::{
    RootCertStore,
    crypto::CryptoProvider,
    pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime},
    server::{VerifierBuilderError, WebPkiClientVerifier, danger::ClientCertVerifier},
};
use thiserror::Error;

/// Why authorities are not taken.
#[derive(Debug, Error)]
pub enum InvalidAuthorities {
    /// There is none, or one is no certificate of an authority.
    #[error("a certificate of an authority cannot be used")]
    Certificate(#[source] rustls::Error),
    /// None is there, or what they took back cannot be read.
    #[error("the authorities or their lists of revoked certificates cannot be used")]
    Lists(#[source] VerifierBuilderError),
}

/// Judges chains. What it judges by can be replaced while it is in use.
pub struct Authorities {
    verifier: RwLock<Option<Arc<dyn ClientCertVerifier>>>,
}

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authorities").finish_non_exhaustive()
    }
}

impl Authorities {
    /// Nobody is trusted: no certificate is vouched for.
    #[must_use]
    pub fn none() -> Self {
        Self { verifier: RwLock::new(None) }
    }

    /// Trusts these authorities from now on, and no others. With lists of what was revoked, every
    /// certificate below an authority must be of an issuer that has a list, and a list that should have
    /// been renewed by now says nothing any more.
    ///
    /// # Errors
    /// [`InvalidAuthorities`], and those from before stay.
    pub fn trust(
        &self,
        authorities: Vec<CertificateDer<'static>>,
        revoked: Vec<CertificateRevocationListDer<'static>>,
        provider: Arc<CryptoProvider>,
    ) -> Result<(), InvalidAuthorities> {
        let mut roots = RootCertStore::empty();
        for authority in authorities {
            roots.add(authority).map_err(InvalidAuthorities::Certificate)?;
        }
        let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
        if !revoked.is_empty() {
            builder = builder.with_crls(revoked).enforce_revocation_expiration();
        }
        let verifier = builder.build().map_err(InvalidAuthorities::Lists)?;
        *self.verifier.write().unwrap_or_else(PoisonError::into_inner) = Some(verifier);
        Ok(())
    }

    /// Whether an authority made out this chain for a client, for this instant, and has not revoked it
    /// (RFC 5280 section 6). The client's own certificate is the first.
    #[must_use]
    pub(crate) fn vouch(&self, chain: &[CertificateDer<'_>], now: Timestamp) -> bool {
        let verifier = self.verifier.read().unwrap_or_else(PoisonError::into_inner).clone();
        let (Some(verifier), Some((own, others))) = (verifier, chain.split_first()) else {
            return false;
        };
        let seconds = u64::try_from(now.unix_seconds()).unwrap_or_default();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
        match verifier.verify_client_cert(own, others, now) {
            Ok(_) => true,
            Err(error) => {
                tracing::debug!(%error, "no authority vouches for the certificate of a client");
                false
            }
        }
    }
}
