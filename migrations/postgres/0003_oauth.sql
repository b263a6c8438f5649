-- What OAuth asks of the record: keys of clients, values that are good once, resources, more kinds of signing keys.

-- Resource servers, and agents whose tokens are bound to a key of theirs. An agent that the release before writes answers to
-- nothing, and its tokens are bound to none.
ALTER TABLE agent
    ADD COLUMN resources text[] COLLATE "C" NOT NULL DEFAULT '{}',
    ADD COLUMN dpop_bound boolean NOT NULL DEFAULT false;

CREATE INDEX agent_resource_server ON agent (organization_id, id) WHERE status = 'active' AND resources <> '{}';

-- What is good once: the `jti` of an assertion, or of a proof, by a digest, until whatever bears it would be refused for its
-- age. It is no record and leaves no event of its own: that of the token, or of the refusal, tells of it.
CREATE TABLE single_use (
    organization_id uuid NOT NULL REFERENCES organization (id),
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    expires_at bigint NOT NULL,
    PRIMARY KEY (organization_id, digest)
);

CREATE INDEX single_use_expired ON single_use (organization_id, expires_at);

-- A use that is forgotten too early could be had again.
CREATE FUNCTION single_use_is_kept_until_expiry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF old.expires_at >= extract(epoch FROM clock_timestamp()) * 1000000 THEN
        RAISE EXCEPTION 'a use is kept until it would be refused for its age' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN old;
END $$;

CREATE TRIGGER single_use_is_never_updated BEFORE UPDATE ON single_use
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a use is never changed');
CREATE TRIGGER single_use_is_kept_until_expiry BEFORE DELETE ON single_use
    FOR EACH ROW EXECUTE FUNCTION single_use_is_kept_until_expiry();
CREATE TRIGGER single_use_is_never_emptied BEFORE TRUNCATE ON single_use
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a use is kept until it would be refused for its age');

ALTER TABLE single_use ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_organization ON single_use
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
GRANT SELECT, INSERT, DELETE ON single_use TO idp_app;

-- The public keys of clients, and the certificates that take their place. An agent has secrets that work or keys, never both, and
-- keys of one kind: the server sees to that, in the transaction that writes them. `thumbprint` is that of RFC 7638 or RFC 8705, or
-- a digest of the subject; `public_key` is the raw form of the algorithm, as of a signing key.
CREATE TABLE client_key (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    kid text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL CHECK (kind IN ('jwk', 'certificate', 'subject')),
    algorithm text COLLATE "C" CHECK (algorithm IN ('ES256', 'EdDSA', 'RS256', 'PS256')),
    public_key bytea,
    subject_kind text COLLATE "C" CHECK (subject_kind IN ('subject_dn', 'san_dns', 'san_uri', 'san_ip', 'san_email')),
    subject text COLLATE "C",
    thumbprint text COLLATE "C" NOT NULL,
    name text,
    created_at bigint NOT NULL,
    expires_at bigint,
    state text COLLATE "C" NOT NULL CHECK (state IN ('live', 'removed')),
    removed_at bigint,
    revision bigint NOT NULL CHECK (revision > 0),
    last_event uuid NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, last_event),
    CHECK ((kind = 'jwk') = (algorithm IS NOT NULL)),
    CHECK ((kind = 'jwk') = (public_key IS NOT NULL)),
    CHECK ((kind = 'subject') = (subject_kind IS NOT NULL)),
    CHECK ((kind = 'subject') = (subject IS NOT NULL)),
    CHECK ((state = 'removed') = (removed_at IS NOT NULL)),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id),
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX client_key_by_agent ON client_key (organization_id, agent_id, id);
CREATE INDEX client_key_by_kid ON client_key (organization_id, agent_id, kid);
CREATE UNIQUE INDEX client_key_called ON client_key (organization_id, agent_id, kid) WHERE state = 'live';
CREATE UNIQUE INDEX client_key_doubled ON client_key (organization_id, agent_id, thumbprint) WHERE state = 'live';

CREATE FUNCTION client_key_is_written_under_an_event() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT is_event_of(new.organization_id, new.last_event, 'key', new.id::text, 'key.added') THEN
            RAISE EXCEPTION 'a client key begins with an event about it' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF NOT is_event_after(old.last_event, old.organization_id, new.last_event, 'key', old.id::text) THEN
        RAISE EXCEPTION 'a client key changes only with a new event about it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO change_feed (organization_id, resource_kind, resource_id) VALUES (new.organization_id, 'key', new.id::text);
    RETURN new;
END $$;

CREATE TRIGGER client_key_is_written_under_an_event BEFORE INSERT OR UPDATE ON client_key
    FOR EACH ROW EXECUTE FUNCTION client_key_is_written_under_an_event();
