//! The list of agents: its order, its pages and its filters.

use kernel::{AgentId, Total};
use registry::{Agent, AgentFilter, Agents, NewAgent, StatusName, StatusRequest};
use tenancy::Scope;

use crate::{Harness, World, sample};

async fn registered<H: Harness>(world: &World<H>, scope: &Scope, new: NewAgent) -> Agent {
    world.change(scope, sample::registered(&world.machine, scope.organization(), new)).await
}

/// All that match, newest first, with their total checked.
async fn list<H: Harness>(world: &World<H>, scope: &Scope, filter: &AgentFilter) -> Vec<AgentId> {
    let page = world.view(scope).await.agents(filter, sample::numbered(1, 100)).await.unwrap();
    assert_eq!(page.total, Total::Exactly(page.rows.len().try_into().unwrap()));
    assert_eq!(page.next, None);
    page.rows.iter().map(Agent::id).collect()
}

pub async fn pages_by_number_and_by_cursor_agree_and_run_newest_first<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let capability = "shared:use";
    let mut expected = Vec::new();
    for number in 0..7 {
        let new = sample::new_agent(&format!("agent{number}@example.com"));
        let held = [capability, "a:b"].map(|one| one.parse().unwrap());
        let capabilities = registry::Capabilities::new(held).unwrap();
        expected.insert(0, registered(&world, &scope, NewAgent { capabilities, ..new }).await);
    }
    let with_capability =
        AgentFilter { capability: Some(capability.parse().unwrap()), ..AgentFilter::default() };
    for filter in [AgentFilter::default(), with_capability] {
        let mut view = world.view(&scope).await;
        let (mut by_number, mut by_cursor, mut next) = (Vec::new(), Vec::new(), None);
        for number in 1..=3 {
            let numbered = view.agents(&filter, sample::numbered(number, 3)).await.unwrap();
            let page = next.map_or(sample::numbered(1, 3), |id| sample::after(id, 3));
            let after = view.agents(&filter, page).await.unwrap();
            assert_eq!(numbered, after);
            assert_eq!(numbered.total, Total::Exactly(7));
            next = after.next;
            assert_eq!(next.is_some(), number < 3);
            by_number.extend(numbered.rows);
            by_cursor.extend(after.rows);
        }
        assert_eq!(by_number, expected);
        assert_eq!(by_cursor, expected);
        let past = view.agents(&filter, sample::numbered(4, 3)).await.unwrap();
        assert_eq!((past.rows, past.total, past.next), (Vec::new(), Total::Exactly(7), None));
    }
}

pub async fn each_filter_matches_alone_and_all_match_together<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let plain = registered(&world, &scope, sample::new_agent("plain@example.com")).await;
    let other = registered(&world, &scope, sample::new_agent("other@example.com")).await;
    let changed = sample::changed(other, sample::patch(), world.machine.now());
    let other = world.change(&scope, changed).await;
    let moved = sample::moved(other, StatusRequest::Suspended, world.machine.now());
    let other = world.change(&scope, moved).await;
    let record = other.record();
    let all = AgentFilter {
        owner: Some(record.owner.clone()),
        agent_type: Some(record.agent_type),
        status: Some(StatusName::Suspended),
        deployment_env: Some(record.deployment_env),
        capability: record.capabilities.iter().next().cloned(),
    };
    let none = AgentFilter::default;
    let each = [
        AgentFilter { owner: all.owner.clone(), ..none() },
        AgentFilter { agent_type: all.agent_type, ..none() },
        AgentFilter { status: all.status, ..none() },
        AgentFilter { deployment_env: all.deployment_env, ..none() },
        AgentFilter { capability: all.capability.clone(), ..none() },
    ];
    for filter in each.iter().chain([&all]) {
        assert_eq!(list(&world, &scope, filter).await, [other.id()], "{filter:?}");
    }
    assert_eq!(list(&world, &scope, &none()).await, [other.id(), plain.id()]);
    let mismatch = AgentFilter { owner: Some(plain.record().owner.clone()), ..all };
    assert!(list(&world, &scope, &mismatch).await.is_empty());
}

/// The filter must follow the record: what an update took away is not found any more.
pub async fn a_capability_is_found_as_long_as_it_is_held<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = registered(&world, &scope, sample::new_agent("one@example.com")).await;
    let with = |capability: &str| AgentFilter {
        capability: Some(capability.parse().unwrap()),
        ..AgentFilter::default()
    };
    assert_eq!(list(&world, &scope, &with("resume:read")).await, [agent.id()]);
    let changed = sample::changed(agent, sample::patch(), world.machine.now());
    let agent = world.change(&scope, changed).await;
    assert!(list(&world, &scope, &with("resume:read")).await.is_empty());
    assert_eq!(list(&world, &scope, &with("mail:send")).await, [agent.id()]);
}

pub async fn archived_agents_are_listed_only_when_asked_for<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let agent = registered(&world, &scope, sample::new_agent("one@example.com")).await;
    let id = agent.id();
    let capability = agent.record().capabilities.iter().next().cloned();
    let by_status = |status| AgentFilter { status: Some(status), ..AgentFilter::default() };
    let [gone, archived] = sample::archived(agent, &world.machine);
    world.change(&scope, gone).await;
    assert_eq!(list(&world, &scope, &AgentFilter::default()).await, [id]);
    assert_eq!(list(&world, &scope, &by_status(StatusName::Decommissioned)).await, [id]);
    world.change(&scope, archived).await;
    assert!(list(&world, &scope, &AgentFilter::default()).await.is_empty());
    let with_capability = AgentFilter { capability, ..AgentFilter::default() };
    assert!(list(&world, &scope, &with_capability).await.is_empty());
    assert_eq!(list(&world, &scope, &by_status(StatusName::Archived)).await, [id]);
}

pub async fn rg_07_a_filter_matches_its_text_and_no_pattern<H: Harness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let owners =
        ["team", "TEAM", "team%", "te_m", "'; DROP TABLE agent;--", "\"team\"", "té́am", "%"];
    let mut agents = Vec::new();
    for (number, owner) in owners.iter().enumerate() {
        let new = sample::new_agent(&format!("agent{number}@example.com"));
        let new = NewAgent { owner: owner.parse().unwrap(), ..new };
        agents.push(registered(&world, &scope, new).await.id());
    }
    for (owner, agent) in owners.iter().zip(agents) {
        let filter = AgentFilter { owner: Some(owner.parse().unwrap()), ..AgentFilter::default() };
        assert_eq!(list(&world, &scope, &filter).await, [agent], "{owner}");
    }
    for owner in ["tea", "' OR 1=1 --", "te%", "_eam"] {
        let filter = AgentFilter { owner: Some(owner.parse().unwrap()), ..AgentFilter::default() };
        assert!(list(&world, &scope, &filter).await.is_empty(), "{owner}");
    }
}
