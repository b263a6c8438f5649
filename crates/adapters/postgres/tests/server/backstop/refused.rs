//! Each trigger that needs no event to be tried, with statements that it alone refuses.

use super::sql::{event, newest, single_use, update};

/// A table, its trigger, and statements. What stands before `;;` only prepares.
pub(super) type Refused = (&'static str, &'static str, &'static [&'static str]);

pub(super) const REFUSED: &[Refused] = &[
    ("audit_event", "audit_event_is_never_deleted", &["DELETE FROM audit_event"]),
    ("audit_event", "audit_event_is_never_emptied", &["TRUNCATE audit_event"]),
    (
        "organization",
        "organization_revision_rises_by_one",
        &[
            concat!("UPDATE organization SET ", newest!("organization")),
            concat!("UPDATE organization SET revision = revision + 2, ", newest!("organization")),
        ],
    ),
    (
        "organization",
        "organization_keeps_its_identity",
        &[
            update!("organization", "id = '00000000-0000-0000-0000-0000000000aa'"),
            update!("organization", "kind = 'tenant'"),
            update!("organization", "created_at = 1"),
        ],
    ),
    ("organization", "organization_is_never_deleted", &["DELETE FROM organization"]),
    ("organization", "organization_is_never_emptied", &["TRUNCATE organization"]),
    (
        "agent",
        "agent_revision_rises_by_one",
        &[
            concat!("UPDATE agent SET ", newest!("agent")),
            concat!("UPDATE agent SET revision = 3, ", newest!("agent")),
        ],
    ),
    (
        "agent",
        "agent_keeps_its_identity",
        &[
            update!("agent", "id = '00000000-0000-0000-0000-0000000000aa'"),
            update!("agent", "organization_id = '00000000-0000-0000-0000-0000000000aa'"),
            update!("agent", "email = 'a@b.c', email_folded = 'a@b.c'"),
            update!("agent", "created_at = 1"),
        ],
    ),
    (
        "agent",
        "agent_keeps_its_life_cycle",
        &[
            update!("agent", "status = 'archived', status_since = 1, decommissioned_at = 1"),
            concat!(
                update!("agent", "status = 'revoked', status_since = 1"),
                ";;",
                event!("agent"),
                ";;",
                update!("agent", "status = 'active', status_since = NULL")
            ),
            concat!(
                update!("agent", "status = 'decommissioned', status_since = 1"),
                ";;",
                event!("agent"),
                ";;",
                update!("agent", "status = 'suspended'")
            ),
            concat!(
                update!("agent", "status = 'decommissioned', status_since = 1"),
                ";;",
                event!("agent"),
                ";;",
                update!("agent", "status = 'archived', decommissioned_at = 1"),
                ";;",
                event!("agent"),
                ";;",
                update!("agent", "status = 'decommissioned', decommissioned_at = NULL")
            ),
        ],
    ),
    ("agent", "agent_is_never_deleted", &["DELETE FROM agent"]),
    ("agent", "agent_is_never_emptied", &["TRUNCATE agent"]),
    (
        "agent_capability",
        "agent_capability_follows_its_agent",
        &[
            "INSERT INTO agent_capability SELECT organization_id, 'vault:open', id FROM agent",
            "INSERT INTO agent_capability
            SELECT organization_id, capability, gen_random_uuid() FROM agent_capability",
            "INSERT INTO agent_capability
            SELECT gen_random_uuid(), capability, agent_id FROM agent_capability",
            "DELETE FROM agent_capability",
        ],
    ),
    (
        "agent_capability",
        "agent_capability_is_never_updated",
        &["UPDATE agent_capability SET capability = 'vault:' || capability"],
    ),
    ("agent_capability", "agent_capability_is_never_emptied", &["TRUNCATE agent_capability"]),
    (
        "agent_tally",
        "agent_tally_follows_its_agents",
        &[
            "INSERT INTO agent_tally SELECT gen_random_uuid(), 0, 0",
            "UPDATE agent_tally SET listed = listed + 1",
            "DELETE FROM agent_tally",
        ],
    ),
    ("agent_tally", "agent_tally_is_never_emptied", &["TRUNCATE agent_tally"]),
    (
        "client",
        "client_is_never_updated",
        &["UPDATE client SET organization_id = gen_random_uuid()"],
    ),
    ("client", "client_is_never_deleted", &["DELETE FROM client"]),
    ("client", "client_is_never_emptied", &["TRUNCATE client"]),
    (
        "credential",
        "credential_revision_rises_by_one",
        &[concat!("UPDATE credential SET ", newest!("credential"))],
    ),
    (
        "credential",
        "credential_keeps_its_identity",
        &[
            update!("credential", "id = '00000000-0000-0000-0000-0000000000aa'"),
            update!("credential", "organization_id = '00000000-0000-0000-0000-0000000000aa'"),
            update!("credential", "agent_id = '00000000-0000-0000-0000-0000000000aa'"),
            update!("credential", "hash = sha256('x')"),
            update!("credential", "pepper_version = 9"),
            update!("credential", "created_at = 1"),
        ],
    ),
    (
        "credential",
        "credential_keeps_its_life_cycle",
        &[
            concat!(
                update!("credential", "state = 'revoked', revoked_at = 1"),
                ";;",
                event!("credential"),
                ";;",
                update!("credential", "state = 'live', revoked_at = NULL")
            ),
            concat!(
                update!("credential", "state = 'revoked', revoked_at = 1"),
                ";;",
                event!("credential"),
                ";;",
                update!("credential", "revoked_at = 2")
            ),
            concat!(
                update!("credential", "state = 'superseded', superseded_by = id, expires_at = 9"),
                ";;",
                event!("credential"),
                ";;",
                update!("credential", "state = 'live', superseded_by = NULL")
            ),
            concat!(
                update!("credential", "expires_at = 10"),
                ";;",
                event!("credential"),
                ";;",
                update!("credential", "expires_at = NULL")
            ),
            concat!(
                update!("credential", "expires_at = 10"),
                ";;",
                event!("credential"),
                ";;",
                update!("credential", "expires_at = 11")
            ),
        ],
    ),
    ("credential", "credential_is_never_deleted", &["DELETE FROM credential"]),
    ("credential", "credential_is_never_emptied", &["TRUNCATE credential"]),
    (
        "signing_key",
        "signing_key_revision_rises_by_one",
        &[concat!("UPDATE signing_key SET ", newest!("signing_key"))],
    ),
    (
        "signing_key",
        "signing_key_keeps_its_identity",
        &[
            update!("signing_key", "id = 'x'"),
            update!("signing_key", "public_key = sha256('x')"),
            update!("signing_key", "event_organization_id = gen_random_uuid()"),
            update!("signing_key", "created_at = 1"),
        ],
    ),
    (
        "signing_key",
        "signing_key_keeps_its_life_cycle",
        &[
            update!("signing_key", "state = 'retiring'"),
            concat!(
                update!("signing_key", "state = 'active'"),
                ";;",
                event!("signing_key"),
                ";;",
                update!("signing_key", "state = 'retired'")
            ),
            concat!(
                update!("signing_key", "state = 'compromised'"),
                ";;",
                event!("signing_key"),
                ";;",
                update!("signing_key", "state = 'active'")
            ),
            concat!(
                update!("signing_key", "state = 'active'"),
                ";;",
                event!("signing_key"),
                ";;",
                update!("signing_key", "state = 'published'")
            ),
        ],
    ),
    ("signing_key", "signing_key_is_never_deleted", &["DELETE FROM signing_key"]),
    ("signing_key", "signing_key_is_never_emptied", &["TRUNCATE signing_key"]),
    (
        "revoked_token",
        "revoked_token_is_never_updated",
        &["UPDATE revoked_token SET expires_at = 1"],
    ),
    ("revoked_token", "revoked_token_is_kept_until_expiry", &["DELETE FROM revoked_token"]),
    ("revoked_token", "revoked_token_is_never_emptied", &["TRUNCATE revoked_token"]),
    ("single_use", "single_use_is_never_updated", &["UPDATE single_use SET expires_at = 1"]),
    (
        "single_use",
        "single_use_is_kept_until_expiry",
        &[concat!(single_use!(), ";;DELETE FROM single_use")],
    ),
    ("single_use", "single_use_is_never_emptied", &["TRUNCATE single_use"]),
];
