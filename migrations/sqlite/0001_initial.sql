-- The schema of the embedded store.
--
-- Ids are the 16 bytes of a UUID, times are microseconds since 1970. Names are those of the PostgreSQL schema.
--
-- A table of record (organization, agent, credential, signing_key, revoked_token) names in `last_event` the audit event of
-- its last change. The types of the server see to that; the triggers here refuse what the types cannot see, which is ad-hoc
-- SQL and a stray UPDATE. They hold that
-- - a row is written only under an event that is there already, that is of a success, in the log of the same organization
--   (of any, for a signing key), about this very row and of an action of its kind;
-- - an update names an event that was written after the one of the update before, so that no event serves twice;
-- - a row changes by one revision at a time, along its life cycle, and never in what it is;
-- - no record and no event is deleted, or replaced: `REPLACE` deletes rows without firing their delete triggers, whether it
--   finds them by a key or by the rowid, so that each table also refuses to write over a row that is there.
-- The foreign key of `last_event` adds that the event stays for as long as the row, whatever becomes of the triggers.
--
-- They do not hold that the change is the one that the event tells of, nor that the event is true: whoever inserts a
-- made-up event first may write under it. And they bind nobody who may alter the schema, or who edits the file.

-- `position` is the order in which events were written, by which the triggers tell a newer one. Ids cannot tell it: they
-- follow the clock, which may tell one microsecond twice, and which somebody may set back while the server is down.
CREATE TABLE audit_event (
    position INTEGER PRIMARY KEY CHECK (position > 0),
    id BLOB NOT NULL UNIQUE CHECK (length(id) = 16),
    organization_id BLOB NOT NULL CHECK (length(organization_id) = 16),
    agent_id BLOB CHECK (length(agent_id) = 16),
    action TEXT NOT NULL,
    outcome TEXT NOT NULL CHECK (outcome IN ('success', 'failure')),
    resource_kind TEXT,
    resource_id TEXT,
    request_id TEXT NOT NULL,
    address TEXT,
    user_agent TEXT,
    used_credential_id BLOB CHECK (length(used_credential_id) = 16),
    metadata TEXT NOT NULL CHECK (json_valid(metadata)),
    occurred_at INTEGER NOT NULL CHECK (occurred_at >= 0),
    UNIQUE (organization_id, id),
    CHECK ((resource_kind IS NULL) = (resource_id IS NULL))
) STRICT;

-- Each filter of the log is an index that ends in the id, so that a page is read newest first without a sort.
CREATE INDEX audit_event_by_agent ON audit_event (organization_id, agent_id, id);
CREATE INDEX audit_event_by_action ON audit_event (organization_id, action, id);
CREATE INDEX audit_event_by_resource ON audit_event (organization_id, resource_id, id);
CREATE INDEX audit_event_by_outcome ON audit_event (organization_id, outcome, id);

CREATE TRIGGER audit_event_is_never_replaced BEFORE INSERT ON audit_event
WHEN EXISTS (SELECT 1 FROM audit_event WHERE id = new.id)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

-- Before an insert, a position (or a rowid, further down) that SQLite is to choose reads as -1.
CREATE TRIGGER audit_event_takes_the_next_position BEFORE INSERT ON audit_event
WHEN new.position > 0
BEGIN SELECT RAISE(ABORT, 'the position of an event is never chosen'); END;

CREATE TRIGGER audit_event_is_never_updated BEFORE UPDATE ON audit_event
BEGIN SELECT RAISE(ABORT, 'an audit event is never changed'); END;

CREATE TRIGGER audit_event_is_never_deleted BEFORE DELETE ON audit_event
BEGIN SELECT RAISE(ABORT, 'an audit event is never deleted'); END;

CREATE TABLE organization (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('platform', 'tenant')),
    plan TEXT NOT NULL CHECK (plan IN ('free', 'pro', 'enterprise')),
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended')),
    status_since INTEGER,
    tokens_not_before INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    last_event BLOB NOT NULL UNIQUE,
    CHECK ((status = 'active') = (status_since IS NULL)),
    FOREIGN KEY (id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE UNIQUE INDEX organization_platform ON organization (kind) WHERE kind = 'platform';

CREATE TRIGGER organization_is_never_replaced BEFORE INSERT ON organization
WHEN EXISTS (SELECT 1 FROM organization WHERE id = new.id OR rowid = new.rowid)
    OR (new.kind = 'platform' AND EXISTS (SELECT 1 FROM organization WHERE kind = 'platform'))
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER organization_begins_with_an_event BEFORE INSERT ON organization
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND organization_id = new.id
        AND outcome = 'success'
        AND resource_kind = 'organization'
        AND action = 'organization.created'
        AND unhex(replace(resource_id, '-', '')) = new.id
)
BEGIN SELECT RAISE(ABORT, 'an organization begins with an event about it'); END;

