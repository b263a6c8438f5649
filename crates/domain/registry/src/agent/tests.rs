//! The agent's rules, each by itself and against a naive model.

use audit::Audited;
use proptest::prelude::*;

use super::*;
use crate::fields::Capability;

fn at(micros: i64) -> Timestamp {
    Timestamp::from_unix_micros(micros).unwrap()
}

fn registered(roles: &[Role]) -> Agent {
    let new = NewAgent {
        email: "bot@example.com".parse().unwrap(),
        agent_type: AgentType::Custom,
        version: "1.0.0".parse().unwrap(),
        capabilities: Capabilities::new(["resume:read".parse().unwrap()]).unwrap(),
        owner: "hiring".parse().unwrap(),
        deployment_env: DeploymentEnv::Development,
        roles: roles.iter().copied().collect(),
        is_public: false,
        metadata: Metadata::default(),
        resources: Resources::default(),
        dpop_bound_access_tokens: false,
    };
    let id = "018bcfe5-687b-7001-8203-040506070809".parse().unwrap();
    let organization = "018bcfe5-687b-7001-8203-04050607080a".parse().unwrap();
    Agent::register(id, organization, new, None, at(1)).into_after()
}

fn status(to: StatusRequest) -> AgentPatch {
    AgentPatch { status: Some(to), ..AgentPatch::default() }
}

fn changed(update: Result<Update, UpdateError>) -> AgentChange {
    match update.unwrap() {
        Update::Changed(change) => change,
        Update::Unchanged(agent) => panic!("unchanged: {agent:?}"),
    }
}

#[test]
fn an_agent_may_ask_for_its_capabilities_and_its_roles_scopes_and_nothing_else() {
    assert_eq!(registered(&[]).grantable().to_string(), "resume:read");
    let auditor = registered(&[Role::Auditor]).grantable();
    assert_eq!(auditor.to_string(), "agents:read audit:read resume:read");
}

#[test]
fn a_capability_from_before_its_namespace_was_reserved_grants_nothing() {
    let mut record = registered(&[]).record().clone();
    let old = ["agents:write", "resume:read"].map(|text| Capability::from_stored(text).unwrap());
    record.capabilities = Capabilities::new(old).unwrap();
    assert_eq!(Agent::from_record(record).grantable().to_string(), "resume:read");
}

#[test]
fn tokens_from_before_a_suspension_stay_dead_when_the_agent_comes_back() {
    let suspended =
        changed(registered(&[]).update(status(StatusRequest::Suspended), OtherAdmins::None, at(5)))
            .into_after();
    assert_eq!(suspended.standing(), Standing::Ended);
    let back = changed(suspended.update(status(StatusRequest::Active), OtherAdmins::None, at(9)));
    let not_before = Some(broken(Some(broken(None, at(5))), at(9)));
    assert_eq!(back.after().standing(), Standing::Good { not_before });
}

#[test]
fn a_patch_that_changes_nothing_leaves_no_change() {
    let patch = AgentPatch {
        version: Some("v1.0.0".parse().unwrap()),
        status: Some(StatusRequest::Active),
        ..AgentPatch::default()
    };
    let update = registered(&[]).update(patch, OtherAdmins::None, at(2));
    assert!(matches!(update, Ok(Update::Unchanged(_))));
}

#[test]
fn an_update_leaves_one_event_that_names_what_changed() {
    let patch = AgentPatch {
        version: Some("2.0.0".parse().unwrap()),
        status: Some(StatusRequest::Suspended),
        ..AgentPatch::default()
    };
    let change = changed(registered(&[]).update(patch, OtherAdmins::None, at(2)));
    let event = change.event();
    assert_eq!(event.action().name(), "agent.suspended");
    assert_eq!(event.metadata()["changed"], serde_json::json!(["version"]));
    assert_eq!(change.expected(), Some(Revision::FIRST));
    assert_eq!(change.after().record().revision, Revision::FIRST.next());
}

