//! Credentials, in every state.

use credentials::{
    Credential, CredentialChange, CredentialRotation, LiveCount, NewCredential, Overlap,
    PepperVersion, SecretHash,
};
use kernel::{AgentId, OrganizationId, Timestamp};
use registry::Agent;

use super::Machine;

fn hash(machine: &Machine) -> SecretHash {
    SecretHash::from_parts(PepperVersion::new(3).unwrap(), machine.bytes())
}

/// What is given to make a credential, with neither name nor end.
#[must_use]
pub fn new_credential(
    machine: &Machine,
    organization: OrganizationId,
    agent: AgentId,
) -> NewCredential {
    NewCredential {
        id: machine.credential_id(),
        agent,
        organization,
        name: None,
        expires_at: None,
        hash: hash(machine),
    }
}

/// A credential of this agent that is about to be made.
#[must_use]
pub fn credential(
    machine: &Machine,
    agent: &Agent,
    expires_at: Option<Timestamp>,
) -> CredentialChange {
    let new = new_credential(machine, agent.record().organization, agent.id());
    let new = NewCredential { expires_at, ..new };
    Credential::generate(new, LiveCount(0), machine.now()).unwrap()
}

/// A credential that works for an hour. Beside one that never ends, the store itself takes no key.
#[must_use]
pub fn passing_credential(machine: &Machine, agent: &Agent) -> CredentialChange {
    credential(machine, agent, Some(super::later(machine.now(), 3_600)))
}

/// The changes of a credential's whole life: made with a name and an end, rotated, and the old one
/// revoked.
#[must_use]
pub fn every_credential(
    machine: &Machine,
    agent: &Agent,
) -> (CredentialChange, CredentialRotation, CredentialChange) {
    let new = new_credential(machine, agent.record().organization, agent.id());
    let end = Some(super::later(machine.now(), 3_600));
    let new = NewCredential { name: Some("é 'name'".parse().unwrap()), expires_at: end, ..new };
    let made = Credential::generate(new, LiveCount(0), machine.now()).unwrap();
    let successor = (machine.credential_id(), hash(machine));
    let overlap = Overlap::from_seconds(60).unwrap();
    let old = made.after().clone();
    let rotated = old.rotate(successor, overlap, LiveCount(1), machine.now()).unwrap();
    let revoked = rotated.old().clone().revoke(machine.now()).unwrap();
    (made, rotated, revoked)
}
