-- What OAuth asks of the record: keys of clients, values that are good once, resources, more kinds of signing keys.

-- Resource servers, and agents whose tokens are bound to a key of theirs. An agent that the release before writes answers to
-- nothing, and its tokens are bound to none.
ALTER TABLE agent ADD COLUMN resources TEXT NOT NULL DEFAULT '[]' CHECK (json_type(resources) = 'array');
ALTER TABLE agent ADD COLUMN dpop_bound INTEGER NOT NULL DEFAULT 0 CHECK (dpop_bound IN (0, 1));

CREATE INDEX agent_resource_server ON agent (organization_id, id) WHERE status = 'active' AND resources <> '[]';

-- What is good once: the `jti` of an assertion, or of a proof, by a digest, until whatever bears it would be refused for its
-- age. It is no record and leaves no event of its own: that of the token, or of the refusal, tells of it.
CREATE TABLE single_use (
    organization_id BLOB NOT NULL REFERENCES organization (id),
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, digest)
) STRICT, WITHOUT ROWID;

CREATE INDEX single_use_expired ON single_use (organization_id, expires_at);

CREATE TRIGGER single_use_is_never_replaced BEFORE INSERT ON single_use
WHEN EXISTS (SELECT 1 FROM single_use WHERE organization_id = new.organization_id AND digest = new.digest)
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER single_use_is_never_updated BEFORE UPDATE ON single_use
BEGIN SELECT RAISE(ABORT, 'a use is never changed'); END;

-- A use that is forgotten too early could be had again.
CREATE TRIGGER single_use_is_kept_until_expiry BEFORE DELETE ON single_use
WHEN old.expires_at >= CAST(unixepoch() * 1000000 AS INTEGER)
BEGIN SELECT RAISE(ABORT, 'a use is kept until it would be refused for its age'); END;

-- The public keys of clients, and the certificates that take their place. An agent has secrets that work or keys, never both, and
-- keys of one kind: the server sees to that, in the transaction that writes them. `thumbprint` is that of RFC 7638 or RFC 8705, or
-- a digest of the subject; `public_key` is the raw form of the algorithm, as of a signing key.
CREATE TABLE client_key (
    id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    organization_id BLOB NOT NULL,
    agent_id BLOB NOT NULL,
    kid TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('jwk', 'certificate', 'subject')),
    algorithm TEXT CHECK (algorithm IN ('ES256', 'EdDSA', 'RS256', 'PS256')),
    public_key BLOB,
    subject_kind TEXT CHECK (subject_kind IN ('subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email')),
    subject TEXT,
    thumbprint TEXT NOT NULL,
    name TEXT,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    state TEXT NOT NULL CHECK (state IN ('live', 'removed')),
    removed_at INTEGER,
    revision INTEGER NOT NULL CHECK (revision > 0),
    last_event BLOB NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, last_event),
    CHECK ((kind = 'jwk') = (algorithm IS NOT NULL)),
    CHECK ((kind = 'jwk') = (public_key IS NOT NULL)),
    CHECK ((kind = 'subject') = (subject_kind IS NOT NULL)),
    CHECK ((kind = 'subject') = (subject IS NOT NULL)),
    CHECK ((state = 'removed') = (removed_at IS NOT NULL)),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id),
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE INDEX client_key_by_agent ON client_key (organization_id, agent_id, id);
CREATE INDEX client_key_by_kid ON client_key (organization_id, agent_id, kid);
CREATE UNIQUE INDEX client_key_called ON client_key (organization_id, agent_id, kid) WHERE state = 'live';
CREATE UNIQUE INDEX client_key_doubled ON client_key (organization_id, agent_id, thumbprint) WHERE state = 'live';

CREATE TRIGGER client_key_is_never_replaced BEFORE INSERT ON client_key
WHEN EXISTS (
    SELECT 1 FROM client_key
    WHERE id = new.id
        OR rowid = new.rowid
        OR (organization_id = new.organization_id AND last_event = new.last_event)
)
    OR EXISTS (
        SELECT 1 FROM client_key
        WHERE organization_id = new.organization_id
            AND agent_id = new.agent_id
            AND state = 'live'
            AND new.state = 'live'
            AND (kid = new.kid OR thumbprint = new.thumbprint)
    )
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

CREATE TRIGGER client_key_begins_with_an_event BEFORE INSERT ON client_key
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND organization_id = new.organization_id
        AND outcome = 'success'
        AND action = 'key.added'
        AND resource_kind = 'key'
        AND unhex(replace(resource_id, '-', '')) = new.id
)
BEGIN SELECT RAISE(ABORT, 'a client key begins with an event about it'); END;

CREATE TRIGGER client_key_changes_with_an_event BEFORE UPDATE ON client_key
WHEN NOT EXISTS (
    SELECT 1 FROM audit_event
    WHERE id = new.last_event
        AND position > (SELECT position FROM audit_event WHERE id = old.last_event)
        AND organization_id = old.organization_id
        AND outcome = 'success'
        AND action GLOB 'key.*'
        AND resource_kind = 'key'
        AND unhex(replace(resource_id, '-', '')) = old.id
)
BEGIN SELECT RAISE(ABORT, 'a client key changes only with a new event about it'); END;

CREATE TRIGGER client_key_revision_rises_by_one BEFORE UPDATE ON client_key
WHEN new.revision <> old.revision + 1
BEGIN SELECT RAISE(ABORT, 'the revision of a client key rises by one'); END;

