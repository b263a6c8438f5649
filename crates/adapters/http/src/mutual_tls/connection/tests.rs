//! Which certificate counts, by who says it; and who vouches for it.

use axum::{
    Extension,
    body::Body,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use data_encoding::BASE64;
use rustls::{
    crypto::ring::default_provider,
    pki_types::{CertificateRevocationListDer, pem::PemObject},
};
use servers::certificates::{Authority, Held, Wanted, self_signed};
use tower::ServiceExt;

use super::*;

const PROXY: &str = "192.0.2.1";
const STRANGER: &str = "198.51.100.1";

fn settings(forwarded: bool) -> ClientCertificates {
    let proxies = vec![PROXY.parse().unwrap()];
    ClientCertificates { proxies, forwarded, authorities: Arc::new(Authorities::none()) }
}

fn der(held: &Held) -> CertificateDer<'static> {
    CertificateDer::from(held.der.clone())
}

fn field(held: &Held) -> String {
    format!(":{}:", BASE64.encode(&held.der))
}

/// Whose certificate the handler sees, by its thumbprint. It never sees a header about it.
async fn seen(
    settings: ClientCertificates,
    peer: Option<&str>,
    own: Option<&Held>,
    headers: &[(&str, &str)],
) -> Option<CertificateThumbprint> {
    let (tell, told) = std::sync::mpsc::channel();
    let handler = async move |headers: HeaderMap,
                              found: Option<Extension<ConnectionCertificate>>| {
        assert!(!headers.contains_key("client-cert") && !headers.contains_key("client-cert-chain"));
        tell.send(found.map(|Extension(found)| found.thumbprint())).unwrap();
    };
    let router =
        with_client_certificates(Router::new().route("/", get(handler)), Arc::new(settings));
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    for (name, value) in headers {
        let name: axum::http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    if let Some(peer) = peer {
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
    }
    if let Some(own) = own {
        request.extensions_mut().insert(PeerCertificates(Arc::from([der(own)])));
    }
    assert_eq!(router.oneshot(request).await.unwrap().status(), StatusCode::OK);
    told.recv().unwrap()
}

#[tokio::test]
async fn dp_12_a_header_about_a_certificate_is_believed_from_a_proxy_alone() {
    let client = self_signed(&Wanted::of("client")).unwrap();
    let thumbprint = CertificateThumbprint::of(&client.der);
    let said = field(&client);
    let header = [("client-cert", &*said)];
    assert_eq!(seen(settings(true), Some(PROXY), None, &header).await, Some(thumbprint));
    for peer in [Some(STRANGER), None] {
        assert_eq!(seen(settings(true), peer, None, &header).await, None);
    }
    assert_eq!(seen(settings(false), Some(PROXY), None, &header).await, None);
    let spelled = [("Client-Cert", &*said)];
    assert_eq!(seen(settings(true), Some(STRANGER), None, &spelled).await, None);
}

#[tokio::test]
async fn dp_12_of_two_headers_none_is_believed() {
    let one = field(&self_signed(&Wanted::of("one")).unwrap());
    let two = field(&self_signed(&Wanted::of("two")).unwrap());
    let both = [("client-cert", &*one), ("client-cert", &*two)];
    assert_eq!(seen(settings(true), Some(PROXY), None, &both).await, None);
}

#[tokio::test]
async fn a_proxys_own_certificate_is_never_a_clients() {
    let proxy = self_signed(&Wanted::of("proxy")).unwrap();
    let client = self_signed(&Wanted::of("client")).unwrap();
    let said = field(&client);
    let header = [("client-cert", &*said)];
    let of_client = Some(CertificateThumbprint::of(&client.der));
    assert_eq!(seen(settings(true), Some(PROXY), Some(&proxy), &header).await, of_client);
    for forwarded in [true, false] {
        assert_eq!(seen(settings(forwarded), Some(PROXY), Some(&proxy), &[]).await, None);
    }
}

#[tokio::test]
async fn who_connects_directly_has_the_certificate_of_the_connection() {
    let own = self_signed(&Wanted::of("own")).unwrap();
    let said = field(&self_signed(&Wanted::of("other")).unwrap());
    let thumbprint = Some(CertificateThumbprint::of(&own.der));
    let header = [("client-cert", &*said)];
    for headers in [&[] as &[_], &header] {
        assert_eq!(seen(settings(true), Some(STRANGER), Some(&own), headers).await, thumbprint);
    }
}

/// November 2026.
fn now() -> Timestamp {
    Timestamp::from_unix_micros(1_795_248_600_000_000).unwrap()
}

fn trusting(authority: &Authority, revoked: Option<&str>) -> Arc<Authorities> {
    let authorities = Authorities::none();
    let lists = revoked
        .iter()
        .map(|pem| CertificateRevocationListDer::from_pem_slice(pem.as_bytes()).unwrap());
    let trusted = vec![CertificateDer::from(authority.der())];
    authorities.trust(trusted, lists.collect(), Arc::new(default_provider())).unwrap();
    Arc::new(authorities)
}

/// Whether these vouch for the certificate.
fn vouched(authorities: &Arc<Authorities>, chain: &[&Held]) -> bool {
    let chain: Vec<_> = chain.iter().map(|held| der(held)).collect();
    let thumbprint = CertificateThumbprint::of(chain.first().unwrap());
    let chain = Arc::from(chain);
    let connection = ConnectionCertificate { chain, thumbprint, authorities: authorities.clone() };
    connection.read().is_some() && connection.is_vouched_for(now())
}

#[test]
fn dp_11_only_a_trusted_authority_vouches_and_only_for_a_client_and_in_time() {
    let mut authority = Authority::new("CA").unwrap();
    // Of the same name, with another key.
    let mut other = Authority::new("CA").unwrap();
    let wanted = Wanted::of("client").with_uri("spiffe://example/client");
    let good = authority.certify(&wanted).unwrap();
    let trusted = trusting(&authority, None);
    assert!(vouched(&trusted, &[&good]));
    assert!(vouched(&trusted, &[&authority.certify(&wanted).unwrap()]));
    assert!(!vouched(&Arc::new(Authorities::none()), &[&good]));
    assert!(!vouched(&trusted, &[&other.certify(&wanted).unwrap()]));
    assert!(!vouched(&trusted, &[&self_signed(&wanted).unwrap()]));
    for years in [(2024, 2026), (2027, 2090)] {
        let wanted = Wanted { years, ..wanted.clone() };
        assert!(!vouched(&trusted, &[&authority.certify(&wanted).unwrap()]), "{years:?}");
    }
    let of_server = Wanted { is_of_a_server: true, ..wanted };
    assert!(!vouched(&trusted, &[&authority.certify(&of_server).unwrap()]));
}

#[test]
fn dp_11_what_is_revoked_is_vouched_for_no_more() {
    let mut authority = Authority::new("CA").unwrap();
    let [good, bad] = ["good", "bad"].map(|name| authority.certify(&Wanted::of(name)).unwrap());
    let before = trusting(&authority, None);
    assert!(vouched(&before, &[&bad]));
    let after = trusting(&authority, Some(&authority.revoke(&[&bad]).unwrap()));
    assert!(vouched(&after, &[&good]) && !vouched(&after, &[&bad]));
    // A list that another authority signed says nothing of this one's, and nothing is known then.
    let other = Authority::new("CA").unwrap();
    let wrong = trusting(&authority, Some(&other.revoke(&[]).unwrap()));
    assert!(!vouched(&wrong, &[&good]));
}

#[test]
fn an_authority_below_a_trusted_one_comes_with_the_chain_or_is_trusted_itself() {
    let mut root = Authority::new("root").unwrap();
    let mut below = root.below("below").unwrap();
    let client = below.certify(&Wanted::of("client")).unwrap();
    let mut beside = client.clone();
    beside.der = below.der();
    let trusted = trusting(&root, None);
    assert!(vouched(&trusted, &[&client, &beside]));
    assert!(!vouched(&trusted, &[&client]));
    assert!(vouched(&trusting(&below, None), &[&client]));
    // A client's certificate makes out no other.
    assert!(!vouched(&trusted, &[&self_signed(&Wanted::of("client")).unwrap(), &client, &beside]));
}

#[test]
fn authorities_that_cannot_be_used_leave_those_from_before() {
    let mut authority = Authority::new("CA").unwrap();
    let trusted = trusting(&authority, None);
    let provider = Arc::new(default_provider());
    let nonsense = vec![CertificateDer::from(vec![1, 2, 3])];
    assert!(trusted.trust(nonsense, Vec::new(), provider.clone()).is_err());
    assert!(trusted.trust(Vec::new(), Vec::new(), provider).is_err());
    assert!(vouched(&trusted, &[&authority.certify(&Wanted::of("client")).unwrap()]));
}