-- That the event is about the row as it was is enough: another trigger keeps the row what it is.
CREATE TRIGGER organization_changes_with_an_event BEFORE UPDATE ON organization
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND position > (SELECT position FROM audit_event WHERE id = old.last_event)
        AND organization_id = old.id
        AND outcome = 'success'
        AND action GLOB 'organization.*'
        AND resource_kind = 'organization'
        AND unhex(replace(resource_id, '-', '')) = old.id
)
BEGIN SELECT RAISE(ABORT, 'an organization changes only with a new event about it'); END;

CREATE TRIGGER organization_revision_rises_by_one BEFORE UPDATE ON organization
WHEN new.revision <> old.revision + 1
BEGIN SELECT RAISE(ABORT, 'the revision of an organization rises by one'); END;

CREATE TRIGGER organization_keeps_its_identity BEFORE UPDATE ON organization
WHEN new.id <> old.id
    OR new.rowid <> old.rowid
    OR new.kind <> old.kind
    OR new.created_at <> old.created_at
BEGIN SELECT RAISE(ABORT, 'the id, kind and creation of an organization never change'); END;

CREATE TRIGGER organization_is_never_deleted BEFORE DELETE ON organization
BEGIN SELECT RAISE(ABORT, 'an organization is never deleted'); END;

