//! What is found out about a certificate that a client showed: nothing before it matters, and nothing
//! twice.
//!
//! Everybody can show any chain under any client's name. Reading it, and asking who made it out, is work
//! that a stranger would otherwise have done for nothing.

use std::{cell::OnceCell, fmt};

use kernel::Timestamp;

use crate::{
    certificate::Certificate,
    material::{CertificateSubject, CertificateThumbprint},
};

/// A certificate as it came. Whoever terminated the connection saw that the client holds its key; nobody
/// has looked at anything else.
pub trait ShownCertificate: fmt::Debug + Send + Sync {
    /// What it is known by.
    fn thumbprint(&self) -> CertificateThumbprint;

    /// What it says. `None` where it cannot be read.
    fn read(&self) -> Option<Certificate>;

    /// Whether an authority that is trusted here made it out, and has not revoked it, as of this instant
    /// (RFC 5280 section 6).
    fn is_vouched_for(&self, now: Timestamp) -> bool;
}

/// Looks at a certificate at one instant.
#[derive(Debug)]
pub struct Examination<'a> {
    shown: &'a dyn ShownCertificate,
    now: Timestamp,
    read: OnceCell<Option<Certificate>>,
    is_vouched_for: OnceCell<bool>,
}

impl<'a> Examination<'a> {
    /// Nothing is found out yet.
    #[must_use]
    pub const fn new(shown: &'a dyn ShownCertificate, now: Timestamp) -> Self {
        Self { shown, now, read: OnceCell::new(), is_vouched_for: OnceCell::new() }
    }

    /// Whether it was read, and is not valid at this instant. What no key asked for is not read for
    /// this.
    #[must_use]
    pub fn found_it_out_of_date(&self) -> bool {
        self.read.get().is_some_and(|read| read.as_ref().is_some_and(|read| !self.is_of_now(read)))
    }

    pub(crate) fn thumbprint(&self) -> CertificateThumbprint {
        self.shown.thumbprint()
    }

    pub(crate) fn is_valid(&self) -> bool {
        self.said().is_some_and(|certificate| self.is_of_now(certificate))
    }

    pub(crate) fn bears(&self, name: &CertificateSubject) -> bool {
        self.said().is_some_and(|certificate| certificate.names.contains(name))
    }

    pub(crate) fn is_vouched_for(&self) -> bool {
        *self.is_vouched_for.get_or_init(|| self.shown.is_vouched_for(self.now))
    }

    fn said(&self) -> Option<&Certificate> {
        self.read.get_or_init(|| self.shown.read()).as_ref()
    }

    fn is_of_now(&self, certificate: &Certificate) -> bool {
        certificate.is_valid_at(self.now)
    }
}
