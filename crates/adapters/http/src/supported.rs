//! What the server supports beside what its route table says: the metadata advertises this and nothing
//! else.

use tokens::{Algorithm, dpop};

/// What is switched on. By default, what works without any configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Supported {
    /// What assertions of clients may be signed with (`private_key_jwt`, RFC 7523); none where clients
    /// cannot authenticate so.
    pub assertion_algorithms: Vec<Algorithm>,
    /// What proofs of possession may be signed with (DPoP, RFC 9449); none where there are none.
    pub dpop_algorithms: Vec<Algorithm>,
    /// Mutual TLS (RFC 8705), where it is configured.
    pub mutual_tls: Option<MutualTls>,
}

impl Default for Supported {
    fn default() -> Self {
        Self {
            assertion_algorithms: Algorithm::ALL.to_vec(),
            dpop_algorithms: dpop::ALGORITHMS.to_vec(),
            mutual_tls: None,
        }
    }
}

impl Supported {
    /// Where clients with certificates find the endpoints, if not below the issuer.
    pub(crate) fn aliases(&self) -> Option<&str> {
        self.mutual_tls.as_ref()?.aliases.as_deref()
    }
}

/// How clients use certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MutualTls {
    /// The methods by which they authenticate: `tls_client_auth`, `self_signed_tls_client_auth`.
    pub client_methods: Vec<&'static str>,
    /// Under which URL the endpoints are that ask for a certificate, without a slash at its end; `None`
    /// where they are those of the issuer.
    pub aliases: Option<String>,
}