CREATE TABLE agent (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB NOT NULL REFERENCES organization (id),
    email TEXT NOT NULL,
    email_folded TEXT NOT NULL CHECK (email_folded = lower(email)),
    agent_type TEXT NOT NULL,
    version TEXT NOT NULL,
    capabilities TEXT NOT NULL CHECK (json_array_length(capabilities) > 0),
    owner TEXT NOT NULL,
    deployment_env TEXT NOT NULL CHECK (deployment_env IN ('development', 'staging', 'production')),
    status TEXT NOT NULL CHECK (status IN ('active', 'suspended', 'revoked', 'decommissioned', 'archived')),
    status_since INTEGER,
    decommissioned_at INTEGER,
    roles TEXT NOT NULL CHECK (json_type(roles) = 'array'),
    is_public INTEGER NOT NULL CHECK (is_public IN (0, 1)),
    metadata TEXT NOT NULL CHECK (json_type(metadata) = 'object'),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    tokens_not_before INTEGER,
    revision INTEGER NOT NULL CHECK (revision > 0),
    last_event BLOB NOT NULL UNIQUE,
    UNIQUE (organization_id, id),
    CHECK ((status = 'active') = (status_since IS NULL)),
    CHECK ((status = 'archived') = (decommissioned_at IS NOT NULL)),
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- Whoever is gone for good gives the address free. The index also counts the agents that a plan counts.
CREATE UNIQUE INDEX agent_email ON agent (organization_id, email_folded) WHERE status NOT IN ('decommissioned', 'archived');
CREATE INDEX agent_listed ON agent (organization_id, id) WHERE status <> 'archived';
CREATE INDEX agent_by_owner ON agent (organization_id, owner, id);
CREATE INDEX agent_by_type ON agent (organization_id, agent_type, id);
CREATE INDEX agent_by_status ON agent (organization_id, status, id);
CREATE INDEX agent_by_deployment_env ON agent (organization_id, deployment_env, id);
CREATE INDEX agent_active_admin ON agent (organization_id, id) WHERE status = 'active' AND instr(roles, '"admin"') > 0;

-- The capabilities of `agent`, turned around for the list's filter. Two triggers write it, and three refuse whatever would
-- make it say anything else than the record, whose changes leave events.
CREATE TABLE agent_capability (
    organization_id BLOB NOT NULL,
    capability TEXT NOT NULL,
    agent_id BLOB NOT NULL,
    PRIMARY KEY (organization_id, capability, agent_id),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX agent_capability_by_agent ON agent_capability (organization_id, agent_id);

CREATE TRIGGER agent_capability_follows_a_registration AFTER INSERT ON agent
BEGIN
    INSERT INTO agent_capability (organization_id, capability, agent_id)
    SELECT new.organization_id, value, new.id FROM json_each(new.capabilities);
END;

CREATE TRIGGER agent_capability_follows_an_update AFTER UPDATE OF capabilities ON agent
WHEN new.capabilities <> old.capabilities
BEGIN
    DELETE FROM agent_capability
    WHERE organization_id = new.organization_id
        AND agent_id = new.id
        AND NOT EXISTS (SELECT 1 FROM json_each(new.capabilities) AS held WHERE held.value = capability);
    INSERT INTO agent_capability (organization_id, capability, agent_id)
    SELECT new.organization_id, held.value, new.id FROM json_each(new.capabilities) AS held
    WHERE NOT EXISTS (SELECT 1 FROM json_each(old.capabilities) AS before WHERE before.value = held.value);
END;

CREATE TRIGGER agent_capability_is_held BEFORE INSERT ON agent_capability
WHEN NOT EXISTS (
    SELECT 1 FROM agent, json_each(agent.capabilities) AS held
    WHERE agent.id = new.agent_id AND agent.organization_id = new.organization_id AND held.value = new.capability
)
BEGIN SELECT RAISE(ABORT, 'the agent does not hold this capability'); END;

CREATE TRIGGER agent_capability_is_kept_while_held BEFORE DELETE ON agent_capability
WHEN EXISTS (
    SELECT 1 FROM agent, json_each(agent.capabilities) AS held
    WHERE agent.id = old.agent_id AND agent.organization_id = old.organization_id AND held.value = old.capability
)
BEGIN SELECT RAISE(ABORT, 'the agent holds this capability'); END;

CREATE TRIGGER agent_capability_is_never_updated BEFORE UPDATE ON agent_capability
BEGIN SELECT RAISE(ABORT, 'a capability follows its agent'); END;

CREATE TRIGGER agent_is_never_replaced BEFORE INSERT ON agent
WHEN EXISTS (SELECT 1 FROM agent WHERE id = new.id OR rowid = new.rowid)
    OR EXISTS (
        SELECT 1 FROM agent
        WHERE organization_id = new.organization_id
            AND email_folded = new.email_folded
            AND status NOT IN ('decommissioned', 'archived')
    )
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER agent_begins_with_an_event BEFORE INSERT ON agent
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND organization_id = new.organization_id
        AND outcome = 'success'
        AND resource_kind = 'agent'
        AND action = 'agent.created'
        AND unhex(replace(resource_id, '-', '')) = new.id
)
BEGIN SELECT RAISE(ABORT, 'an agent begins with an event about it'); END;

CREATE TRIGGER agent_changes_with_an_event BEFORE UPDATE ON agent
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND position > (SELECT position FROM audit_event WHERE id = old.last_event)
        AND organization_id = old.organization_id
        AND outcome = 'success'
        AND action GLOB 'agent.*'
        AND resource_kind = 'agent'
        AND unhex(replace(resource_id, '-', '')) = old.id
)
BEGIN SELECT RAISE(ABORT, 'an agent changes only with a new event about it'); END;

CREATE TRIGGER agent_revision_rises_by_one BEFORE UPDATE ON agent
WHEN new.revision <> old.revision + 1
BEGIN SELECT RAISE(ABORT, 'the revision of an agent rises by one'); END;

CREATE TRIGGER agent_keeps_its_identity BEFORE UPDATE ON agent
WHEN new.id <> old.id
    OR new.rowid <> old.rowid
    OR new.organization_id <> old.organization_id
    OR new.email <> old.email
    OR new.created_at <> old.created_at
BEGIN SELECT RAISE(ABORT, 'the id, organization, email and creation of an agent never change'); END;

CREATE TRIGGER agent_keeps_its_life_cycle BEFORE UPDATE OF status ON agent
WHEN NOT CASE old.status
    WHEN 'revoked' THEN new.status IN ('revoked', 'decommissioned')
    WHEN 'decommissioned' THEN new.status IN ('decommissioned', 'archived')
    WHEN 'archived' THEN new.status = 'archived'
    ELSE new.status <> 'archived'
END
BEGIN SELECT RAISE(ABORT, 'the life cycle of an agent has no such step'); END;

CREATE TRIGGER agent_is_never_deleted BEFORE DELETE ON agent
BEGIN SELECT RAISE(ABORT, 'an agent is never deleted'); END;

-- A key is remembered for a day. It is written with the agent that it registered, whose event covers it.
CREATE TABLE idempotency_key (
    organization_id BLOB NOT NULL,
    caller_id BLOB NOT NULL,
    key TEXT NOT NULL,
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32),
    agent_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, caller_id, key),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_key_expired ON idempotency_key (organization_id, expires_at);

