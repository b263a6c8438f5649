-- The log of each organization: places for its events, hashes over them, and how far it has come.
--
-- An event is written without a place. The sequencer gives places in turns, each a transaction that holds the log's row. What
-- is hashed and signed stands in docs/audit-format.md. Hashes are only ever added. Content and personal data of an event may be
-- erased, by `idp_eraser` alone and never before the log's row says that they may be; `last_event` of that row names the event
-- that says so.

-- What hides the personal data of an event in its commitment. Events of a server that does not know of it yet get theirs from
-- the database: two ids of version 4 have 244 random bits.
ALTER TABLE audit_event ADD COLUMN salt bytea
    DEFAULT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')
    CHECK (length(salt) = 32);
-- When the content was erased. The row stays: others may name it as the event of their last change.
ALTER TABLE audit_event ADD COLUMN erased_at bigint;

-- Events that have no place yet, as they were written together. No index leads with the number: a look for the oldest of one
-- organization would take it, and walk over the backlog of another.
CREATE TABLE audit_pending (
    number bigint GENERATED ALWAYS AS IDENTITY,
    organization_id uuid NOT NULL,
    events uuid[] NOT NULL,
    PRIMARY KEY (organization_id, number)
);

-- Every event that there is waits for its place, in groups of a bounded size.
ALTER TABLE audit_event NO FORCE ROW LEVEL SECURITY;
INSERT INTO audit_pending (organization_id, events)
SELECT organization_id, array_agg(id ORDER BY position)
FROM (
    SELECT organization_id, id, position,
        (row_number() OVER (PARTITION BY organization_id ORDER BY position) - 1) / 500 AS part
    FROM audit_event
) AS parted
GROUP BY organization_id, part
ORDER BY min(position);
ALTER TABLE audit_event FORCE ROW LEVEL SECURITY;

CREATE FUNCTION audit_event_waits_for_its_place() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM written WHERE salt IS NULL) THEN
        RAISE EXCEPTION 'an audit event has a salt' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO audit_pending (organization_id, events)
    SELECT organization_id, array_agg(id ORDER BY position) FROM written GROUP BY organization_id;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_event_waits_for_its_place AFTER INSERT ON audit_event
    REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION audit_event_waits_for_its_place();

