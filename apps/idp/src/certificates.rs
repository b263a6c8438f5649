//! The files of TLS and of the authorities: read at the start, and again when they change, since
//! certificates live for weeks and servers for months.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, SystemTime},
};

use http_api::{
    AskClients, Authorities, ClientCertificates, InvalidAuthorities, MutualTls, Tls, TlsIdentity,
};
use rustls::{
    crypto::{CryptoProvider, ring::default_provider},
    pki_types::{
        CertificateDer, CertificateRevocationListDer, PrivateKeyDer,
        pem::{self, PemObject},
    },
};
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    config::{IdentityFiles, Transport},
    runtime::Company,
};

/// How often it is looked whether a file changed.
const LOOK: Duration = Duration::from_secs(60);

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum UnusableFile {
    /// One cannot be read.
    #[error("file `{}` cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// One holds no PEM of what it should.
    #[error("file `{}` has no {} in PEM", .0.display(), .1)]
    Content(PathBuf, &'static str, #[source] pem::Error),
    /// Certificate and key do not go together, or are of a kind that is not known.
    #[error("the certificate of file `{}` cannot be used with its key", .0.display())]
    Identity(PathBuf, #[source] rustls::Error),
    /// Authorities, or lists of theirs, of a kind that is not known.
    #[error("the authorities of file `{}` cannot be used", .0.display())]
    Authorities(PathBuf, #[source] InvalidAuthorities),
}

/// What a file was like when it was read.
type Stamp = Option<(SystemTime, u64)>;

/// What is made of the files, and stays as it was while they cannot be used.
#[derive(Debug)]
pub struct Certificates {
    transport: Transport,
    tls: Option<Tls>,
    authorities: Arc<Authorities>,
    read: Mutex<[Vec<Stamp>; 2]>,
}

impl Certificates {
    /// Reads all files that are configured.
    ///
    /// # Errors
    /// [`UnusableFile`]
    pub fn load(transport: &Transport) -> Result<Self, UnusableFile> {
        // Before: a file that changes meanwhile is read again.
        let read =
            Mutex::new([stamps(&identity_files(transport)), stamps(&trust_files(transport))]);
        let tls =
            transport.identity.as_ref().map(|files| identified(files, transport)).transpose()?;
        let authorities = Arc::new(Authorities::none());
        trust(transport, &authorities)?;
        Ok(Self { transport: transport.clone(), tls, authorities, read })
    }

    /// TLS of the server's own, if it speaks any.
    #[must_use]
    pub fn tls(&self) -> Option<Tls> {
        self.tls.clone()
    }

    /// Whose word on clients' certificates counts.
    #[must_use]
    pub fn of_clients(&self) -> Arc<ClientCertificates> {
        Arc::new(ClientCertificates {
            proxies: self.transport.proxies.clone(),
            forwarded: self.transport.forwarded,
            authorities: self.authorities.clone(),
        })
    }

    /// What clients can do with certificates, to be advertised.
    #[must_use]
    pub fn supported(&self) -> Option<MutualTls> {
        let by_authority = self.transport.authorities.as_ref().map(|_| "tls_client_auth");
        self.transport.takes_client_certificates().then(|| MutualTls {
            client_methods: by_authority
                .into_iter()
                .chain(["self_signed_tls_client_auth"])
                .collect(),
            aliases: self.transport.mtls_url.clone(),
        })
    }

    /// Looks after the files beside the requests, where there are any.
    pub fn accompany(self: Arc<Self>, company: &mut Company) {
        company.accompany("certificates", move || self.clone().renew_for_ever());
    }

    async fn renew_for_ever(self: Arc<Self>) {
        let mut now_and_then = interval(LOOK);
        now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            now_and_then.tick().await;
            self.renew();
        }
    }

    /// Reads again what has changed since it was read last.
    pub fn renew(&self) {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let [identity, trusted] = &mut *read;
        renew(identity, &identity_files(&self.transport), || {
            match (&self.tls, &self.transport.identity) {
                (Some(tls), Some(files)) => {
                    let replaced = tls.replace(read_identity(files)?);
                    replaced
                        .map_err(|error| UnusableFile::Identity(files.certificate.clone(), error))
                }
                (Some(_), None) | (None, Some(_) | None) => Ok(()),
            }
        });
        renew(trusted, &trust_files(&self.transport), || trust(&self.transport, &self.authorities));
    }
}

/// Acts where the files are others than they were. Where that fails, it is tried again the next time.
fn renew(read: &mut Vec<Stamp>, files: &[&Path], act: impl FnOnce() -> Result<(), UnusableFile>) {
    let now = stamps(files);
    if now == *read {
        return;
    }
    match act() {
        Ok(()) => {
            *read = now;
            tracing::info!(?files, "files of certificates have changed, and were read again");
        }
        Err(error) => {
            let error = &error as &dyn std::error::Error;
            tracing::error!(
                error,
                "files of certificates have changed, and those from before are kept"
            );
        }
    }
}

fn identity_files(transport: &Transport) -> Vec<&Path> {
    let files = transport.identity.iter();
    files.flat_map(|files| [files.certificate.as_path(), files.key.as_path()]).collect()
}

fn trust_files(transport: &Transport) -> Vec<&Path> {
    [&transport.authorities, &transport.revoked]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect()
}

fn stamps(files: &[&Path]) -> Vec<Stamp> {
    let stamp = |file: &&Path| {
        let about = fs::metadata(file).ok()?;
        Some((about.modified().ok()?, about.len()))
    };
    files.iter().map(stamp).collect()
}

/// The cryptography of TLS, as everywhere in this process.
fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn identified(files: &IdentityFiles, transport: &Transport) -> Result<Tls, UnusableFile> {
    let ask = if transport.asks_clients() { AskClients::ForCertificate } else { AskClients::Never };
    Tls::new(read_identity(files)?, ask, provider())
        .map_err(|error| UnusableFile::Identity(files.certificate.clone(), error))
}

fn read_identity(files: &IdentityFiles) -> Result<TlsIdentity, UnusableFile> {
    let chain = all::<CertificateDer<'static>>(&files.certificate, "certificate")?;
    let key = secrecy::zeroize::Zeroizing::new(contents(&files.key)?);
    let key = PrivateKeyDer::from_pem_slice(&key)
        .map_err(|error| UnusableFile::Content(files.key.clone(), "private key", error))?;
    Ok(TlsIdentity { chain, key })
}

fn trust(transport: &Transport, authorities: &Authorities) -> Result<(), UnusableFile> {
    let Some(file) = &transport.authorities else { return Ok(()) };
    let trusted = all::<CertificateDer<'static>>(file, "certificate")?;
    let revoked = match &transport.revoked {
        Some(file) => {
            all::<CertificateRevocationListDer<'static>>(file, "list of revoked certificates")?
        }
        None => Vec::new(),
    };
    authorities
        .trust(trusted, revoked, provider())
        .map_err(|error| UnusableFile::Authorities(file.clone(), error))
}

/// All of one kind in a file: at least one.
fn all<T: PemObject>(file: &Path, kind: &'static str) -> Result<Vec<T>, UnusableFile> {
    let content = |error| UnusableFile::Content(file.to_owned(), kind, error);
    let found: Vec<T> =
        T::pem_slice_iter(&contents(file)?).collect::<Result<_, _>>().map_err(content)?;
    if found.is_empty() { Err(content(pem::Error::NoItemsFound)) } else { Ok(found) }
}

fn contents(file: &Path) -> Result<Vec<u8>, UnusableFile> {
    fs::read(file).map_err(|error| UnusableFile::Unreadable(file.to_owned(), error))
}

#[cfg(test)]
mod tests;
