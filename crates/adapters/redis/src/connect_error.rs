//! What keeps the application from starting with this Redis, and what to do about it.

use std::{error::Error, io, sync::Arc, time::Duration};

use kernel::{ExposeSecret, Secret};
use redis::{ConnectionAddr, ConnectionInfo, ErrorKind, IntoConnectionInfo, RedisError};
use tokio::net::TcpStream;

use crate::failure::Failure;

/// Why there is no Redis. No text names any part of the URL: a password that was not escaped can be
/// in all of them.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Text that is no URL of a Redis.
    #[error(
        "the URL of redis is malformed: write `redis://user:password@host:port/database`, with \
         `rediss` for TLS and with every special character of the password as `%` and two digits"
    )]
    Url,
    /// The URL asks for TLS that checks no certificate.
    #[error("the URL of redis ends in `#insecure`, by which anybody could be it: take that away")]
    Insecure,
    /// The application did not say which cryptography TLS is to use.
    #[error("TLS was asked for, but this process has installed no cryptography for it")]
    NoTlsProvider,
    /// Nobody answers there.
    #[error(
        "redis cannot be reached: start it, or correct the host and port of its URL, or let this \
         machine through to it"
    )]
    NotReachable(#[source] Failure),
    /// The connection stands, and TLS on it does not.
    #[error(
        "redis did not complete a TLS handshake: write `redis` instead of `rediss` where it offers \
         none, else let this machine trust its certificate, and see that it does not hang"
    )]
    Tls(#[source] Failure),
    /// It does not know this user, or the password is another.
    #[error("redis refused the user or the password: correct both in its URL")]
    Credentials(#[source] Failure),
    /// It answers, and not as it should.
    #[error(
        "redis is not ready to be used: see its own log; where it offers TLS only, write `rediss` \
         instead of `redis`"
    )]
    NotReady(#[source] Failure),
}

/// Reads the URL, and refuses what no attempt could mend.
pub(crate) fn read(url: &Secret) -> Result<ConnectionInfo, ConnectError> {
    let parsed = url.expose_secret().into_connection_info();
    // What it says of the text may quote it.
    let info = parsed.map_err(|_| ConnectError::Url)?;
    if let ConnectionAddr::TcpTls { insecure, .. } = info.addr() {
        if *insecure {
            return Err(ConnectError::Insecure);
        }
        // The client would panic.
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            return Err(ConnectError::NoTlsProvider);
        }
    }
    Ok(info)
}

/// What a first call that failed says of the server.
pub(crate) async fn explain(
    failure: Failure,
    address: &ConnectionAddr,
    patience: Duration,
) -> ConnectError {
    let is_tls = matches!(address, ConnectionAddr::TcpTls { .. });
    match &failure {
        // A server without TLS takes our greeting for the beginning of a command, and waits.
        Failure::TooSlow(_) if is_tls && accepts(address, patience).await => {
            ConnectError::Tls(failure)
        }
        Failure::CoolingDown | Failure::TooSlow(_) => ConnectError::NotReachable(failure),
        Failure::Connection(error) if error.kind() == ErrorKind::AuthenticationFailed => {
            ConnectError::Credentials(failure)
        }
        Failure::Connection(error) if is_out_of_reach(error) => ConnectError::NotReachable(failure),
        Failure::Connection(_) if is_tls => ConnectError::Tls(failure),
        Failure::Refused(error)
            if matches!(error.code(), Some("NOAUTH" | "WRONGPASS" | "NOPERM")) =>
        {
            ConnectError::Credentials(failure)
        }
        Failure::Connection(_) | Failure::Refused(_) | Failure::Nonsense(_) => {
            ConnectError::NotReady(failure)
        }
    }
}

type Shared = dyn Error + Send + Sync;

/// Whether somebody listens there at all.
async fn accepts(address: &ConnectionAddr, patience: Duration) -> bool {
    let (ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. }) = address
    else {
        return false;
    };
    let connected = TcpStream::connect((host.as_str(), *port));
    matches!(tokio::time::timeout(patience, connected).await, Ok(Ok(_)))
}

/// Whether nothing was connected: by the operating system's word, or since no name was found.
fn is_out_of_reach(error: &RedisError) -> bool {
    if error.is_timeout() || error.is_connection_refusal() {
        return true;
    }
    // The client shares the system's error among the copies of its own.
    let shared = error.source().and_then(|source| source.downcast_ref::<Arc<Shared>>());
    let Some(system) = shared.and_then(|shared| shared.downcast_ref::<io::Error>()) else {
        return false;
    };
    let is_of_the_network = matches!(
        system.kind(),
        io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::PermissionDenied
    );
    // A name that nobody knows has no kind of its own, and nothing that TLS says is such.
    is_of_the_network || system.to_string().contains("lookup address")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> ConnectError {
        read(&Secret::from(url.to_owned())).err().unwrap()
    }

    #[test]
    fn text_that_is_no_url_of_a_redis_is_refused_without_a_word_of_it() {
        for url in [
            "",
            "canary",
            "http://canary@localhost",
            "redis://:canary@localhost:notaport/",
            "redis://:can/ary@localhost/canary",
            "redis://:canary@localhost/notanumber",
        ] {
            let error = refusal(url);
            assert!(matches!(error, ConnectError::Url), "{url}: {error}");
            let told = format!("{error} {error:?} {:?}", error.source());
            assert!(!told.contains("can"), "{told}");
        }
    }

    #[test]
    fn tls_that_checks_nothing_is_refused() {
        assert!(matches!(refusal("rediss://localhost/#insecure"), ConnectError::Insecure));
    }

    #[test]
    fn tls_without_cryptography_is_refused_and_does_not_panic() {
        assert!(matches!(refusal("rediss://localhost/"), ConnectError::NoTlsProvider));
    }

    #[test]
    fn good_urls_are_read() {
        for url in ["redis://localhost", "redis://user:pass@192.0.2.1:7000/3", "unix:///run/redis"]
        {
            assert!(read(&Secret::from(url.to_owned())).is_ok(), "{url}");
        }
    }
}