CREATE TABLE credential (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    name TEXT,
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    pepper_version INTEGER NOT NULL CHECK (pepper_version > 0),
    state TEXT NOT NULL CHECK (state IN ('live', 'superseded', 'revoked')),
    superseded_by BLOB,
    revoked_at INTEGER,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    revision INTEGER NOT NULL CHECK (revision > 0),
    -- A rotation writes two credentials with one event: not unique.
    last_event BLOB NOT NULL,
    UNIQUE (organization_id, id),
    CHECK ((state = 'superseded') = (superseded_by IS NOT NULL)),
    CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
    CHECK (state <> 'superseded' OR expires_at IS NOT NULL),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id),
    FOREIGN KEY (organization_id, superseded_by) REFERENCES credential (organization_id, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE INDEX credential_by_agent ON credential (organization_id, agent_id, id);
CREATE INDEX credential_unrevoked ON credential (organization_id, agent_id, expires_at) WHERE state <> 'revoked';

CREATE TRIGGER credential_is_never_replaced BEFORE INSERT ON credential
WHEN EXISTS (SELECT 1 FROM credential WHERE id = new.id OR rowid = new.rowid)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

-- The event of a rotation is about the old credential, and names the new one.
CREATE TRIGGER credential_begins_with_an_event BEFORE INSERT ON credential
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND organization_id = new.organization_id
        AND outcome = 'success'
        AND resource_kind = 'credential'
        AND new.id = CASE action
            WHEN 'credential.generated' THEN unhex(replace(resource_id, '-', ''))
            WHEN 'credential.rotated' THEN unhex(replace(metadata ->> 'successorId', '-', ''))
        END
)
BEGIN SELECT RAISE(ABORT, 'a credential begins with an event about it'); END;

CREATE TRIGGER credential_changes_with_an_event BEFORE UPDATE ON credential
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND position > (SELECT position FROM audit_event WHERE id = old.last_event)
        AND organization_id = old.organization_id
        AND outcome = 'success'
        AND action GLOB 'credential.*'
        AND resource_kind = 'credential'
        AND unhex(replace(resource_id, '-', '')) = old.id
)
BEGIN SELECT RAISE(ABORT, 'a credential changes only with a new event about it'); END;

CREATE TRIGGER credential_revision_rises_by_one BEFORE UPDATE ON credential
WHEN new.revision <> old.revision + 1
BEGIN SELECT RAISE(ABORT, 'the revision of a credential rises by one'); END;

CREATE TRIGGER credential_keeps_its_identity BEFORE UPDATE ON credential
WHEN new.id <> old.id
    OR new.rowid <> old.rowid
    OR new.organization_id <> old.organization_id
    OR new.agent_id <> old.agent_id
    OR new.hash <> old.hash
    OR new.pepper_version <> old.pepper_version
    OR new.created_at <> old.created_at
BEGIN SELECT RAISE(ABORT, 'the id, owner, hash and creation of a credential never change'); END;

CREATE TRIGGER credential_keeps_its_life_cycle BEFORE UPDATE ON credential
WHEN (old.state = 'revoked' AND (new.state <> 'revoked' OR new.revoked_at <> old.revoked_at))
    OR (old.state = 'superseded' AND new.state = 'live')
    OR (old.expires_at IS NOT NULL AND (new.expires_at IS NULL OR new.expires_at > old.expires_at))
BEGIN SELECT RAISE(ABORT, 'the life cycle of a credential has no such step'); END;

CREATE TRIGGER credential_is_never_deleted BEFORE DELETE ON credential
BEGIN SELECT RAISE(ABORT, 'a credential is never deleted'); END;

