//! Mutual TLS (RFC 8705): which certificate a request came with, who says so, and who vouches for it.
//!
//! A certificate comes with the connection itself, or in a header from a proxy that is trusted by its
//! address. Whoever ended the connection saw that the client holds the key. What the certificate says
//! is judged at each authentication anew: it may expire, or be revoked, while its connection lasts.

mod authorities;
mod connection;
mod forwarded;
mod proxies;
mod x509;

/// More certificates than any chain has. A longer one is none, in a header as in a handshake.
pub(crate) const MOST_CERTIFICATES: usize = 10;

pub use authorities::{Authorities, InvalidAuthorities};
pub use connection::{ClientCertificates, with_client_certificates};
pub(crate) use connection::{ConnectionCertificate, PeerCertificates};
pub use proxies::{InvalidNetwork, TrustedNetwork};
pub use x509::UnreadableCertificate;
pub(crate) use x509::read_text;
