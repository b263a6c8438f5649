//! Files as operators and their tools leave them.

use servers::certificates::{Authority, Held, Wanted};
use tempfile::TempDir;

use super::*;

/// A folder with the files of a server.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, text: &str) -> PathBuf {
        let file = self.0.path().join(name);
        fs::write(&file, text).unwrap();
        file
    }

    fn hold(&self, held: &Held) -> IdentityFiles {
        let certificate = self.put("tls.pem", &held.certificate);
        IdentityFiles { certificate, key: self.put("tls.key", &held.key) }
    }
}

fn transport(identity: Option<IdentityFiles>, authorities: Option<PathBuf>) -> Transport {
    Transport {
        identity,
        authorities,
        asks_always: false,
        revoked: None,
        proxies: Vec::new(),
        forwarded: false,
        mtls_url: None,
    }
}

fn why(transport: &Transport) -> String {
    Certificates::load(transport).unwrap_err().to_string()
}

#[test]
fn what_is_there_is_advertised_and_nothing_else() {
    let folder = Folder::new();
    let mut authority = Authority::new("CA").unwrap();
    let held = authority.certify(&Wanted::of_this_machine()).unwrap();
    let ca = folder.put("ca.pem", &authority.pem());
    let methods = |transport: &Transport| {
        let supported = Certificates::load(transport).unwrap().supported();
        supported.map(|tls| tls.client_methods).unwrap_or_default()
    };
    assert!(methods(&transport(None, None)).is_empty());
    assert!(methods(&transport(Some(folder.hold(&held)), None)).is_empty());
    let by_both = ["tls_client_auth", "self_signed_tls_client_auth"];
    assert_eq!(methods(&transport(Some(folder.hold(&held)), Some(ca))), by_both);
    let asking = Transport { asks_always: true, ..transport(Some(folder.hold(&held)), None) };
    assert_eq!(methods(&asking), ["self_signed_tls_client_auth"]);
    let forwarded = Transport { forwarded: true, ..transport(None, None) };
    assert_eq!(methods(&forwarded), ["self_signed_tls_client_auth"]);
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = Folder::new();
    let mut authority = Authority::new("CA").unwrap();
    let held = authority.certify(&Wanted::of_this_machine()).unwrap();
    let other = authority.certify(&Wanted::of_this_machine()).unwrap();
    let good = folder.hold(&held);
    let with = |certificate: &Path, key: &Path| {
        let files = IdentityFiles { certificate: certificate.into(), key: key.into() };
        why(&transport(Some(files), None))
    };
    let nowhere = folder.0.path().join("nowhere");
    assert!(with(&nowhere, &good.key).ends_with("nowhere` cannot be read"));
    assert!(with(&good.key, &good.key).ends_with("tls.key` has no certificate in PEM"));
    assert!(with(&good.certificate, &good.certificate).ends_with("has no private key in PEM"));
    let mixed = folder.put("other.key", &other.key);
    assert!(with(&good.certificate, &mixed).ends_with("cannot be used with its key"));
    let empty = folder.put("empty.pem", "");
    assert!(why(&transport(None, Some(empty))).ends_with("has no certificate in PEM"));
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let broken = folder.put("broken.pem", broken);
    assert!(why(&transport(None, Some(broken))).ends_with("cannot be used"));
    let ca = folder.put("ca.pem", &authority.pem());
    let revoked = Some(ca.clone());
    let lists = Transport { revoked, ..transport(None, Some(ca)) };
    assert!(why(&lists).ends_with("has no list of revoked certificates in PEM"));
}

#[test]
fn what_changes_is_read_again_and_what_cannot_be_used_is_not_taken() {
    let folder = Folder::new();
    let mut authority = Authority::new("CA").unwrap();
    let held = authority.certify(&Wanted::of_this_machine()).unwrap();
    let next = authority.certify(&Wanted::of_this_machine()).unwrap();
    let ca = folder.put("ca.pem", &authority.pem());
    let certificates = Certificates::load(&transport(Some(folder.hold(&held)), Some(ca))).unwrap();
    let read = || certificates.read.lock().unwrap().clone();
    let before = read();
    certificates.renew();
    assert_eq!(read(), before);

    // Half of a change: the key is that of the certificate from before.
    folder.put("tls.pem", &format!("{}\n", next.certificate));
    certificates.renew();
    assert_eq!(read(), before);
    folder.put("tls.key", &next.key);
    certificates.renew();
    let after = read();
    assert_ne!(after[0], before[0]);
    assert_eq!(after[1], before[1]);

    folder.put("ca.pem", "nothing");
    certificates.renew();
    assert_eq!(read(), after);
    folder.put("ca.pem", &[authority.pem(), Authority::new("CB").unwrap().pem()].concat());
    certificates.renew();
    assert_ne!(read()[1], after[1]);
}