-- When each credential last obtained a token. It only ever follows the events, which are the record.
CREATE TABLE last_use (
    credential_id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    used_at INTEGER NOT NULL,
    FOREIGN KEY (organization_id, credential_id) REFERENCES credential (organization_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX last_use_by_agent ON last_use (organization_id, agent_id, used_at);

-- The keys of the installation. `public_key` is the raw form of the algorithm: for ES256 the two coordinates.
CREATE TABLE signing_key (
    id TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL CHECK (algorithm IN ('ES256')),
    public_key BLOB NOT NULL,
    private_key BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('published', 'active', 'retiring', 'retired')),
    state_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    last_event BLOB NOT NULL UNIQUE REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE INDEX signing_key_by_age ON signing_key (created_at, id);
CREATE UNIQUE INDEX signing_key_active ON signing_key (state) WHERE state = 'active';

CREATE TRIGGER signing_key_is_never_replaced BEFORE INSERT ON signing_key
WHEN EXISTS (SELECT 1 FROM signing_key WHERE id = new.id OR rowid = new.rowid)
    OR (new.state = 'active' AND EXISTS (SELECT 1 FROM signing_key WHERE state = 'active'))
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

-- `UPDATE OR REPLACE` would delete the key that is active.
CREATE TRIGGER signing_key_replaces_none BEFORE UPDATE ON signing_key
WHEN new.state = 'active' AND EXISTS (SELECT 1 FROM signing_key WHERE state = 'active' AND id <> old.id)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER signing_key_begins_with_an_event BEFORE INSERT ON signing_key
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND outcome = 'success'
        AND resource_kind = 'signing_key'
        AND action = 'signing_key.published'
        AND resource_id = new.id
)
BEGIN SELECT RAISE(ABORT, 'a signing key begins with an event about it'); END;

CREATE TRIGGER signing_key_changes_with_an_event BEFORE UPDATE ON signing_key
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND position > (SELECT position FROM audit_event WHERE id = old.last_event)
        AND outcome = 'success'
        AND action GLOB 'signing_key.*'
        AND resource_kind = 'signing_key'
        AND resource_id = old.id
)
BEGIN SELECT RAISE(ABORT, 'a signing key changes only with a new event about it'); END;

CREATE TRIGGER signing_key_revision_rises_by_one BEFORE UPDATE ON signing_key
WHEN new.revision <> old.revision + 1
BEGIN SELECT RAISE(ABORT, 'the revision of a signing key rises by one'); END;

CREATE TRIGGER signing_key_keeps_its_identity BEFORE UPDATE ON signing_key
WHEN new.id <> old.id
    OR new.rowid <> old.rowid
    OR new.algorithm <> old.algorithm
    OR new.public_key <> old.public_key
    OR new.created_at <> old.created_at
BEGIN SELECT RAISE(ABORT, 'the id, algorithm, public half and creation of a signing key never change'); END;

CREATE TRIGGER signing_key_keeps_its_life_cycle BEFORE UPDATE OF state ON signing_key
WHEN NOT CASE old.state
    WHEN 'published' THEN new.state IN ('published', 'active')
    WHEN 'active' THEN new.state IN ('active', 'retiring')
    WHEN 'retiring' THEN new.state IN ('retiring', 'retired')
    ELSE new.state = 'retired'
END
BEGIN SELECT RAISE(ABORT, 'the life cycle of a signing key has no such step'); END;

CREATE TRIGGER signing_key_is_never_deleted BEFORE DELETE ON signing_key
BEGIN SELECT RAISE(ABORT, 'a signing key is never deleted'); END;

CREATE TABLE revoked_token (
    organization_id BLOB NOT NULL REFERENCES organization (id),
    token_id BLOB NOT NULL CHECK (length(token_id) = 16),
    revoked_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    last_event BLOB NOT NULL UNIQUE,
    PRIMARY KEY (organization_id, token_id),
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE INDEX revoked_token_expired ON revoked_token (organization_id, expires_at);

CREATE TRIGGER revoked_token_is_never_replaced BEFORE INSERT ON revoked_token
WHEN EXISTS (
    SELECT 1 FROM revoked_token WHERE organization_id = new.organization_id AND token_id = new.token_id
)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER revoked_token_begins_with_an_event BEFORE INSERT ON revoked_token
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND organization_id = new.organization_id
        AND outcome = 'success'
        AND resource_kind = 'token'
        AND action = 'token.revoked'
        AND unhex(replace(resource_id, '-', '')) = new.token_id
)
BEGIN SELECT RAISE(ABORT, 'a revocation begins with an event about it'); END;

CREATE TRIGGER revoked_token_is_never_updated BEFORE UPDATE ON revoked_token
BEGIN SELECT RAISE(ABORT, 'a revocation is never changed'); END;

-- A revocation that is forgotten while the token could be good would bring the token back to life.
CREATE TRIGGER revoked_token_is_kept_until_expiry BEFORE DELETE ON revoked_token
WHEN old.expires_at >= CAST(unixepoch() * 1000000 AS INTEGER)
BEGIN SELECT RAISE(ABORT, 'a revocation is kept until its token has expired'); END;
