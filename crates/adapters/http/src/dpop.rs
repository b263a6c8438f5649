//! Proofs that a caller holds a key, as they come over the wire (RFC 9449): the header `DPoP`, and the
//! nonces that are told in `DPoP-Nonce`.

use std::sync::{Arc, OnceLock};

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    middleware::Next,
    response::Response,
};
use tokens::{Issuer, Scheme, dpop::ALGORITHMS};
use usecases::authenticate::PresentedProof;

use crate::request_context::known_name;

/// The header of a request that holds the proof.
pub(crate) const PROOF: HeaderName = HeaderName::from_static("dpop");

/// The header of an answer that holds the nonce for the next proof.
pub(crate) const NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// What proofs may be signed with, as a challenge names it (RFC 9449 section 7.1).
pub(crate) fn algorithms() -> String {
    ALGORITHMS.iter().flat_map(|algorithm| algorithm.names()).copied().collect::<Vec<_>>().join(" ")
}

/// The scheme under which a request shows its token, for whoever tells it what was wrong with that.
pub(crate) fn shown(headers: &HeaderMap) -> Scheme {
    let scheme = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().get(..5));
    match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case(b"dpop ") => Scheme::Dpop,
        Some(_) | None => Scheme::Bearer,
    }
}

/// What a proof must be of: the method, and the URL as the issuer's clients know it, wherever a proxy
/// has sent the request on to. Clients with certificates may know it by an alias, and whoever else does
/// means this server too: a proof passes once, by whichever.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    method: &'static str,
    url: String,
    alias: Option<String>,
}

impl Target {
    pub(crate) fn of(
        method: &Method,
        uri: &Uri,
        (issuer, aliases): (&Issuer, Option<&str>),
    ) -> Self {
        let alias = aliases.map(|base| format!("{base}{}", uri.path()));
        Self { method: known_name(method), url: issuer.join(uri.path()), alias }
    }

    /// The proof that came with the request. Where there is none, or more than one, what is returned
    /// is none that would pass: it is refused, and counted, where all others are.
    pub(crate) fn proof(&self, headers: &HeaderMap) -> PresentedProof {
        let mut all = headers.get_all(PROOF).iter();
        let only = all.next().filter(|_| all.next().is_none());
        let proof = only.and_then(|only| only.to_str().ok()).unwrap_or_default().to_owned();
        PresentedProof {
            proof,
            method: self.method,
            url: self.url.clone(),
            alias: self.alias.clone(),
        }
    }

    /// The proof that came with the request, if any header says that one did.
    pub(crate) fn proof_if_any(&self, headers: &HeaderMap) -> Option<PresentedProof> {
        headers.contains_key(PROOF).then(|| self.proof(headers))
    }
}

/// Where the nonce for the next proof is noted, until the answer leaves.
#[derive(Debug, Clone, Default)]
pub(crate) struct NonceSlot(Arc<OnceLock<String>>);

impl NonceSlot {
    /// Notes a nonce, if there is one.
    pub(crate) fn note(&self, nonce: Option<String>) {
        if let Some(nonce) = nonce {
            self.0.get_or_init(|| nonce);
        }
    }
}

/// The layer that tells whoever has shown a proof the nonce for its next one, and whoever showed one
/// without a nonce, the nonce for this one (RFC 9449 sections 8 and 8.2).
pub(crate) async fn show(mut request: Request, next: Next) -> Response {
    let slot = NonceSlot::default();
    request.extensions_mut().insert(slot.clone());
    let mut response = next.run(request).await;
    if let Some(nonce) = slot.0.get().and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        response.headers_mut().insert(NONCE, nonce);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target() -> Target {
        let issuer = "https://idp.example.com/one".parse().unwrap();
        let aliases = Some("https://mtls.example.com/two");
        Target::of(&Method::POST, &"/api/v1/token?x=1".parse().unwrap(), (&issuer, aliases))
    }

    #[test]
    fn a_proof_is_of_the_url_that_the_issuers_clients_know() {
        let target = target();
        assert_eq!(
            (target.method, target.url.as_str()),
            ("POST", "https://idp.example.com/one/api/v1/token")
        );
        let alias = target.alias.as_deref();
        assert_eq!(alias, Some("https://mtls.example.com/two/api/v1/token"));
    }

    #[test]
    fn dp_02_two_proofs_are_none_and_no_header_is_not_one() {
        let mut headers = HeaderMap::new();
        assert_eq!(target().proof_if_any(&headers), None);
        headers.append(PROOF, HeaderValue::from_static("a.b.c"));
        assert_eq!(target().proof_if_any(&headers).unwrap().proof, "a.b.c");
        headers.append(PROOF, HeaderValue::from_static("a.b.c"));
        assert_eq!(target().proof_if_any(&headers).unwrap().proof, "");
    }
}
