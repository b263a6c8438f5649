//! What the tests of this crate are made of: events, a signer, and futures that never wait.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};

use kernel::{EventId, OrganizationId, RequestId, Timestamp};
use ring::signature::{Ed25519KeyPair, KeyPair};
use serde_json::json;
use tenancy::{Origin, UserAgent};
use uuid::Uuid;

use crate::{
    checkpoint::{CheckpointSigner, LogOrigin, SigningFailed},
    event::{Action, Outcome, Resource, ResourceKind},
    log::EventRecord,
};

/// 2026-11-21T08:00:00Z.
pub(crate) const START: i64 = 1_795_248_000_000_000;

/// The result of a future that never waits.
pub(crate) fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the future waits"),
    }
}

/// So many seconds after the start.
pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(START + seconds * 1_000_000).unwrap()
}

pub(crate) fn uuid(number: u64) -> Uuid {
    Uuid::from_u64_pair(0x0195_f3c2_7a1e_7cc0, 0x8a3f_0000_0000_0000 | number)
}

pub(crate) fn organization() -> OrganizationId {
    OrganizationId::from_uuid(uuid(1))
}

pub(crate) fn origin() -> LogOrigin {
    LogOrigin::new("https://idp.example.com", organization()).unwrap()
}

/// An event with everything that one can say.
pub(crate) fn event(number: u64, time: Timestamp) -> EventRecord {
    let metadata = json!({"number": number, "é": [true, null, "x\n"]});
    EventRecord {
        id: EventId::from_uuid(uuid(1_000 + number)),
        organization: organization(),
        agent: Some(kernel::AgentId::from_uuid(uuid(2))),
        action: Action::AccessDenied,
        outcome: Outcome::Failure,
        resource: Some(Resource { kind: ResourceKind::Route, id: "GET /api".to_owned() }),
        origin: Origin {
            request: RequestId::parse("request-1").unwrap(),
            address: Some("192.0.2.7".parse().unwrap()),
            user_agent: UserAgent::new("curl/8"),
        },
        salt: Some([7; 32]),
        used: Some(kernel::CredentialId::from_uuid(uuid(3))),
        metadata: metadata.as_object().unwrap().clone(),
        timestamp: time,
    }
}

/// An event that says as little as one can.
pub(crate) fn bare_event(number: u64, time: Timestamp) -> EventRecord {
    let whole = event(number, time);
    let origin = Origin { address: None, user_agent: None, ..whole.origin };
    let metadata = serde_json::Map::new();
    EventRecord { agent: None, resource: None, used: None, origin, metadata, ..whole }
}

/// Signs with a key that is no secret.
#[derive(Debug)]
pub(crate) struct KnownKey(Ed25519KeyPair);

impl KnownKey {
    pub(crate) fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }
}

impl CheckpointSigner for KnownKey {
    fn public_key(&self) -> [u8; 32] {
        self.0.public_key().as_ref().try_into().unwrap()
    }

    fn sign(&self, bytes: &[u8]) -> Result<[u8; 64], SigningFailed> {
        self.0.sign(bytes).as_ref().try_into().map_err(|_| SigningFailed)
    }
}
