//! Which certificate a request came with: its connection's own, or what a trusted proxy says of it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use credentials::{Certificate, CertificateThumbprint, ShownCertificate};
use kernel::Timestamp;
use rustls::pki_types::CertificateDer;

use super::{
    authorities::Authorities,
    forwarded::{self, CLIENT_CERT, CLIENT_CERT_CHAIN},
    proxies::TrustedNetwork,
    x509,
};
use crate::request_context::Peer;

/// The chain that a client showed in the handshake, its own certificate first. The server puts it into
/// the extensions of each request of the connection.
#[derive(Debug, Clone)]
pub(crate) struct PeerCertificates(pub(crate) Arc<[CertificateDer<'static>]>);

/// Whose word on certificates counts.
#[derive(Debug)]
pub struct ClientCertificates {
    /// The proxies in front of the server.
    pub proxies: Vec<TrustedNetwork>,
    /// Whether they pass on certificates of their clients, in the header `Client-Cert` (RFC 9440).
    pub forwarded: bool,
    /// Who vouches for certificates.
    pub authorities: Arc<Authorities>,
}

impl ClientCertificates {
    fn is_proxy(&self, peer: Option<IpAddr>) -> bool {
        peer.is_some_and(|peer| self.proxies.iter().any(|network| network.contains(peer)))
    }

    /// The chain that counts for a request. A proxy's own certificate is never a client's, whatever it
    /// says or leaves out.
    fn chain(&self, request: &Request) -> Option<Arc<[CertificateDer<'static>]>> {
        let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
        if !self.is_proxy(peer) {
            let own = request.extensions().get::<PeerCertificates>();
            return own.map(|PeerCertificates(chain)| chain.clone());
        }
        if !self.forwarded {
            return None;
        }
        match forwarded::chain(request.headers()) {
            Ok(chain) => chain.map(Arc::from),
            Err(error) => {
                tracing::warn!(%error, peer = peer.map(tracing::field::display), "no certificate counts");
                None
            }
        }
    }
}

/// The certificate that a request came with.
#[derive(Debug, Clone)]
pub(crate) struct ConnectionCertificate {
    chain: Arc<[CertificateDer<'static>]>,
    thumbprint: CertificateThumbprint,
    authorities: Arc<Authorities>,
}

impl ShownCertificate for ConnectionCertificate {
    fn thumbprint(&self) -> CertificateThumbprint {
        self.thumbprint
    }

    fn read(&self) -> Option<Certificate> {
        x509::read(self.chain.first()?).ok()
    }

    fn is_vouched_for(&self, now: Timestamp) -> bool {
        self.authorities.vouch(&self.chain, now)
    }
}

/// Finds out the certificate of every request before anything else does. Without this around it, a
/// router knows of none.
pub fn with_client_certificates(router: Router, settings: Arc<ClientCertificates>) -> Router {
    router.layer(middleware::from_fn_with_state(settings, settle))
}

async fn settle(
    State(settings): State<Arc<ClientCertificates>>,
    mut request: Request,
    next: Next,
) -> Response {
    let chain = settings.chain(&request);
    // Nobody behind this can take a stranger's word for a proxy's.
    request.headers_mut().remove(CLIENT_CERT);
    request.headers_mut().remove(CLIENT_CERT_CHAIN);
    request.extensions_mut().remove::<PeerCertificates>();
    if let Some(chain) = chain
        && let Some(own) = chain.first()
    {
        let thumbprint = CertificateThumbprint::of(own);
        let authorities = settings.authorities.clone();
        request.extensions_mut().insert(ConnectionCertificate { chain, thumbprint, authorities });
    }
    next.run(request).await
}

#[cfg(test)]
mod tests;
