//! The header fields in which a proxy passes on the certificate of a client (RFC 9440).

use axum::http::{HeaderMap, HeaderName};
use data_encoding::BASE64;
use rustls::pki_types::CertificateDer;
use thiserror::Error;

use super::MOST_CERTIFICATES;

/// The certificate of the client (RFC 9440 section 2.2).
pub(super) const CLIENT_CERT: HeaderName = HeaderName::from_static("client-cert");

/// What it sent beside it, up to an authority (RFC 9440 section 2.3).
pub(super) const CLIENT_CERT_CHAIN: HeaderName = HeaderName::from_static("client-cert-chain");

/// A proxy said something that cannot be read, or said it twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a proxy's header about a client's certificate cannot be read")]
pub(super) struct Unreadable;

/// The chain that a proxy passes on, the client's own certificate first. `None` where the client
/// showed none.
pub(super) fn chain(
    headers: &HeaderMap,
) -> Result<Option<Vec<CertificateDer<'static>>>, Unreadable> {
    let mut leaves = headers.get_all(CLIENT_CERT).iter();
    let Some(leaf) = leaves.next() else { return Ok(None) };
    // Of two, one is what the client itself sent, and the proxy let it through.
    if leaves.next().is_some() {
        return Err(Unreadable);
    }
    let mut chain = vec![byte_sequence(leaf.to_str().map_err(|_| Unreadable)?)?];
    for line in headers.get_all(CLIENT_CERT_CHAIN) {
        for entry in line.to_str().map_err(|_| Unreadable)?.split(',') {
            if chain.len() == MOST_CERTIFICATES {
                return Err(Unreadable);
            }
            chain.push(byte_sequence(entry)?);
        }
    }
    Ok(Some(chain))
}

/// Reads a Byte Sequence without parameters (RFC 9651 section 3.3.5).
fn byte_sequence(text: &str) -> Result<CertificateDer<'static>, Unreadable> {
    let inner = text.trim_matches([' ', '\t']).strip_prefix(':').and_then(|t| t.strip_suffix(':'));
    let bytes = BASE64.decode(inner.ok_or(Unreadable)?.as_bytes()).map_err(|_| Unreadable)?;
    if bytes.is_empty() { Err(Unreadable) } else { Ok(CertificateDer::from(bytes)) }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(leaves: &[&str], others: &[&str]) -> Result<Option<Vec<Vec<u8>>>, Unreadable> {
        let mut headers = HeaderMap::new();
        for leaf in leaves {
            headers.append(CLIENT_CERT, HeaderValue::from_str(leaf).unwrap());
        }
        for other in others {
            headers.append(CLIENT_CERT_CHAIN, HeaderValue::from_str(other).unwrap());
        }
        Ok(chain(&headers)?.map(|chain| chain.iter().map(|one| one.to_vec()).collect()))
    }

    #[test]
    fn a_chain_is_read_with_the_clients_own_certificate_first() {
        assert_eq!(read(&[], &[]), Ok(None));
        assert_eq!(read(&[], &[":AQ==:"]), Ok(None));
        assert_eq!(read(&[":AQ==:"], &[]), Ok(Some(vec![vec![1]])));
        let three = Some(vec![vec![1], vec![2], vec![3]]);
        assert_eq!(read(&[" :AQ==: "], &[":Ag==: , :Aw==:"]), Ok(three.clone()));
        assert_eq!(read(&[":AQ==:"], &[":Ag==:", ":Aw==:"]), Ok(three));
    }

    #[test]
    fn what_is_said_twice_or_in_another_form_is_not_read() {
        let many = [":AQ==:"; MOST_CERTIFICATES].join(",");
        for (leaves, others) in [
            (vec![":AQ==:", ":AQ==:"], vec![]),
            (vec![":AQ==:, :AQ==:"], vec![]),
            (vec!["AQ=="], vec![]),
            (vec![":AQ:"], vec![]),
            (vec![":AQ==:;a=1"], vec![]),
            (vec!["::"], vec![]),
            (vec![":"], vec![]),
            (vec![""], vec![]),
            (vec!["-----BEGIN%20CERTIFICATE-----"], vec![]),
            (vec![":AQ==:"], vec![""]),
            (vec![":AQ==:"], vec![":AQ==:,"]),
            (vec![":AQ==:"], vec![&*many]),
        ] {
            assert_eq!(read(&leaves, &others), Err(Unreadable), "{leaves:?} {others:?}");
        }
    }
}
