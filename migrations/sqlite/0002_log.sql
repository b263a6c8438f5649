-- The log of each organization: places for its events, hashes over them, and how far it has come.
--
-- An event is written without a place. The sequencer gives places in turns, each a transaction. What is hashed and signed stands
-- in docs/audit-format.md. Hashes are only ever added. Content and personal data of an event may be erased, never before the
-- log's row says that they may be; `last_event` of that row names the event that says so.

DROP TRIGGER audit_event_is_never_updated;

-- What hides the personal data of an event in its commitment.
ALTER TABLE audit_event ADD COLUMN salt BLOB CHECK (length(salt) = 32);
UPDATE audit_event SET salt = randomblob(32);
-- When the content was erased. The row stays: others may name it as the event of their last change.
ALTER TABLE audit_event ADD COLUMN erased_at INTEGER;

-- What is erased is never listed. Lists and their counts must not walk over it, however much it is by now.
DROP INDEX audit_event_by_agent;
DROP INDEX audit_event_by_action;
DROP INDEX audit_event_by_resource;
DROP INDEX audit_event_by_outcome;
CREATE INDEX audit_event_listed ON audit_event (organization_id, id) WHERE erased_at IS NULL;
CREATE INDEX audit_event_by_agent ON audit_event (organization_id, agent_id, id) WHERE erased_at IS NULL;
CREATE INDEX audit_event_by_action ON audit_event (organization_id, action, id) WHERE erased_at IS NULL;
CREATE INDEX audit_event_by_resource ON audit_event (organization_id, resource_id, id) WHERE erased_at IS NULL;
CREATE INDEX audit_event_by_outcome ON audit_event (organization_id, outcome, id) WHERE erased_at IS NULL;

CREATE TRIGGER audit_event_has_a_salt BEFORE INSERT ON audit_event
WHEN new.salt IS NULL
BEGIN SELECT RAISE(ABORT, 'an audit event has a salt'); END;

-- Events that have no place yet.
CREATE TABLE audit_pending (
    position INTEGER PRIMARY KEY,
    organization_id BLOB NOT NULL
) STRICT;

CREATE INDEX audit_pending_by_organization ON audit_pending (organization_id, position);

INSERT INTO audit_pending (position, organization_id) SELECT position, organization_id FROM audit_event;

CREATE TRIGGER audit_event_waits_for_its_place AFTER INSERT ON audit_event
BEGIN
    INSERT INTO audit_pending (position, organization_id) VALUES (new.position, new.organization_id);
END;

-- How far the log of an organization has come.
CREATE TABLE audit_log (
    organization_id BLOB NOT NULL PRIMARY KEY CHECK (length(organization_id) = 16),
    origin TEXT,
    size INTEGER NOT NULL DEFAULT 0 CHECK (size >= 0),
    latest_at INTEGER,
    signed_size INTEGER NOT NULL DEFAULT 0 CHECK (signed_size BETWEEN 0 AND size),
    signed_note TEXT,
    -- Up to which size checkpoints have left, and events were exported.
    delivered INTEGER NOT NULL DEFAULT 0 CHECK (delivered BETWEEN 0 AND signed_size),
    exported INTEGER NOT NULL DEFAULT 0 CHECK (exported BETWEEN 0 AND signed_size),
    -- Before which position what may be erased, and is.
    content_before INTEGER NOT NULL DEFAULT 0 CHECK (content_before BETWEEN 0 AND signed_size),
    personal_data_before INTEGER NOT NULL DEFAULT 0 CHECK (personal_data_before BETWEEN content_before AND signed_size),
    content_erased INTEGER NOT NULL DEFAULT 0 CHECK (content_erased BETWEEN 0 AND content_before),
    personal_data_erased INTEGER NOT NULL DEFAULT 0 CHECK (personal_data_erased BETWEEN 0 AND personal_data_before),
    -- Why nothing may be signed.
    halted TEXT,
    -- Who has the lease, and its number. The process that has the file is the only one; it is counted all the same.
    holder BLOB,
    fence INTEGER NOT NULL DEFAULT 0,
    last_event BLOB,
    CHECK ((signed_size = 0) = (signed_note IS NULL)),
    CHECK (size = 0 OR origin IS NOT NULL),
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

-- Which logs wait: those without a checkpoint over all of it, and those of which something has yet to leave.
CREATE INDEX audit_log_unsigned ON audit_log (organization_id) WHERE halted IS NULL AND size > signed_size;
CREATE INDEX audit_log_undelivered ON audit_log (organization_id) WHERE halted IS NULL AND signed_size > delivered;
CREATE INDEX audit_log_unexported ON audit_log (organization_id) WHERE halted IS NULL AND signed_size > exported;

-- Those that an operator is to know of.
CREATE INDEX audit_log_halted ON audit_log (organization_id) WHERE halted IS NOT NULL;

CREATE TRIGGER audit_log_is_never_replaced BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE organization_id = new.organization_id OR rowid = new.rowid)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER audit_log_begins_empty BEFORE INSERT ON audit_log
WHEN new.size <> 0
BEGIN SELECT RAISE(ABORT, 'a log begins without a leaf'); END;

