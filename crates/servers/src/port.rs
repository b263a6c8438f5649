//! Free ports of 127.0.0.1.

use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};

/// Below the ports that the kernel gives to outgoing connections. A server that is away would otherwise find its port taken when
/// it comes back: by any connection, or by a client's own, which a kernel connects to itself where both ends get the same port.
const PORTS: Range<u16> = 12_000..32_000;

/// How many ports a call passes over before it leaves the choice to the kernel.
const TRIES: u32 = 500;

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A port of 127.0.0.1 that nobody listens on now, and that no other call in this process is told: the servers of this crate get
/// theirs here too, so that none of them takes the port of a program that a test has ended and will start again.
pub fn free_port() -> u16 {
    // Each process begins elsewhere, so that two seldom choose the same.
    let begin = std::process::id();
    let candidates = (0..TRIES).filter_map(|_| {
        let step = begin.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        u16::try_from(u32::from(PORTS.start) + step % u32::from(PORTS.end - PORTS.start)).ok()
    });
    first_free(candidates).or_else(|| first_free([0])).unwrap_or(PORTS.start)
}

fn first_free(candidates: impl IntoIterator<Item = u16>) -> Option<u16> {
    let listen = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok()?.local_addr().ok();
    candidates.into_iter().find_map(listen).map(|address| address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_somebody_listens_on_is_passed_over() {
        let kept = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let taken = kept.local_addr().unwrap().port();
        assert_eq!(first_free([taken]), None);
        assert!(first_free([taken, 0]).is_some());
    }

    #[test]
    fn no_two_calls_are_told_the_same() {
        let ports = [free_port(), free_port(), free_port()];
        assert!(ports.iter().all(|port| PORTS.contains(port)), "{ports:?}");
        assert!(ports[0] != ports[1] && ports[1] != ports[2] && ports[0] != ports[2], "{ports:?}");
    }
}
