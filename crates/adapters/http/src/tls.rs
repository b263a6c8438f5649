//! TLS of the server's own (RFC 8446): its identity, which can be replaced while it serves, and the
//! handshake.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, ServerConfig, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, PrivateKeyDer, UnixTime},
    server::{
        ParsedCertificate,
        danger::{ClientCertVerified, ClientCertVerifier},
    },
};
use tokio_rustls::TlsAcceptor;

use crate::mutual_tls::MOST_CERTIFICATES;

/// The protocols that the server speaks over TLS, the first where the client has the choice (RFC 7301).
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// What the server shows of itself.
pub struct TlsIdentity {
    /// Its certificate, and those of the authorities between it and one that clients know.
    pub chain: Vec<CertificateDer<'static>>,
    /// The key of its certificate.
    pub key: PrivateKeyDer<'static>,
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").field("chain", &self.chain.len()).finish_non_exhaustive()
    }
}

/// Whether clients are asked for a certificate of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskClients {
    /// No: browsers would ask their users for one.
    Never,
    /// Yes, and who has none is served all the same.
    ForCertificate,
}

/// TLS as the server speaks it. A clone shares it.
#[derive(Clone)]
pub struct Tls {
    config: Arc<RwLock<Arc<ServerConfig>>>,
    ask: AskClients,
    provider: Arc<CryptoProvider>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("ask", &self.ask).finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS 1.2 and 1.3 with this identity.
    ///
    /// # Errors
    /// Where the key is not that of the certificate, or is of a kind that is not known.
    pub fn new(
        identity: TlsIdentity,
        ask: AskClients,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, rustls::Error> {
        let config = Arc::new(RwLock::new(configured(identity, ask, &provider)?));
        Ok(Self { config, ask, provider })
    }

    /// Takes another identity for all connections from now on.
    ///
    /// # Errors
    /// As [`new`](Self::new); the identity from before stays.
    pub fn replace(&self, identity: TlsIdentity) -> Result<(), rustls::Error> {
        let config = configured(identity, self.ask, &self.provider)?;
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone().into()
    }
}

fn configured(
    identity: TlsIdentity,
    ask: AskClients,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<ServerConfig>, rustls::Error> {
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?;
    let builder = match ask {
        AskClients::Never => builder.with_no_client_auth(),
        AskClients::ForCertificate => {
            builder.with_client_cert_verifier(Arc::new(HeldKey { provider: provider.clone() }))
        }
    };
    let mut config = builder.with_single_cert(identity.chain, identity.key)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(Arc::new(config))
}

/// Sees that a client holds the key of its certificate, and that no more came with it than chains have. Who made the certificate out
/// is asked where a client authenticates by it: there nobody need have (RFC 8705 section 2.2).
#[derive(Debug)]
struct HeldKey {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for HeldKey {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    /// None: a client would hold back a certificate that none of those named has made out.
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        // The rest of the chain is kept for as long as the connection lasts.
        if intermediates.len() >= MOST_CERTIFICATES {
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        ParsedCertificate::try_from(end_entity).map(|_| ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, known)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let known = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, known)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests;
