//! What callers present, as it came: nothing of it has been checked.

use credentials::ShownCertificate;
use jose::CertificateThumbprint;
use kernel::Secret;

/// What a client presents at an endpoint of the authorization server. There is one way at a time: a
/// server that takes the first that passes lets an attacker add one that it has to one that it has
/// not.
#[derive(Debug)]
pub enum PresentedClient {
    /// Its secret (RFC 6749 section 2.3.1).
    Secret {
        /// Its id, as given.
        id: String,
        /// Its secret, as given.
        secret: Secret,
    },
    /// An assertion that it signed with a key of its own (RFC 7523 section 2.2).
    Assertion {
        /// The parameter `client_id`, which may be left out, since the assertion names the client.
        id: Option<String>,
        /// The assertion. It lets its bearer in for as long as nobody has used it.
        assertion: Secret,
    },
    /// The certificate of its connection (RFC 8705 section 2).
    Certificate {
        /// Its id, as given.
        id: String,
        /// The certificate, which nobody has looked at: that costs something, and not every client is
        /// one that it is done for.
        certificate: Box<dyn ShownCertificate>,
    },
}

/// A token that somebody shows, and what came with it.
#[derive(Debug)]
pub struct PresentedToken {
    /// The token, as given.
    pub token: Secret,
    /// The proof that came with it. It is there exactly where the scheme was `DPoP` (RFC 9449
    /// section 7.1).
    pub proof: Option<PresentedProof>,
    /// The certificate of the connection, if it has one.
    pub certificate: Option<CertificateThumbprint>,
}

/// A proof that somebody holds a key (RFC 9449 section 4), and the request that it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentedProof {
    /// The proof, as given.
    pub proof: String,
    /// The method of the request.
    pub method: &'static str,
    /// The URL of the request, without query and fragment, as the issuer's clients know it.
    pub url: String,
    /// The same below the URL that is named for clients with certificates, if there is one (RFC 8705
    /// section 5).
    pub alias: Option<String>,
}
