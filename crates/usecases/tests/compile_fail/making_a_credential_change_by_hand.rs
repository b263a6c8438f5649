// Only the credential itself makes its changes.
use credentials::{Credential, CredentialRotation};
use kernel::Revision;

fn forge(old: Credential, successor: Credential) -> CredentialRotation {
    CredentialRotation { expected: Revision::FIRST, old, successor }
}

fn main() {}
