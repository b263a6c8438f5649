//! TLS on real sockets: who is let in, who is shown what, and who is waited for no longer.

use std::{net::SocketAddr, time::Duration};

use axum::{Extension, Router, routing::get};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring::default_provider,
    pki_types::{ServerName, pem::PemObject},
};
use servers::certificates::{Authority, Held, Wanted, self_signed};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::oneshot,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::*;
use crate::{
    mutual_tls::PeerCertificates,
    sample,
    server::{ServerLimits, serve_over},
};

const FAR_TOO_LONG: Duration = Duration::from_secs(20);

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn identity(held: &Held) -> TlsIdentity {
    TlsIdentity {
        chain: vec![CertificateDer::from(held.der.clone())],
        key: PrivateKeyDer::from_pem_slice(held.key.as_bytes()).unwrap(),
    }
}

/// A server, and whom its clients trust.
struct House {
    address: SocketAddr,
    authority: Authority,
    tls: Tls,
}

impl House {
    /// A client that shows this certificate, and says that this is its key.
    fn client(&self, shows: Option<(&Held, &Held)>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(self.authority.der())).unwrap();
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        match shows {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let key = PrivateKeyDer::from_pem_slice(key.key.as_bytes()).unwrap();
                let key = default_provider().key_provider.load_private_key(key).unwrap();
                let chain = vec![CertificateDer::from(certificate.der.clone())];
                let shown = rustls::sign::CertifiedKey::new(chain, key);
                let shown = rustls::sign::SingleCertAndKey::from(shown);
                builder.with_client_cert_resolver(Arc::new(shown))
            }
        }
    }

    async fn connect(&self, config: ClientConfig) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(self.address).await?;
        let name = ServerName::try_from("localhost").unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await
    }

    /// What a request gets, or why it could not be sent.
    async fn ask(&self, config: ClientConfig) -> std::io::Result<String> {
        let mut stream = self.connect(config).await?;
        stream.write_all(b"GET /who HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        Ok(body.to_owned())
    }
}