CREATE TRIGGER audit_log_only_grows BEFORE UPDATE ON audit_log
WHEN new.organization_id <> old.organization_id
    OR new.rowid <> old.rowid
    OR (old.origin IS NOT NULL AND new.origin IS NOT old.origin)
    OR new.size < old.size
    OR new.signed_size < old.signed_size
    -- A note of one size only gets signatures of others added.
    OR (
        new.signed_size = old.signed_size
        AND new.signed_note IS NOT old.signed_note
        AND NOT coalesce(substr(new.signed_note, 1, length(old.signed_note)) = old.signed_note, 0)
    )
    OR new.delivered < old.delivered
    OR new.exported < old.exported
    OR new.content_before < old.content_before
    OR new.personal_data_before < old.personal_data_before
    OR new.content_erased < old.content_erased
    OR new.personal_data_erased < old.personal_data_erased
    OR new.fence < old.fence
BEGIN SELECT RAISE(ABORT, 'a log only grows'); END;

CREATE TRIGGER audit_log_does_not_grow_while_halted BEFORE UPDATE ON audit_log
WHEN old.halted IS NOT NULL AND (new.size <> old.size OR new.signed_size <> old.signed_size)
BEGIN SELECT RAISE(ABORT, 'a log that is halted does not grow'); END;

CREATE TRIGGER audit_log_is_trimmed_with_an_event BEFORE UPDATE ON audit_log
WHEN (new.content_before <> old.content_before OR new.personal_data_before <> old.personal_data_before)
    AND (
        NOT EXISTS (
            SELECT 1 FROM audit_event
            WHERE id = new.last_event
                AND organization_id = old.organization_id
                AND outcome = 'success'
                AND action = 'log.trimmed'
                AND resource_kind = 'log'
                AND unhex(replace(resource_id, '-', '')) = old.organization_id
                AND position > coalesce((SELECT position FROM audit_event WHERE id = old.last_event), 0)
        )
    )
BEGIN SELECT RAISE(ABORT, 'what may be erased changes only with a new event about it'); END;

CREATE TRIGGER audit_log_goes_on_with_an_event BEFORE UPDATE ON audit_log
WHEN old.halted IS NOT NULL AND new.halted IS NOT old.halted
    AND (
        new.halted IS NOT NULL
        OR NOT EXISTS (
            SELECT 1 FROM audit_event
            WHERE id = new.last_event
                AND organization_id = old.organization_id
                AND outcome = 'success'
                AND action = 'log.acknowledged'
                AND resource_kind = 'log'
                AND unhex(replace(resource_id, '-', '')) = old.organization_id
                AND position > coalesce((SELECT position FROM audit_event WHERE id = old.last_event), 0)
        )
    )
BEGIN SELECT RAISE(ABORT, 'a log that is halted goes on only with a new event about it'); END;

CREATE TRIGGER audit_log_is_never_deleted BEFORE DELETE ON audit_log
BEGIN SELECT RAISE(ABORT, 'a log is never deleted'); END;

-- The places, and the hashes of the leaves.
CREATE TABLE audit_leaf (
    organization_id BLOB NOT NULL CHECK (length(organization_id) = 16),
    position INTEGER NOT NULL CHECK (position >= 0),
    event_id BLOB NOT NULL UNIQUE,
    commitment BLOB NOT NULL CHECK (length(commitment) = 32),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    out_of_order INTEGER NOT NULL CHECK (out_of_order IN (0, 1)),
    PRIMARY KEY (organization_id, position),
    FOREIGN KEY (organization_id, event_id) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_leaf_is_never_replaced BEFORE INSERT ON audit_leaf
WHEN EXISTS (
    SELECT 1 FROM audit_leaf
    WHERE (organization_id = new.organization_id AND position = new.position) OR event_id = new.event_id
)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER audit_leaf_is_never_updated BEFORE UPDATE ON audit_leaf
BEGIN SELECT RAISE(ABORT, 'a leaf of a log is never changed'); END;

CREATE TRIGGER audit_leaf_is_never_deleted BEFORE DELETE ON audit_leaf
BEGIN SELECT RAISE(ABORT, 'a leaf of a log is never deleted'); END;

-- An event stops waiting in one way only: by getting its place.
CREATE TRIGGER audit_pending_is_never_replaced BEFORE INSERT ON audit_pending
WHEN EXISTS (SELECT 1 FROM audit_pending WHERE position = new.position)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER audit_pending_is_never_updated BEFORE UPDATE ON audit_pending
BEGIN SELECT RAISE(ABORT, 'an event that waits for its place is not made another'); END;

CREATE TRIGGER audit_pending_ends_with_a_place BEFORE DELETE ON audit_pending
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event AS event JOIN audit_leaf ON audit_leaf.event_id = event.id
    WHERE event.position = old.position AND audit_leaf.organization_id = old.organization_id
)
BEGIN SELECT RAISE(ABORT, 'an event stops waiting only once it has its place'); END;