-- As before, with a salt for each event.
CREATE FUNCTION append_events(
    ids uuid[], organizations uuid[], agents uuid[], actions text[], outcomes text[], kinds text[], resources text[],
    requests text[], addresses text[], user_agents text[], credentials uuid[], details json[], instants bigint[], salts bytea[]
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.organizations', (SELECT string_agg(DISTINCT one::text, ',') FROM unnest(organizations) AS one), true);
    INSERT INTO audit_event (
        id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id, address, user_agent,
        used_credential_id, metadata, occurred_at, salt
    )
    SELECT * FROM unnest(
        ids, organizations, agents, actions, outcomes, kinds, resources, requests, addresses, user_agents, credentials, details,
        instants, salts
    );
END $$;

-- How far the log of an organization has come.
CREATE TABLE audit_log (
    organization_id uuid PRIMARY KEY,
    origin text,
    size bigint NOT NULL DEFAULT 0 CHECK (size >= 0),
    latest_at bigint,
    signed_size bigint NOT NULL DEFAULT 0 CHECK (signed_size BETWEEN 0 AND size),
    signed_note text,
    -- Up to which size checkpoints have left, and events were exported.
    delivered bigint NOT NULL DEFAULT 0 CHECK (delivered BETWEEN 0 AND signed_size),
    exported bigint NOT NULL DEFAULT 0 CHECK (exported BETWEEN 0 AND signed_size),
    -- Before which position what may be erased, and is.
    content_before bigint NOT NULL DEFAULT 0 CHECK (content_before BETWEEN 0 AND signed_size),
    personal_data_before bigint NOT NULL DEFAULT 0 CHECK (personal_data_before BETWEEN content_before AND signed_size),
    content_erased bigint NOT NULL DEFAULT 0 CHECK (content_erased BETWEEN 0 AND content_before),
    personal_data_erased bigint NOT NULL DEFAULT 0 CHECK (personal_data_erased BETWEEN 0 AND personal_data_before),
    -- Why nothing may be signed.
    halted text,
    -- Who has the lease, and its number.
    holder uuid,
    fence bigint NOT NULL DEFAULT 0,
    leased_until timestamptz,
    last_event uuid,
    CHECK ((signed_size = 0) = (signed_note IS NULL)),
    CHECK (size = 0 OR origin IS NOT NULL),
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
);

-- What waits for a turn besides what waits for a place: found without a look at every log.
CREATE INDEX audit_log_unsigned ON audit_log (organization_id) WHERE halted IS NULL AND size > signed_size;
CREATE INDEX audit_log_undelivered ON audit_log (organization_id) WHERE halted IS NULL AND signed_size > delivered;
CREATE INDEX audit_log_unexported ON audit_log (organization_id) WHERE halted IS NULL AND signed_size > exported;

-- Those that an operator is to know of.
CREATE INDEX audit_log_halted ON audit_log (organization_id) WHERE halted IS NOT NULL;

CREATE FUNCTION audit_log_only_grows() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF new.organization_id <> old.organization_id
        OR (old.origin IS NOT NULL AND new.origin IS DISTINCT FROM old.origin)
        OR new.size < old.size
        OR new.signed_size < old.signed_size
        -- A note of one size only gets signatures of others added.
        OR (
            new.signed_size = old.signed_size
            AND new.signed_note IS DISTINCT FROM old.signed_note
            AND NOT coalesce(starts_with(new.signed_note, old.signed_note), false)
        )
        OR new.delivered < old.delivered
        OR new.exported < old.exported
        OR new.content_before < old.content_before
        OR new.personal_data_before < old.personal_data_before
        OR new.content_erased < old.content_erased
        OR new.personal_data_erased < old.personal_data_erased
        OR new.fence < old.fence
    THEN
        RAISE EXCEPTION 'a log only grows' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF old.halted IS NOT NULL AND (new.size <> old.size OR new.signed_size <> old.signed_size) THEN
        RAISE EXCEPTION 'a log that is halted does not grow' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (new.content_before, new.personal_data_before) IS DISTINCT FROM (old.content_before, old.personal_data_before)
        AND NOT (
            new.last_event IS DISTINCT FROM old.last_event
            AND is_event_of(old.organization_id, new.last_event, 'log', old.organization_id::text, 'log.trimmed')
        )
    THEN
        RAISE EXCEPTION 'what may be erased changes only with a new event about it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF old.halted IS NOT NULL AND new.halted IS DISTINCT FROM old.halted
        AND NOT (
            new.halted IS NULL
            AND new.last_event IS DISTINCT FROM old.last_event
            AND is_event_of(old.organization_id, new.last_event, 'log', old.organization_id::text, 'log.acknowledged')
        )
    THEN
        RAISE EXCEPTION 'a log that is halted goes on only with a new event about it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN new;
END $$;

CREATE TRIGGER audit_log_only_grows BEFORE UPDATE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_only_grows();
CREATE TRIGGER audit_log_is_never_deleted BEFORE DELETE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a log is never deleted');
CREATE TRIGGER audit_log_is_never_emptied BEFORE TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a log is never deleted');

-- The places, and the hashes of the leaves.
-- No key refers to the event: events are never deleted, each leaf is read again with its event before it is signed, and the
-- check of thousands of rows at a commit keeps the plan that it was given when the table was empty.
CREATE TABLE audit_leaf (
    organization_id uuid NOT NULL,
    position bigint NOT NULL CHECK (position >= 0),
    event_id uuid NOT NULL,
    commitment bytea NOT NULL CHECK (length(commitment) = 32),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    out_of_order boolean NOT NULL,
    PRIMARY KEY (organization_id, position),
    UNIQUE (organization_id, event_id)
);

-- Events stop waiting in one way only: by getting their places. One step into an index for each of them: neither as a join,
-- which would sooner or later read every leaf that there is, nor by a plan from the time when there were few.
CREATE FUNCTION audit_pending_ends_with_places() RETURNS trigger
LANGUAGE plpgsql SET enable_seqscan = off AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM taken CROSS JOIN unnest(taken.events) AS one (id)
        WHERE (
            SELECT position FROM audit_leaf WHERE organization_id = taken.organization_id AND event_id = one.id
        ) IS NULL
    ) THEN
        RAISE EXCEPTION 'an event stops waiting only once it has its place' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER audit_pending_is_never_updated BEFORE UPDATE ON audit_pending
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an event that waits for its place is not made another');
CREATE TRIGGER audit_pending_ends_with_places AFTER DELETE ON audit_pending
    REFERENCING OLD TABLE AS taken
    FOR EACH STATEMENT EXECUTE FUNCTION audit_pending_ends_with_places();