/// Runs a test against a server that speaks TLS, then shuts that down.
async fn serving(limits: ServerLimits, ask: AskClients, test: impl AsyncFnOnce(House)) {
    let mut authority = Authority::new("CA").unwrap();
    let own = authority.certify(&Wanted::of_this_machine()).unwrap();
    let tls = Tls::new(identity(&own), ask, provider()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let house = House { address, authority, tls: tls.clone() };
    let (stop, stopped) = oneshot::channel();
    let client = async {
        test(house).await;
        stop.send(()).unwrap();
    };
    let server = serve_over(Some(tls), listener, app(), limits, async {
        stopped.await.unwrap();
    });
    timeout(FAR_TOO_LONG, async { tokio::join!(client, server) }).await.unwrap();
}

/// Tells how many certificates the client showed.
fn app() -> Router {
    let who = async |shown: Option<Extension<PeerCertificates>>| {
        let count = shown.map_or(0, |Extension(PeerCertificates(chain))| chain.len());
        format!("{count} certificates")
    };
    sample::router(|routes| routes.route("/who", get(who)))
}

#[tokio::test]
async fn a_client_may_show_a_certificate_of_its_own_making_and_need_not() {
    serving(ServerLimits::default(), AskClients::ForCertificate, async |house| {
        let own = self_signed(&Wanted::of("client")).unwrap();
        assert_eq!(house.ask(house.client(None)).await.unwrap(), "0 certificates");
        assert_eq!(house.ask(house.client(Some((&own, &own)))).await.unwrap(), "1 certificates");
    })
    .await;
}

#[tokio::test]
async fn ds_08_a_chain_longer_than_any_makes_no_connection() {
    serving(ServerLimits::default(), AskClients::ForCertificate, async |house| {
        let own = self_signed(&Wanted::of("client")).unwrap();
        for (length, is_taken) in [(10, true), (11, false)] {
            let mut config = house.client(None);
            let identity = identity(&own);
            let key = default_provider().key_provider.load_private_key(identity.key).unwrap();
            let chain = identity.chain.iter().cycle().take(length).cloned().collect();
            let shown = rustls::sign::CertifiedKey::new(chain, key);
            config.client_auth_cert_resolver =
                Arc::new(rustls::sign::SingleCertAndKey::from(shown));
            let answer = house.ask(config).await.ok();
            assert_eq!(answer, is_taken.then(|| format!("{length} certificates")));
        }
    })
    .await;
}

#[tokio::test]
async fn who_is_not_asked_shows_nothing() {
    serving(ServerLimits::default(), AskClients::Never, async |house| {
        let own = self_signed(&Wanted::of("client")).unwrap();
        assert_eq!(house.ask(house.client(Some((&own, &own)))).await.unwrap(), "0 certificates");
    })
    .await;
}

#[tokio::test]
async fn dp_12_a_certificate_without_its_key_makes_no_connection() {
    serving(ServerLimits::default(), AskClients::ForCertificate, async |house| {
        let (one, other) = (self_signed(&Wanted::of("one")), self_signed(&Wanted::of("other")));
        let (one, other) = (one.unwrap(), other.unwrap());
        for version in [&rustls::version::TLS13, &rustls::version::TLS12] {
            let certified = house.client(Some((&one, &other)));
            let resolver = certified.client_auth_cert_resolver.clone();
            let mut roots = RootCertStore::empty();
            roots.add(CertificateDer::from(house.authority.der())).unwrap();
            let config = ClientConfig::builder_with_provider(provider())
                .with_protocol_versions(&[version])
                .unwrap()
                .with_root_certificates(roots)
                .with_client_cert_resolver(resolver);
            assert!(house.ask(config).await.is_err(), "{version:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn both_versions_of_http_are_offered() {
    serving(ServerLimits::default(), AskClients::Never, async |house| {
        for protocol in PROTOCOLS {
            let mut config = house.client(None);
            config.alpn_protocols = vec![protocol.to_vec()];
            let stream = house.connect(config).await.unwrap();
            assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol));
        }
    })
    .await;
}

#[tokio::test]
async fn ds_03_a_handshake_that_never_ends_is_closed() {
    let limits =
        ServerLimits { handshake_patience: Duration::from_millis(50), ..ServerLimits::default() };
    serving(limits, AskClients::Never, async |house| {
        for beginning in [&[] as &[u8], &[22], &[22, 3, 1, 2, 0, 1]] {
            let mut stream = TcpStream::connect(house.address).await.unwrap();
            stream.write_all(beginning).await.unwrap();
            let mut answer = Vec::new();
            // Closed with nothing unread: an end, and no reset.
            stream.read_to_end(&mut answer).await.unwrap();
            assert_eq!(answer, b"");
        }
    })
    .await;
}

#[tokio::test]
async fn ds_03_a_client_that_shakes_hands_and_says_nothing_is_closed() {
    let limits =
        ServerLimits { header_patience: Duration::from_millis(50), ..ServerLimits::default() };
    serving(limits, AskClients::Never, async |house| {
        let mut stream = house.connect(house.client(None)).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"");
    })
    .await;
}

#[tokio::test]
async fn ds_04_a_client_that_never_reads_is_closed() {
    let limits = ServerLimits {
        write_patience: Duration::from_millis(50),
        linger: Duration::from_millis(50),
        connections: 1,
        ..ServerLimits::default()
    };
    let mut authority = Authority::new("CA").unwrap();
    let own = authority.certify(&Wanted::of_this_machine()).unwrap();
    let tls = Tls::new(identity(&own), AskClients::Never, provider()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let house = House { address: listener.local_addr().unwrap(), authority, tls: tls.clone() };
    let large = axum::body::Bytes::from(vec![b'x'; 64 * 1024 * 1024]);
    let app = sample::router(|routes| {
        routes.route("/large", get(async move || large.clone())).route("/who", get(async || "it"))
    });
    let (stop, stopped) = oneshot::channel::<()>();
    let server = serve_over(Some(tls), listener, app, limits, async {
        stopped.await.unwrap();
    });
    let client = async {
        let mut greedy = house.connect(house.client(None)).await.unwrap();
        greedy.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        // The only place is free again once the greedy one is gone.
        assert_eq!(house.ask(house.client(None)).await.unwrap(), "it");
        stop.send(()).unwrap();
    };
    timeout(FAR_TOO_LONG, async { tokio::join!(client, server) }).await.unwrap();
}

#[tokio::test]
async fn plain_http_ends_cleanly() {
    serving(ServerLimits::default(), AskClients::Never, async |house| {
        let mut stream = TcpStream::connect(house.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
        stream.shutdown().await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        // An alert, of a handshake that is none (RFC 8446 section 6).
        assert_eq!(answer.first(), Some(&21), "{answer:?}");
        assert_eq!(house.ask(house.client(None)).await.unwrap(), "0 certificates");
    })
    .await;
}

#[tokio::test]
async fn another_identity_is_shown_to_those_who_come_later() {
    serving(ServerLimits::default(), AskClients::Never, async |mut house| {
        let before = house.connect(house.client(None)).await.unwrap();
        let next = house.authority.certify(&Wanted::of_this_machine()).unwrap();
        house.tls.replace(identity(&next)).unwrap();
        let after = house.connect(house.client(None)).await.unwrap();
        let shown = after.get_ref().1.peer_certificates().unwrap().first().unwrap().to_vec();
        assert_eq!(shown, next.der);
        assert_ne!(before.get_ref().1.peer_certificates().unwrap()[0].to_vec(), next.der);
        // A key of another certificate is not taken, and the last good one stays.
        let other = house.authority.certify(&Wanted::of_this_machine()).unwrap();
        let mixed = TlsIdentity { chain: identity(&other).chain, key: identity(&next).key };
        assert!(house.tls.replace(mixed).is_err());
        assert_eq!(house.ask(house.client(None)).await.unwrap(), "0 certificates");
    })
    .await;
}