#[test]
fn the_last_active_admin_stays() {
    let demote = AgentPatch { roles: Some(Roles::default()), ..AgentPatch::default() };
    for patch in [demote, status(StatusRequest::Suspended), status(StatusRequest::Revoked)] {
        let admin = registered(&[Role::Admin]);
        let refused = admin.clone().update(patch.clone(), OtherAdmins::None, at(2));
        assert!(matches!(refused, Err(UpdateError::LastAdmin(_))));
        assert!(admin.update(patch, OtherAdmins::Some, at(2)).is_ok());
    }
    let admin = registered(&[Role::Admin]);
    let refused = admin.clone().decommission(OtherAdmins::None, at(2));
    assert!(matches!(refused, Err(DecommissionError::LastAdmin(_))));
    assert!(admin.decommission(OtherAdmins::Some, at(2)).is_ok());
}

#[test]
fn a_decommissioned_agent_is_never_changed_again_but_for_its_archive() {
    let gone = registered(&[]).decommission(OtherAdmins::None, at(2)).unwrap().into_after();
    let refused = gone.clone().update(AgentPatch::default(), OtherAdmins::None, at(3));
    assert_eq!(refused.err(), Some(UpdateError::Decommissioned));
    let again = gone.clone().decommission(OtherAdmins::None, at(3));
    assert_eq!(again.err(), Some(DecommissionError::Already));
    let archived = gone.archive(at(4)).unwrap().into_after();
    assert_eq!(archived.status().ended_at(), Some(at(2)));
    assert!(archived.archive(at(5)).is_none());
}

/// One step of the life cycle as the model sees it.
#[derive(Debug, Clone, Copy)]
enum Step {
    Activate,
    Suspend,
    Revoke,
    Decommission,
}

/// The life cycle as a person would draw it: a table of names.
fn model(from: &'static str, step: Step) -> Option<&'static str> {
    match (from, step) {
        ("active" | "suspended", Step::Activate) => Some("active"),
        ("active" | "suspended", Step::Suspend) => Some("suspended"),
        ("active" | "suspended" | "revoked", Step::Revoke) => Some("revoked"),
        ("active" | "suspended" | "revoked", Step::Decommission) => Some("decommissioned"),
        _ => None,
    }
}

fn take(agent: &Agent, step: Step, now: Timestamp) -> Option<Agent> {
    let agent = agent.clone();
    let request = match step {
        Step::Activate => StatusRequest::Active,
        Step::Suspend => StatusRequest::Suspended,
        Step::Revoke => StatusRequest::Revoked,
        Step::Decommission => {
            return agent.decommission(OtherAdmins::Some, now).ok().map(AgentChange::into_after);
        }
    };
    match agent.update(status(request), OtherAdmins::Some, now).ok()? {
        Update::Changed(change) => Some(change.into_after()),
        Update::Unchanged(agent) => Some(agent),
    }
}

proptest! {
    #[test]
    fn any_walk_through_the_life_cycle_agrees_with_the_table(
        steps in proptest::collection::vec(
            (-3_i64..10, prop_oneof![
                Just(Step::Activate),
                Just(Step::Suspend),
                Just(Step::Revoke),
                Just(Step::Decommission),
            ]),
            0..12,
        ),
    ) {
        let mut agent = registered(&[]);
        let mut expected = "active";
        let mut watermark = None;
        let mut clock = 100;
        for (passed, step) in steps {
            // The clock may be set back between two steps.
            clock += passed;
            let now = at(clock);
            let before = expected;
            let result = take(&agent, step, now);
            prop_assert_eq!(result.is_some(), model(expected, step).is_some());
            expected = model(expected, step).unwrap_or(expected);
            if (before == "active") != (expected == "active") {
                watermark = Some(broken(watermark, now));
            }
            agent = result.unwrap_or(agent);
            prop_assert_eq!(agent.status().name().as_str(), expected);
            prop_assert_eq!(agent.record().tokens_not_before, watermark);
        }
    }
}
