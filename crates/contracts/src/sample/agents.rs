//! Agents with every field exercised, in every state.

use kernel::{OrganizationId, Timestamp};
use registry::{
    Agent, AgentChange, AgentPatch, Capabilities, Metadata, NewAgent, OtherAdmins, Resources, Role,
    Roles, StatusRequest, Update,
};
use serde_json::json;

use super::Machine;

/// What is given to register an agent with this address.
#[must_use]
pub fn new_agent(email: &str) -> NewAgent {
    NewAgent {
        email: email.parse().unwrap(),
        agent_type: "classifier".parse().unwrap(),
        version: "1.4.2-rc.1+build".parse().unwrap(),
        capabilities: capabilities(&["resume:read", "tool-1_x:*"]),
        owner: "Team é 100%_of 'it'; --".parse().unwrap(),
        deployment_env: "staging".parse().unwrap(),
        roles: Roles::default(),
        is_public: true,
        metadata: metadata(&json!({ "a": { "b": [1, -1.5, null, "x'\"\u{0}é"] }, "z": false })),
        resources: resources(&["urn:it's:\"quoted\"", "https://api.example.com/v1?a=%C3%A9"]),
        dpop_bound_access_tokens: true,
    }
}

/// A set of capabilities.
fn capabilities(all: &[&str]) -> Capabilities {
    Capabilities::new(all.iter().map(|one| one.parse().unwrap())).unwrap()
}

/// A set of resources.
#[must_use]
pub fn resources(all: &[&str]) -> Resources {
    Resources::new(all.iter().map(|one| one.parse().unwrap())).unwrap()
}

fn metadata(value: &serde_json::Value) -> Metadata {
    Metadata::new(value.as_object().unwrap().clone()).unwrap()
}

/// A registration.
#[must_use]
pub fn registered(machine: &Machine, organization: OrganizationId, new: NewAgent) -> AgentChange {
    Agent::register(machine.agent_id(), organization, new, None, machine.now())
}

/// The same one that goes by another name.
#[must_use]
pub fn agent_named(machine: &Machine, organization: OrganizationId, name: &str) -> AgentChange {
    registered(machine, organization, new_agent(&format!("{name}@example.com")))
}

/// The same request with these roles.
#[must_use]
pub fn with_roles(new: NewAgent, roles: &[Role]) -> NewAgent {
    NewAgent { roles: roles.iter().copied().collect(), ..new }
}

/// A patch that changes every field that can be changed, the status apart.
#[must_use]
pub fn patch() -> AgentPatch {
    AgentPatch {
        agent_type: Some("router".parse().unwrap()),
        version: Some("2.0.0".parse().unwrap()),
        capabilities: Some(capabilities(&["mail:send"])),
        owner: Some("another owner".parse().unwrap()),
        deployment_env: Some("production".parse().unwrap()),
        status: None,
        roles: Some(Role::ALL.into_iter().collect()),
        is_public: Some(false),
        metadata: Some(Metadata::default()),
        resources: Some(resources(&["https://other.example.com"])),
        dpop_bound_access_tokens: Some(false),
    }
}

/// The change that brings an agent into another status.
#[must_use]
pub fn moved(agent: Agent, to: StatusRequest, now: Timestamp) -> AgentChange {
    let patch = AgentPatch { status: Some(to), ..AgentPatch::default() };
    changed(agent, patch, now)
}

/// The change that a patch makes.
#[must_use]
pub fn changed(agent: Agent, patch: AgentPatch, now: Timestamp) -> AgentChange {
    match agent.update(patch, OtherAdmins::Some, now).unwrap() {
        Update::Changed(change) => change,
        Update::Unchanged(_) => panic!("the patch changes nothing"),
    }
}

/// The two changes that end an agent and take it out of lists.
#[must_use]
pub fn archived(agent: Agent, machine: &Machine) -> [AgentChange; 2] {
    let gone = agent.decommission(OtherAdmins::Some, machine.now()).unwrap();
    let archived = gone.after().clone().archive(machine.now()).unwrap();
    [gone, archived]
}

/// The changes of one agent's whole life: every state and every cause, each once, in order.
#[must_use]
pub fn every_agent(machine: &Machine, organization: OrganizationId) -> Vec<AgentChange> {
    let registered = agent_named(machine, organization, "Whole.Life");
    let updated = changed(registered.after().clone(), patch(), machine.now());
    let suspended = moved(updated.after().clone(), StatusRequest::Suspended, machine.now());
    let active = moved(suspended.after().clone(), StatusRequest::Active, machine.now());
    let revoked = moved(active.after().clone(), StatusRequest::Revoked, machine.now());
    let [gone, archived] = archived(revoked.after().clone(), machine);
    vec![registered, updated, suspended, active, revoked, gone, archived]
}
