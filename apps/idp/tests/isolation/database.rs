//! What an administrator finds in the database afterwards, past row-level security.

use std::sync::atomic::Ordering;

use crate::{installation::Installation, world::World};

/// Rows of one organization that name what is another's. Each counts what must not be.
const MIXED: &[(&str, &str)] = &[
    (
        "events by another's agent",
        "SELECT count(*) FROM audit_event e JOIN agent a ON a.id = e.agent_id
         WHERE a.organization_id <> e.organization_id",
    ),
    (
        "events by no agent that there is",
        "SELECT count(*) FROM audit_event e WHERE e.agent_id IS NOT NULL
         AND NOT EXISTS (SELECT 1 FROM agent a WHERE a.id = e.agent_id)",
    ),
    (
        "events about another's agent",
        "SELECT count(*) FROM audit_event e JOIN agent a ON a.id::text = e.resource_id
         WHERE a.organization_id <> e.organization_id",
    ),
    (
        "events about another's credential",
        "SELECT count(*) FROM audit_event e JOIN credential c ON c.id::text = e.resource_id
         WHERE c.organization_id <> e.organization_id",
    ),
    (
        "events about another organization",
        "SELECT count(*) FROM audit_event e JOIN organization o ON o.id::text = e.resource_id
         WHERE o.id <> e.organization_id",
    ),
    (
        "uses of another's credential",
        "SELECT count(*) FROM audit_event e JOIN credential c ON c.id = e.used_credential_id
         WHERE c.organization_id <> e.organization_id",
    ),
    (
        "events about a token of another",
        "SELECT count(*) FROM audit_event one JOIN audit_event other USING (resource_id)
         WHERE one.resource_kind = 'token' AND other.resource_kind = 'token'
         AND one.action = 'token.issued' AND one.organization_id <> other.organization_id",
    ),
    (
        "revocations without their event in the same log",
        "SELECT count(*) FROM revoked_token r WHERE NOT EXISTS (
            SELECT 1 FROM audit_event e WHERE e.organization_id = r.organization_id
            AND e.resource_id = r.token_id::text AND e.action = 'token.issued')",
    ),
    (
        "credentials of another's agent",
        "SELECT count(*) FROM credential c JOIN agent a ON a.id = c.agent_id
         WHERE a.organization_id <> c.organization_id",
    ),
    (
        "keys of another's agent",
        "SELECT count(*) FROM client_key k JOIN agent a ON a.id = k.agent_id
         WHERE a.organization_id <> k.organization_id",
    ),
    (
        "events about another's key",
        "SELECT count(*) FROM audit_event e JOIN client_key k ON k.id::text = e.resource_id
         WHERE k.organization_id <> e.organization_id",
    ),
    (
        "idempotency keys that lead to another's agent",
        "SELECT count(*) FROM idempotency_key k JOIN agent a ON a.id IN (k.agent_id, k.caller_id)
         WHERE a.organization_id <> k.organization_id",
    ),
    (
        "capabilities of another's agent",
        "SELECT count(*) FROM agent_capability c JOIN agent a ON a.id = c.agent_id
         WHERE a.organization_id <> c.organization_id",
    ),
    (
        "clients of another organization than their agent",
        "SELECT count(*) FROM client c JOIN agent a ON a.id = c.agent_id
         WHERE a.organization_id <> c.organization_id",
    ),
];

/// How many events each organization has now.
pub(crate) fn events(installation: &Installation, world: &World) -> Vec<u64> {
    let count = |id: &str| {
        let table = "SELECT count(*) FROM audit_event WHERE organization_id = ";
        installation.sql(&format!("{table}'{id}'")).parse().unwrap()
    };
    world.tenants.iter().map(|tenant| count(&tenant.id)).collect()
}

/// Nothing of one organization lies with another, and each has what was left in it, no more.
pub(crate) fn check(installation: &Installation, world: &World) {
    for (what, count) in MIXED {
        assert_eq!(installation.sql(count), "0", "{what}");
    }
    let expected = |tenant: &crate::world::Tenant| tenant.events.load(Ordering::SeqCst);
    let expected: Vec<_> = world.tenants.iter().map(expected).collect();
    assert_eq!(events(installation, world), expected, "events of each organization");
    for tenant in &world.tenants {
        let own = format!("organization_id = '{}'", tenant.id);
        let agents = installation.sql(&format!("SELECT count(*) FROM agent WHERE {own}"));
        assert_eq!(agents, tenant.registered.load(Ordering::SeqCst).to_string());
        for table in ["agent", "credential", "client_key", "agent_capability", "audit_event"] {
            // Of what was asked for in vain, only an id is kept.
            let others = world.tenants.iter().filter(|other| other.id != tenant.id);
            for other in others {
                let text = format!("SELECT count(*) FROM {table} AS one WHERE {own}");
                let marked = format!("{text} AND one::text LIKE '%{}%'", other.marker);
                assert_eq!(installation.sql(&marked), "0", "{marked}");
            }
        }
    }
}