CREATE TRIGGER audit_pending_is_never_emptied BEFORE TRUNCATE ON audit_pending
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an event stops waiting only once it has its place');

-- The stored hashes of higher levels.
CREATE TABLE audit_stored_hash (
    organization_id uuid NOT NULL,
    level bigint NOT NULL CHECK (level BETWEEN 1 AND 7),
    index bigint NOT NULL CHECK (index >= 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (organization_id, level, index)
);

CREATE TRIGGER audit_leaf_is_never_updated BEFORE UPDATE ON audit_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a leaf of a log is never changed');
CREATE TRIGGER audit_leaf_is_never_deleted BEFORE DELETE ON audit_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a leaf of a log is never deleted');
CREATE TRIGGER audit_leaf_is_never_emptied BEFORE TRUNCATE ON audit_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a leaf of a log is never deleted');
CREATE TRIGGER audit_stored_hash_is_never_updated BEFORE UPDATE ON audit_stored_hash
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a stored hash of a log is never changed');
CREATE TRIGGER audit_stored_hash_is_never_deleted BEFORE DELETE ON audit_stored_hash
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a stored hash of a log is never deleted');
CREATE TRIGGER audit_stored_hash_is_never_emptied BEFORE TRUNCATE ON audit_stored_hash
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a stored hash of a log is never deleted');

-- An event is changed in one way only: what may be erased is.
CREATE FUNCTION audit_event_is_only_erased() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    place bigint := (
        SELECT position FROM audit_leaf WHERE organization_id = old.organization_id AND event_id = old.id
    );
    log audit_log := (SELECT audit_log FROM audit_log WHERE organization_id = old.organization_id);
BEGIN
    IF new.id <> old.id OR new.organization_id <> old.organization_id OR new.position <> old.position
        OR new.salt IS NOT NULL OR new.address IS NOT NULL OR new.user_agent IS NOT NULL
        OR old.erased_at IS NOT NULL
    THEN
        RAISE EXCEPTION 'an audit event is never changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF new.erased_at IS NULL THEN
        IF (new.agent_id, new.action, new.outcome, new.resource_kind, new.resource_id, new.request_id, new.used_credential_id,
                new.metadata::text, new.occurred_at)
            IS DISTINCT FROM (old.agent_id, old.action, old.outcome, old.resource_kind, old.resource_id, old.request_id,
                old.used_credential_id, old.metadata::text, old.occurred_at)
            OR place >= log.personal_data_before IS NOT FALSE
        THEN
            RAISE EXCEPTION 'an audit event is never changed' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF (new.agent_id, new.action, new.outcome, new.resource_kind, new.resource_id, new.request_id, new.used_credential_id,
            new.metadata::text, new.occurred_at)
        IS DISTINCT FROM (NULL::uuid, '', 'success', NULL::text, NULL::text, '', NULL::uuid, '{}', 0::bigint)
        OR place >= log.content_before IS NOT FALSE
    THEN
        RAISE EXCEPTION 'an audit event is never changed' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN new;
END $$;

DROP TRIGGER audit_event_is_never_updated ON audit_event;
CREATE TRIGGER audit_event_is_only_erased BEFORE UPDATE ON audit_event
    FOR EACH ROW EXECUTE FUNCTION audit_event_is_only_erased();

-- When each credential last obtained a token, by events whose content is erased. What is not erased tells it itself.
CREATE TABLE last_use (
    organization_id uuid NOT NULL,
    credential_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    used_at bigint NOT NULL,
    PRIMARY KEY (organization_id, credential_id),
    FOREIGN KEY (organization_id, credential_id) REFERENCES credential (organization_id, id)
);

-- The keys that sign checkpoints: the installation's, as signing keys are.
CREATE TABLE checkpoint_key (
    id text COLLATE "C" PRIMARY KEY,
    public_key bytea NOT NULL CHECK (length(public_key) = 32),
    private_key bytea NOT NULL,
    created_at bigint NOT NULL,
    event_organization_id uuid NOT NULL,
    last_event uuid NOT NULL,
    UNIQUE (event_organization_id, last_event),
    FOREIGN KEY (event_organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE FUNCTION checkpoint_key_is_written_under_an_event() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_event_of(new.event_organization_id, new.last_event, 'checkpoint_key', new.id, 'checkpoint_key.created') THEN
        RAISE EXCEPTION 'a checkpoint key begins with an event about it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN new;
END $$;

CREATE TRIGGER checkpoint_key_is_written_under_an_event BEFORE INSERT ON checkpoint_key
    FOR EACH ROW EXECUTE FUNCTION checkpoint_key_is_written_under_an_event();
CREATE TRIGGER checkpoint_key_is_never_updated BEFORE UPDATE ON checkpoint_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a checkpoint key is never changed');
CREATE TRIGGER checkpoint_key_is_never_deleted BEFORE DELETE ON checkpoint_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a checkpoint key is never deleted');
CREATE TRIGGER checkpoint_key_is_never_emptied BEFORE TRUNCATE ON checkpoint_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a checkpoint key is never deleted');

ALTER TABLE audit_pending ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_leaf ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE audit_stored_hash ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE last_use ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE checkpoint_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY one_organization ON audit_pending
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY named_organizations ON audit_pending FOR INSERT
    WITH CHECK (strpos(current_setting('app.organizations', true), organization_id::text) > 0);
CREATE POLICY one_organization ON audit_log
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY one_organization ON audit_leaf
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY one_organization ON audit_stored_hash
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY one_organization ON last_use
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY any_organization ON checkpoint_key
    USING (current_organization() IS NOT NULL) WITH CHECK (event_organization_id = current_organization());
-- Which logs wait for a turn: what must be known before a sequencer is in any.
CREATE POLICY the_sequencer ON audit_pending FOR SELECT
    USING (current_setting('app.sequencer', true) = 'on');
CREATE POLICY the_sequencer ON audit_log FOR SELECT
    USING (current_setting('app.sequencer', true) = 'on');

GRANT INSERT (salt) ON audit_event TO idp_app;
GRANT SELECT, DELETE ON audit_pending TO idp_app;
GRANT INSERT (organization_id, events) ON audit_pending TO idp_app;
-- A log begins empty, and how much of it is erased is not the server's to say.
GRANT SELECT, INSERT (organization_id) ON audit_log TO idp_app;
GRANT UPDATE (
    origin, size, latest_at, signed_size, signed_note, delivered, exported, content_before, personal_data_before, halted, holder,
    fence, leased_until, last_event
) ON audit_log TO idp_app;
GRANT SELECT, INSERT ON audit_leaf, audit_stored_hash, checkpoint_key TO idp_app;
GRANT SELECT ON last_use TO idp_app;

GRANT SELECT ON audit_event, audit_leaf, audit_log TO idp_eraser;
GRANT SELECT (organization_id, id, agent_id) ON credential TO idp_eraser;
GRANT SELECT, INSERT, UPDATE ON last_use TO idp_eraser;
GRANT UPDATE (
    agent_id, action, outcome, resource_kind, resource_id, request_id, address, user_agent, used_credential_id, metadata,
    occurred_at, salt, erased_at
) ON audit_event TO idp_eraser;
GRANT UPDATE (content_erased, personal_data_erased) ON audit_log TO idp_eraser;
