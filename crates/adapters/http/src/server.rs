//! Accepts connections and serves the router on them, within bounds of time and number.
//!
//! `axum::serve` sets no timer, so that hyper's own header timeout does nothing, and has no cap on
//! connections: slow clients would hold as many as they like.

use std::{convert::Infallible, io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use axum::{Router, body::Body, extract::Request, response::Response};
use hyper::{body::Incoming, service::Service, service::service_fn};
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::conn::auto,
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc, watch},
    time::timeout,
};
use tokio_rustls::server::TlsStream;
use tower::ServiceExt;

use crate::{
    content::BodyPatience,
    mutual_tls::PeerCertificates,
    request_context::Peer,
    shield::UnderWay,
    socket::{Socket, linger},
    tls::Tls,
};

/// The bounds of the server.
#[derive(Debug, Clone)]
pub struct ServerLimits {
    /// How many connections are served at once. More wait in the kernel's queue.
    pub connections: usize,
    /// How long a client may take for the handshake of TLS.
    pub handshake_patience: Duration,
    /// How long a client may take until its headers are complete, and how long a connection may be
    /// idle.
    pub header_patience: Duration,
    /// How long a client may take to send a body.
    pub body_patience: Duration,
    /// How long a client may leave its answer unread.
    pub write_patience: Duration,
    /// How long the rest of what a client sends is read away after its last answer.
    pub linger: Duration,
    /// How many headers a request may have.
    pub headers: usize,
    /// How many bytes the headers of a request may have together.
    pub header_bytes: usize,
    /// How many requests a connection may have under way.
    pub streams: u32,
    /// How long an HTTP/2 client may take to answer a ping, which it gets when it is silent.
    pub ping_patience: Duration,
    /// How long requests under way may take once the server is told to end.
    pub grace: Duration,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            handshake_patience: Duration::from_secs(10),
            header_patience: Duration::from_secs(10),
            body_patience: Duration::from_secs(30),
            write_patience: Duration::from_secs(30),
            linger: Duration::from_secs(1),
            headers: 100,
            header_bytes: 64 * 1024,
            streams: 100,
            ping_patience: Duration::from_secs(5),
            grace: Duration::from_secs(9),
        }
    }
}

/// How far the server's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Open,
    /// No new requests; those under way finish.
    Draining,
    /// The grace is used up.
    Over,
}

/// What all connections share.
struct House {
    app: Router,
    /// Where the server speaks TLS itself.
    tls: Option<Tls>,
    limits: ServerLimits,
    http: auto::Builder<TokioExecutor>,
    phase: watch::Receiver<Phase>,
    /// Held by every connection and by all work under way, so that the server knows when the last
    /// one is gone.
    open: mpsc::Sender<Infallible>,
}

/// Serves until `shutdown` completes; then stops accepting, lets the requests under way finish, and
/// returns when they have or when the grace is used up.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    limits: ServerLimits,
    shutdown: impl Future<Output = ()>,
) {
    serve_over(None, listener, app, limits, shutdown).await;
}

/// As [`serve`], over TLS where there is one.
pub async fn serve_over(
    tls: Option<Tls>,
    listener: TcpListener,
    app: Router,
    limits: ServerLimits,
    shutdown: impl Future<Output = ()>,
) {
    let grace = limits.grace;
    let (change_phase, phase) = watch::channel(Phase::Open);
    let (open, mut all_gone) = mpsc::channel(1);
    let http = protocols(&limits);
    let house = Arc::new(House { app, tls, limits, http, phase, open });

    accept_until(shutdown, listener, &house).await;
    change_phase.send_replace(Phase::Draining);
    drop(house);
    if timeout(grace, all_gone.recv()).await.is_err() {
        tracing::warn!("requests were cut off: they did not finish in time");
    }
    change_phase.send_replace(Phase::Over);
}

fn protocols(limits: &ServerLimits) -> auto::Builder<TokioExecutor> {
    // Hyper refuses, by a panic, to work with less.
    const FEWEST_HEADER_BYTES: usize = 8 * 1024;
    // So many it takes by itself. To be told the same number makes it read each request more slowly.
    const HEADERS_BY_DEFAULT: usize = 100;
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_patience)
        .max_buf_size(limits.header_bytes.max(FEWEST_HEADER_BYTES));
    if limits.headers != HEADERS_BY_DEFAULT {
        http.http1().max_headers(limits.headers);
    }
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(limits.header_patience)
        .keep_alive_timeout(limits.ping_patience);
    http
}

/// Accepts until the server is told to end. The listener is closed then, so that clients learn at
/// once and turn elsewhere.
async fn accept_until(
    shutdown: impl Future<Output = ()>,
    listener: TcpListener,
    house: &Arc<House>,
) {
    let places = Arc::new(Semaphore::new(house.limits.connections.min(Semaphore::MAX_PERMITS)));
    let mut shutdown = pin!(shutdown);
    loop {
        let arrival = tokio::select! {
            biased;
            () = &mut shutdown => break,
            arrival = arrival(&listener, &places) => arrival,
        };
        let Some((stream, peer, place)) = arrival else { continue };
        receive(stream, peer, Some(place), house);
    }
    for (stream, peer) in waiting(listener) {
        receive(stream, peer, places.clone().try_acquire_owned().ok(), house);
    }
}