-- The stored hashes of higher levels.
CREATE TABLE audit_stored_hash (
    organization_id BLOB NOT NULL CHECK (length(organization_id) = 16),
    level INTEGER NOT NULL CHECK (level BETWEEN 1 AND 7),
    "index" INTEGER NOT NULL CHECK ("index" >= 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (organization_id, level, "index")
) STRICT, WITHOUT ROWID;

CREATE TRIGGER audit_stored_hash_is_never_replaced BEFORE INSERT ON audit_stored_hash
WHEN EXISTS (
    SELECT 1 FROM audit_stored_hash
    WHERE organization_id = new.organization_id AND level = new.level AND "index" = new."index"
)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER audit_stored_hash_is_never_updated BEFORE UPDATE ON audit_stored_hash
BEGIN SELECT RAISE(ABORT, 'a stored hash of a log is never changed'); END;

CREATE TRIGGER audit_stored_hash_is_never_deleted BEFORE DELETE ON audit_stored_hash
BEGIN SELECT RAISE(ABORT, 'a stored hash of a log is never deleted'); END;

-- An event is changed in one way only: what may be erased is.
CREATE TRIGGER audit_event_is_only_erased BEFORE UPDATE ON audit_event
WHEN new.id <> old.id
    OR new.organization_id <> old.organization_id
    OR new.position <> old.position
    OR new.salt IS NOT NULL
    OR new.address IS NOT NULL
    OR new.user_agent IS NOT NULL
    OR (old.erased_at IS NOT NULL AND new.erased_at IS NOT old.erased_at)
    OR CASE
        WHEN new.erased_at IS NULL THEN
            (new.agent_id, new.action, new.outcome, new.resource_kind, new.resource_id, new.request_id,
                new.used_credential_id, new.metadata, new.occurred_at)
            IS NOT (old.agent_id, old.action, old.outcome, old.resource_kind, old.resource_id, old.request_id,
                old.used_credential_id, old.metadata, old.occurred_at)
        ELSE
            (new.agent_id, new.action, new.outcome, new.resource_kind, new.resource_id, new.request_id,
                new.used_credential_id, new.metadata, new.occurred_at)
            IS NOT (NULL, '', 'success', NULL, NULL, '', NULL, '{}', 0)
    END
    OR NOT EXISTS (
        SELECT 1 FROM audit_leaf JOIN audit_log USING (organization_id)
        WHERE audit_leaf.event_id = old.id
            AND audit_leaf.position
                < CASE WHEN new.erased_at IS NULL THEN personal_data_before ELSE content_before END
    )
BEGIN SELECT RAISE(ABORT, 'an audit event is never changed'); END;

-- The keys that sign checkpoints: the installation's, as signing keys are.
CREATE TABLE checkpoint_key (
    id TEXT NOT NULL PRIMARY KEY,
    public_key BLOB NOT NULL CHECK (length(public_key) = 32),
    private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_event BLOB NOT NULL UNIQUE REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TRIGGER checkpoint_key_is_never_replaced BEFORE INSERT ON checkpoint_key
WHEN EXISTS (SELECT 1 FROM checkpoint_key WHERE id = new.id OR rowid = new.rowid)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER checkpoint_key_begins_with_an_event BEFORE INSERT ON checkpoint_key
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND outcome = 'success'
        AND action = 'checkpoint_key.created'
        AND resource_kind = 'checkpoint_key'
        AND resource_id = new.id
)
BEGIN SELECT RAISE(ABORT, 'a checkpoint key begins with an event about it'); END;

CREATE TRIGGER checkpoint_key_is_never_updated BEFORE UPDATE ON checkpoint_key
BEGIN SELECT RAISE(ABORT, 'a checkpoint key is never changed'); END;

CREATE TRIGGER checkpoint_key_is_never_deleted BEFORE DELETE ON checkpoint_key
BEGIN SELECT RAISE(ABORT, 'a checkpoint key is never deleted'); END;
