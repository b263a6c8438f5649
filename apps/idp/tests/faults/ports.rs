//! Ports to start on again and again, since the issuer holds one of them.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

static NEXT: AtomicU16 = AtomicU16::new(0);

/// One that nobody listens on, and that no other call in this process is told. It lies below those
/// that systems give to outgoing connections, one of which could otherwise have it when a server
/// that was killed comes back.
pub(crate) fn quiet() -> u16 {
    let first = u16::try_from(std::process::id() % 100).unwrap();
    let step = || NEXT.fetch_add(1, Ordering::Relaxed) % 9_000;
    let candidates = std::iter::repeat_with(|| 20_000 + (first * 90 + step()) % 9_000);
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    candidates.take(9_000).find(free).unwrap()
}
