//! Proofs that a caller holds a key, as they come over the wire (RFC 9449): the header `DPoP`, and the
//! nonces that are told in `DPoP-Nonce`.

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header},
    response::Response,
};
use tokens::{Issuer, Scheme, dpop::ALGORITHMS};
use usecases::authenticate::PresentedProof;

use crate::{findings::Findings, request_context::known_name};

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

/// What a proof must be of: the method and the path. Its URL is only made where a proof is shown.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    method: &'static str,
    uri: Uri,
}

impl Target {
    pub(crate) fn of(method: &Method, uri: &Uri) -> Self {
        Self { method: known_name(method), uri: uri.clone() }
    }

    /// The proof that came with the request, and the URL that it must be of: as the issuer's clients
    /// know it, wherever a proxy has sent the request on to. Clients with certificates may know it by
    /// an alias, and whoever else does means this server too: a proof passes once, by whichever.
    ///
    /// Where there is no proof, or more than one, what is returned is none that would pass: it is
    /// refused, and counted, where all others are.
    pub(crate) fn proof(
        &self,
        headers: &HeaderMap,
        (issuer, aliases): (&Issuer, Option<&str>),
    ) -> PresentedProof {
        let mut all = headers.get_all(PROOF).iter();
        let only = all.next().filter(|_| all.next().is_none());
        let path = self.uri.path();
        PresentedProof {
            proof: only.and_then(|only| only.to_str().ok()).unwrap_or_default().to_owned(),
            method: self.method,
            url: issuer.join(path),
            alias: aliases.map(|base| format!("{base}{path}")),
        }
    }
}

/// Tells whoever has shown a proof the nonce for its next one, and whoever showed one without a nonce,
/// the nonce for this one (RFC 9449 sections 8 and 8.2).
pub(crate) fn show(response: &mut Response, findings: &Findings) {
    if let Some(nonce) = findings.nonce().and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
        response.headers_mut().insert(NONCE, nonce);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(headers: &HeaderMap) -> PresentedProof {
        let issuer = "https://idp.example.com/one".parse().unwrap();
        let aliases = Some("https://mtls.example.com/two");
        let target = Target::of(&Method::POST, &"/api/v1/token?x=1".parse().unwrap());
        target.proof(headers, (&issuer, aliases))
    }

    #[test]
    fn a_proof_is_of_the_url_that_the_issuers_clients_know() {
        let proof = proof(&HeaderMap::new());
        assert_eq!(
            (proof.method, proof.url.as_str()),
            ("POST", "https://idp.example.com/one/api/v1/token")
        );
        assert_eq!(proof.alias.as_deref(), Some("https://mtls.example.com/two/api/v1/token"));
    }

    #[test]
    fn dp_02_two_proofs_are_none() {
        let mut headers = HeaderMap::new();
        headers.append(PROOF, HeaderValue::from_static("a.b.c"));
        assert_eq!(proof(&headers).proof, "a.b.c");
        headers.append(PROOF, HeaderValue::from_static("a.b.c"));
        assert_eq!(proof(&headers).proof, "");
    }
}