/// The connections that the system has made already and nobody has accepted: their clients believe
/// that they are served, and closing the listener would reset them with their requests.
fn waiting(listener: TcpListener) -> impl Iterator<Item = (TcpStream, SocketAddr)> {
    // As many as the system keeps waiting: those who connect meanwhile would never come to an end.
    const BACKLOG: usize = 1_024;
    // By the system's own word, since the runtime's is as old as its last look.
    listener.into_std().into_iter().flat_map(|listener| {
        std::iter::from_fn(move || listener.accept().ok()).take(BACKLOG).filter_map(
            |(stream, peer)| {
                stream.set_nonblocking(true).ok()?;
                Some((TcpStream::from_std(stream).ok()?, peer))
            },
        )
    })
}

fn receive(
    stream: TcpStream,
    peer: SocketAddr,
    place: Option<OwnedSemaphorePermit>,
    house: &Arc<House>,
) {
    let house = Arc::clone(house);
    #[expect(clippy::disallowed_methods, reason = "a task for each connection, and no other")]
    drop(tokio::spawn(async move {
        attend(stream, peer, &house).await;
        drop(place);
    }));
}

/// The next connection, once there is a place for it. `None` where accepting failed.
async fn arrival(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let place = Arc::clone(places).acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((stream, peer)) => Some((stream, peer, place)),
        Err(error) => {
            if !is_the_clients_doing(&error) {
                // Most likely the process is out of file descriptors. Accepting again at once would
                // fail again at once, and keep a core busy with it.
                tracing::error!(%error, "a connection could not be accepted");
                drop(timeout(Duration::from_millis(100), std::future::pending::<()>()).await);
            }
            None
        }
    }
}

fn is_the_clients_doing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

/// What is known of whoever is at the other end of a connection.
#[derive(Clone)]
struct Arrival {
    peer: Peer,
    certificates: Option<PeerCertificates>,
}

/// Serves one connection from its first byte to its last.
async fn attend(stream: TcpStream, peer: SocketAddr, house: &House) {
    // Answers are small and complete: waiting to fill a packet only delays them.
    drop(stream.set_nodelay(true));
    // A peer is one client, whichever of its two spellings the listener saw.
    let mut arrival = Arrival { peer: Peer(peer.ip().to_canonical()), certificates: None };
    let Some(tls) = &house.tls else { return talk(stream, arrival, house).await };
    if let Some(stream) = shake_hands(stream, tls, house).await {
        let (_, connection) = stream.get_ref();
        let chain = connection.peer_certificates();
        arrival.certificates = chain.map(|chain| PeerCertificates(chain.into()));
        talk(stream, arrival, house).await;
    }
}

/// The stream above TLS. `None` where the client speaks something else, or takes too long.
async fn shake_hands(stream: TcpStream, tls: &Tls, house: &House) -> Option<TlsStream<TcpStream>> {
    let limits = &house.limits;
    let accepting = tls.acceptor().accept(stream).into_fallible();
    let mut accepting = pin!(timeout(limits.handshake_patience, accepting));
    let outcome = tokio::select! {
        biased;
        outcome = accepting.as_mut() => outcome,
        () = reached(Phase::Draining, house) => timeout(limits.linger, accepting).await.ok()?,
    };
    match outcome {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err((error, stream))) => {
            tracing::debug!(%error, "a handshake of TLS failed");
            linger(stream, limits.linger).await;
            None
        }
        Err(_) => None,
    }
}

async fn talk<S>(stream: S, arrival: Arrival, house: &House)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = &house.limits;
    let (socket, returned) = Socket::new(stream, limits.header_patience, limits.write_patience);
    converse(socket, arrival, house).await;
    if let Ok(stream) = returned.await {
        linger(stream, limits.linger).await;
    }
}

async fn converse<S>(socket: Socket<S>, arrival: Arrival, house: &House)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let first = Arc::new(Notify::new());
    let service = service_for(arrival, house, Arc::clone(&first));
    let mut connection = pin!(house.http.serve_connection(TokioIo::new(socket), service));
    let ended = tokio::select! {
        // First, so that a request that is there already is begun.
        biased;
        ended = connection.as_mut() => ended,
        () = reached(Phase::Draining, house) => {
            // Hyper hangs up at once on a client whose first request it has not read yet, though
            // that is most likely on its way: nobody connects to say nothing.
            tokio::select! {
                biased;
                _ = connection.as_mut() => return,
                _ = timeout(house.limits.linger, first.notified()) => {}
            }
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection.as_mut() => ended,
                () = reached(Phase::Over, house) => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(error, "a connection ended in disorder");
    }
}

async fn reached(phase: Phase, house: &House) {
    let mut current = house.phase.clone();
    // An error means that the server is gone, which is as far as it can come.
    drop(current.wait_for(|current| *current >= phase).await);
}

/// The router, with what is known of the connection in each request's extensions.
fn service_for(
    arrival: Arrival,
    house: &House,
    first: Arc<Notify>,
) -> impl Service<Request<Incoming>, Response = Response, Error = Infallible, Future: Send + 'static>
+ use<> {
    let app = house.app.clone();
    let places = usize::try_from(house.limits.streams).unwrap_or(usize::MAX);
    let under_way = UnderWay::new(places, house.open.clone());
    let patience = BodyPatience(house.limits.body_patience);
    let Arrival { peer, certificates } = arrival;
    service_fn(move |request: Request<Incoming>| {
        // The permit stays until somebody waits for it.
        first.notify_one();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer);
        if let Some(certificates) = certificates.clone() {
            request.extensions_mut().insert(certificates);
        }
        request.extensions_mut().insert(patience);
        request.extensions_mut().insert(under_way.clone());
        app.clone().oneshot(request)
    })
}

#[cfg(test)]
mod tests;
