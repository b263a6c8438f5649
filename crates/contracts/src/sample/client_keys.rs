//! Keys of clients, of every kind.

use credentials::{
    CertificateSubject, CertificateThumbprint, ClientKeyChange, KeyMaterial, NewClientKey,
    SubjectKind, Ways,
};
use jose::{Jwk, Padding};
use kernel::{AgentId, OrganizationId};
use registry::Agent;

use super::Machine;

/// What is given to register a public key, with neither name nor end nor an id of the client's.
#[must_use]
pub fn new_client_key(
    machine: &Machine,
    organization: OrganizationId,
    agent: AgentId,
) -> NewClientKey {
    NewClientKey {
        id: machine.credential_id(),
        organization,
        agent,
        kid: None,
        material: KeyMaterial::Jwk(Jwk::P256 { x: machine.bytes(), y: machine.bytes() }),
        name: None,
        expires_at: None,
    }
}

/// A key of this agent that is about to be registered, as if it were the first.
#[must_use]
pub fn client_key(machine: &Machine, agent: &Agent) -> ClientKeyChange {
    let new = new_client_key(machine, agent.record().organization, agent.id());
    first(new, machine)
}

fn first(new: NewClientKey, machine: &Machine) -> ClientKeyChange {
    Ways::new(Vec::new(), Vec::new()).add(new, machine.now()).unwrap().added
}

/// A key of every kind, one of them with all that it may have.
#[must_use]
pub fn every_client_key(machine: &Machine, agent: &Agent) -> Vec<ClientKeyChange> {
    let modulus = || {
        let mut modulus = machine.bytes::<256>();
        let [first, .., last] = &mut modulus;
        (*first, *last) = (*first | 0x80, *last | 1);
        modulus.to_vec()
    };
    let subject = |kind| {
        let text = "CN=é, O='An example' \"\\\"".parse().unwrap();
        KeyMaterial::Subject(CertificateSubject { kind, text })
    };
    let keys = [
        Jwk::P256 { x: machine.bytes(), y: machine.bytes() },
        Jwk::Ed25519 { x: machine.bytes() },
        Jwk::Rsa { modulus: modulus(), padding: Padding::Pkcs1 },
        Jwk::Rsa { modulus: modulus(), padding: Padding::Pss },
    ];
    let certificate = CertificateThumbprint::from_bytes(machine.bytes());
    let materials = keys
        .map(KeyMaterial::Jwk)
        .into_iter()
        .chain([KeyMaterial::Certificate(certificate)])
        .chain(SubjectKind::ALL.map(subject));
    let new = || new_client_key(machine, agent.record().organization, agent.id());
    let mut all: Vec<_> =
        materials.map(|material| first(NewClientKey { material, ..new() }, machine)).collect();
    all.push(first(
        NewClientKey {
            kid: Some("urn:example:~key=1+2".parse().unwrap()),
            name: Some("é 'name'".parse().unwrap()),
            expires_at: Some(super::later(machine.now(), 3_600)),
            ..new()
        },
        machine,
    ));
    all
}