CREATE TRIGGER client_key_keeps_its_identity BEFORE UPDATE ON client_key
WHEN new.id <> old.id
    OR new.rowid <> old.rowid
    OR new.organization_id <> old.organization_id
    OR new.agent_id <> old.agent_id
    OR new.kid <> old.kid
    OR new.kind <> old.kind
    OR new.algorithm IS NOT old.algorithm
    OR new.public_key IS NOT old.public_key
    OR new.subject_kind IS NOT old.subject_kind
    OR new.subject IS NOT old.subject
    OR new.thumbprint <> old.thumbprint
    OR new.name IS NOT old.name
    OR new.created_at <> old.created_at
    OR new.expires_at IS NOT old.expires_at
BEGIN SELECT RAISE(ABORT, 'of a client key nothing changes but that it is removed'); END;

CREATE TRIGGER client_key_keeps_its_life_cycle BEFORE UPDATE ON client_key
WHEN old.state = 'removed'
BEGIN SELECT RAISE(ABORT, 'the life cycle of a client key has no such step'); END;

CREATE TRIGGER client_key_is_never_deleted BEFORE DELETE ON client_key
BEGIN SELECT RAISE(ABORT, 'a client key is never deleted'); END;

-- A server of the release before knows no keys, and would make a secret beside them.
CREATE TRIGGER credential_is_the_only_way BEFORE INSERT ON credential
WHEN EXISTS (
    SELECT 1 FROM client_key
    WHERE organization_id = new.organization_id AND agent_id = new.agent_id AND state = 'live'
)
BEGIN SELECT RAISE(ABORT, 'an agent that has a key gets no secret'); END;

-- Only of secrets that never end: whether another one has ended depends on whose clock is asked.
CREATE TRIGGER client_key_is_the_only_way BEFORE INSERT ON client_key
WHEN EXISTS (
    SELECT 1 FROM credential
    WHERE organization_id = new.organization_id AND agent_id = new.agent_id AND state = 'live' AND expires_at IS NULL
)
BEGIN SELECT RAISE(ABORT, 'an agent that has a secret gets no key'); END;

-- A key is used as a secret is: what was used last is no longer a credential alone.
CREATE TABLE last_use_of_any (
    credential_id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organization (id),
    agent_id BLOB NOT NULL,
    used_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO last_use_of_any (credential_id, organization_id, agent_id, used_at)
SELECT credential_id, organization_id, agent_id, used_at FROM last_use;

DROP TABLE last_use;
ALTER TABLE last_use_of_any RENAME TO last_use;

CREATE INDEX last_use_by_agent ON last_use (organization_id, agent_id, used_at);

-- Signing keys of several algorithms, of each of which one signs and one is next; and the way out for a key that somebody
-- else may have. What a column may hold cannot be altered: the table is made anew, and its rows keep their places.
CREATE TABLE signing_key_of_any (
    id TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL CHECK (algorithm IN ('ES256', 'EdDSA', 'RS256', 'PS256')),
    public_key BLOB NOT NULL,
    private_key BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('published', 'active', 'retiring', 'retired', 'compromised')),
    state_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    revision INTEGER NOT NULL CHECK (revision > 0),
    last_event BLOB NOT NULL UNIQUE REFERENCES audit_event (id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

INSERT INTO signing_key_of_any (
    rowid, id, algorithm, public_key, private_key, state, state_at, created_at, revision, last_event
)
SELECT rowid, id, algorithm, public_key, private_key, state, state_at, created_at, revision, last_event
FROM signing_key;

DROP TABLE signing_key;
ALTER TABLE signing_key_of_any RENAME TO signing_key;

CREATE INDEX signing_key_by_age ON signing_key (created_at, id);
CREATE UNIQUE INDEX signing_key_active ON signing_key (algorithm) WHERE state = 'active';
CREATE UNIQUE INDEX signing_key_next ON signing_key (algorithm) WHERE state = 'published';

CREATE TRIGGER signing_key_is_never_replaced BEFORE INSERT ON signing_key
WHEN EXISTS (SELECT 1 FROM signing_key WHERE id = new.id OR rowid = new.rowid)
    OR EXISTS (
        SELECT 1 FROM signing_key
        WHERE algorithm = new.algorithm AND state = new.state AND state IN ('active', 'published')
    )
BEGIN SELECT RAISE(ABORT, 'a row that is there is never replaced'); END;

-- `UPDATE OR REPLACE` would delete the key that is active, or next.
CREATE TRIGGER signing_key_replaces_none BEFORE UPDATE ON signing_key
WHEN EXISTS (
    SELECT 1 FROM signing_key
    WHERE algorithm = new.algorithm AND state = new.state AND state IN ('active', 'published') AND id <> old.id
)
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
    WHEN 'published' THEN new.state IN ('published', 'active', 'retired', 'compromised')
    WHEN 'active' THEN new.state IN ('active', 'retiring', 'compromised')
    WHEN 'retiring' THEN new.state IN ('retiring', 'retired', 'compromised')
    ELSE new.state = old.state
END
BEGIN SELECT RAISE(ABORT, 'the life cycle of a signing key has no such step'); END;

CREATE TRIGGER signing_key_is_never_deleted BEFORE DELETE ON signing_key
BEGIN SELECT RAISE(ABORT, 'a signing key is never deleted'); END;
