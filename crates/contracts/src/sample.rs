//! What the cases are made of: time and randomness that are the same in each run, and one of
//! everything that can be stored.

mod agents;
mod client_keys;
mod credentials;
mod logs;
mod machine;
mod tokens;

pub use agents::{
    agent_named, archived, changed, every_agent, moved, new_agent, patch, registered, resources,
    with_roles,
};
pub use client_keys::{client_key, every_client_key, new_client_key};
pub use credentials::{credential, every_credential, new_credential, passing_credential};
pub use logs::{KnownKey, Sequencer, checkpoint_key, cut, log_origin, next_extension};
pub use machine::{Heard, Machine, Seeded, Ticking, later};
pub use tokens::{damaged_key_ended, ended_keys, every_key, key, key_of, revoked, verified_token};

use audit::{Action, Event, Resource, ResourceKind};
use kernel::{AgentId, Limit, OrganizationId, PageRequest, RequestId, Start};
use tenancy::{Actor, Kind, Organization, OrganizationChange, Origin, Plan, Scope, UserAgent};

/// The actions that no change of a record leaves: they are noted.
pub const NOTED: [Action; 6] = [
    Action::TokenIssued,
    Action::TokenRefused,
    Action::TokenIntrospected,
    Action::AuthFailed,
    Action::AccessDenied,
    Action::PepperAdopted,
];

/// A request by an agent, with everything that an origin can say.
#[must_use]
pub fn scope(organization: OrganizationId, agent: AgentId) -> Scope {
    let origin = Origin {
        request: RequestId::parse("request-1").unwrap(),
        address: Some("2001:db8::7".parse().unwrap()),
        user_agent: UserAgent::new("curl/8.0 (é; \"quoted\"; 100%)"),
    };
    Scope::new(organization, Actor::Agent(agent), origin)
}

/// An organization that is about to be founded.
#[must_use]
pub fn founded(machine: &Machine, slug: &str, kind: Kind, plan: Plan) -> OrganizationChange {
    let names = (format!("The {slug} company").parse().unwrap(), slug.parse().unwrap());
    Organization::found(machine.organization_id(), names, (kind, plan), machine.now())
}

/// An event with everything that one can say, though no use of a credential.
#[must_use]
pub fn whole_event(action: Action) -> Event {
    Event::failure(action)
        .on(Resource { kind: ResourceKind::Route, id: "POST /api/v1/agents/{agentId}".to_owned() })
        .with("text", "quotes ' \" and \\ and é and \u{0} and ;--")
        .with("number", -15)
        .with("nested", serde_json::json!({ "list": [1, null, true, "x"], "empty": {} }))
}

/// A page by its number, counted from 1.
#[must_use]
pub fn numbered<Id>(page: u32, limit: u32) -> PageRequest<Id> {
    let start = Start::Page(page.try_into().unwrap());
    PageRequest { start, limit: Limit::new(limit).unwrap() }
}

/// The page after this row.
#[must_use]
pub fn after<Id>(id: Id, limit: u32) -> PageRequest<Id> {
    PageRequest { start: Start::After(id), limit: Limit::new(limit).unwrap() }
}