CREATE TRIGGER client_key_revision_rises_by_one BEFORE UPDATE ON client_key
    FOR EACH ROW WHEN (new.revision <> old.revision + 1)
    EXECUTE FUNCTION refuse('the revision of a client key rises by one');
CREATE TRIGGER client_key_keeps_its_identity BEFORE UPDATE ON client_key
    FOR EACH ROW WHEN (
        new.id <> old.id
        OR new.organization_id <> old.organization_id
        OR new.agent_id <> old.agent_id
        OR new.kid <> old.kid
        OR new.kind <> old.kind
        OR new.algorithm IS DISTINCT FROM old.algorithm
        OR new.public_key IS DISTINCT FROM old.public_key
        OR new.subject_kind IS DISTINCT FROM old.subject_kind
        OR new.subject IS DISTINCT FROM old.subject
        OR new.thumbprint <> old.thumbprint
        OR new.name IS DISTINCT FROM old.name
        OR new.created_at <> old.created_at
        OR new.expires_at IS DISTINCT FROM old.expires_at
    )
    EXECUTE FUNCTION refuse('of a client key nothing changes but that it is removed');
CREATE TRIGGER client_key_keeps_its_life_cycle BEFORE UPDATE ON client_key
    FOR EACH ROW WHEN (old.state = 'removed')
    EXECUTE FUNCTION refuse('the life cycle of a client key has no such step');
CREATE TRIGGER client_key_is_never_deleted BEFORE DELETE ON client_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a client key is never deleted');
CREATE TRIGGER client_key_is_never_emptied BEFORE TRUNCATE ON client_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a client key is never deleted');

-- A server of the release before knows no keys, and would make a secret beside them. What it reads is what the inserting role
-- sees: the rows of the organization, the only one that it may insert for.
CREATE FUNCTION credential_is_the_only_way() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM client_key
        WHERE organization_id = new.organization_id AND agent_id = new.agent_id AND state = 'live'
    ) THEN
        RAISE EXCEPTION 'an agent that has a key gets no secret' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN new;
END $$;

-- Only of secrets that never end: whether another one has ended depends on whose clock is asked.
CREATE FUNCTION client_key_is_the_only_way() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM credential
        WHERE organization_id = new.organization_id AND agent_id = new.agent_id AND state = 'live' AND expires_at IS NULL
    ) THEN
        RAISE EXCEPTION 'an agent that has a secret gets no key' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN new;
END $$;

CREATE TRIGGER credential_is_the_only_way BEFORE INSERT ON credential
    FOR EACH ROW EXECUTE FUNCTION credential_is_the_only_way();
CREATE TRIGGER client_key_is_the_only_way BEFORE INSERT ON client_key
    FOR EACH ROW EXECUTE FUNCTION client_key_is_the_only_way();

ALTER TABLE client_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_organization ON client_key
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
GRANT SELECT, INSERT, UPDATE ON client_key TO idp_app;

-- A key is used as a secret is: what was used last is no longer a credential alone.
ALTER TABLE last_use
    DROP CONSTRAINT last_use_organization_id_credential_id_fkey,
    ADD FOREIGN KEY (organization_id) REFERENCES organization (id);
GRANT SELECT (organization_id, id, agent_id) ON client_key TO idp_eraser;

-- Signing keys of several algorithms, of each of which one signs and one is next; and the way out for a key that somebody
-- else may have. The table is small: to check it anew takes no time.
ALTER TABLE signing_key
    DROP CONSTRAINT signing_key_algorithm_check,
    ADD CONSTRAINT signing_key_algorithm_check CHECK (algorithm IN ('ES256', 'EdDSA', 'RS256', 'PS256')),
    DROP CONSTRAINT signing_key_state_check,
    ADD CONSTRAINT signing_key_state_check
        CHECK (state IN ('published', 'active', 'retiring', 'retired', 'compromised'));

DROP INDEX signing_key_active;
CREATE UNIQUE INDEX signing_key_active ON signing_key (algorithm) WHERE state = 'active';
CREATE UNIQUE INDEX signing_key_next ON signing_key (algorithm) WHERE state = 'published';

DROP TRIGGER signing_key_keeps_its_life_cycle ON signing_key;
CREATE TRIGGER signing_key_keeps_its_life_cycle BEFORE UPDATE ON signing_key
    FOR EACH ROW WHEN (
        NOT CASE old.state
            WHEN 'published' THEN new.state IN ('published', 'active', 'retired', 'compromised')
            WHEN 'active' THEN new.state IN ('active', 'retiring', 'compromised')
            WHEN 'retiring' THEN new.state IN ('retiring', 'retired', 'compromised')
            ELSE new.state = old.state
        END
    )
    EXECUTE FUNCTION refuse('the life cycle of a signing key has no such step');
