-- The schema of the store that many replicas share.
--
-- Times are microseconds since 1970. Names are those of the embedded store's schema.
--
-- Everything here belongs to `idp_owner`, which nobody can log in as. The server acts as `idp_app`, which owns nothing, may
-- define nothing, and sees the rows of one organization at a time: the one that its transaction names in `app.organization`.
-- With none named it sees no row at all. What must be looked up across organizations shows exactly the row that was named:
-- `app.client`, `app.directory`; and the poller of the change feed names itself in `app.feed`.
--
-- A table of record (organization, agent, credential, signing_key, revoked_token) names in `last_event` the audit event of
-- its last change. The types of the server see to that; the triggers here refuse what the types cannot see, which is ad-hoc
-- SQL and a stray UPDATE. They hold that
-- - a row is written only under an event that is there already, that is of a success, in the log of the same organization,
--   about this very row and of an action of its kind;
-- - an update names an event that was written after the one of the update before, so that no event serves twice;
-- - a row changes by one revision at a time, along its life cycle, and never in what it is;
-- - no record and no event is deleted.
--
-- They do not hold that the change is the one that the event tells of, nor that the event is true. And they bind nobody who
-- may act as `idp_owner`.

-- Whose rows the transaction may see and write; null where none is named.
CREATE FUNCTION current_organization() RETURNS uuid
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('app.organization', true), '')::uuid;

-- Refuses a write, for the reason given to the trigger.
CREATE FUNCTION refuse() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation';
END $$;

-- `position` is the order in which events were written, by which the triggers tell a newer one. Within an organization it is
-- exact, since its changes are made one after the other; ids cannot tell it, since they follow clocks.
CREATE TABLE audit_event (
    position bigint GENERATED ALWAYS AS IDENTITY,
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    agent_id uuid,
    action text COLLATE "C" NOT NULL,
    outcome text COLLATE "C" NOT NULL CHECK (outcome IN ('success', 'failure')),
    resource_kind text COLLATE "C",
    resource_id text COLLATE "C",
    request_id text NOT NULL,
    address text,
    user_agent text,
    used_credential_id uuid,
    metadata json NOT NULL,
    occurred_at bigint NOT NULL CHECK (occurred_at >= 0),
    PRIMARY KEY (organization_id, id),
    CHECK ((resource_kind IS NULL) = (resource_id IS NULL))
);

-- Each filter of the log is an index that ends in the id, so that a page is read newest first without a sort. Successes are
-- most of what there is: the primary key serves them. Uses of credentials tell when one was last used.
CREATE INDEX audit_event_by_agent ON audit_event (organization_id, agent_id, id);
CREATE INDEX audit_event_by_action ON audit_event (organization_id, action, id);
CREATE INDEX audit_event_by_resource ON audit_event (organization_id, resource_id, id);
CREATE INDEX audit_event_by_failure ON audit_event (organization_id, id) WHERE outcome = 'failure';
CREATE INDEX audit_event_by_use ON audit_event (organization_id, used_credential_id, id)
    WHERE used_credential_id IS NOT NULL AND outcome = 'success';

CREATE TRIGGER audit_event_is_never_updated BEFORE UPDATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an audit event is never changed');
CREATE TRIGGER audit_event_is_never_deleted BEFORE DELETE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an audit event is never deleted');
CREATE TRIGGER audit_event_is_never_emptied BEFORE TRUNCATE ON audit_event
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an audit event is never deleted');

-- The position of an event, if it is of a success, about this very thing and of an action of its kind.
CREATE FUNCTION position_of_event(organization uuid, event uuid, kind text, resource text) RETURNS bigint
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT position FROM audit_event
    WHERE organization_id = organization
        AND id = event
        AND outcome = 'success'
        AND resource_kind = kind
        AND resource_id = resource
        AND split_part(action, '.', 1) = kind;
END;

-- Whether that event is there and of just this action.
CREATE FUNCTION is_event_of(organization uuid, event uuid, kind text, resource text, wanted text) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT 1 FROM audit_event
        WHERE organization_id = organization AND id = event AND action = wanted
    ) AND position_of_event(organization, event, kind, resource) IS NOT NULL;
END;

-- Whether `event` is such an event, and was written after `before`.
CREATE FUNCTION is_event_after(before uuid, organization uuid, event uuid, kind text, resource text) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT coalesce(
        position_of_event(organization, event, kind, resource)
            > (SELECT position FROM audit_event WHERE organization_id = organization AND id = before),
        false
    );
END;

-- Writes an event for each place of the arrays. The transaction may be of any organization: those that the events name are
-- the ones that it may write events of.
CREATE FUNCTION append_events(
    ids uuid[], organizations uuid[], agents uuid[], actions text[], outcomes text[], kinds text[], resources text[],
    requests text[], addresses text[], user_agents text[], credentials uuid[], details json[], instants bigint[]
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.organizations', (SELECT string_agg(DISTINCT one::text, ',') FROM unnest(organizations) AS one), true);
    INSERT INTO audit_event (
        id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id, address, user_agent,
        used_credential_id, metadata, occurred_at
    )
    SELECT * FROM unnest(
        ids, organizations, agents, actions, outcomes, kinds, resources, requests, addresses, user_agents, credentials, details,
        instants
    );
END $$;

-- What changed of late, for whoever keeps copies. A number that grows is given out at the insert and seen at the commit, so
-- that it cannot tell what is new: `transaction` can, since a snapshot knows which transactions are not over yet.
CREATE TABLE change_feed (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    transaction xid8 NOT NULL DEFAULT pg_current_xact_id(),
    organization_id uuid NOT NULL,
    resource_kind text NOT NULL,
    resource_id text NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX change_feed_by_transaction ON change_feed (transaction);

-- Which organization a client belongs to: what must be known before anybody has an organization, and nothing else. It also
-- holds that no two organizations have an agent of one id.
CREATE TABLE client (
    agent_id uuid PRIMARY KEY,
    organization_id uuid NOT NULL
);

CREATE TABLE organization (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    slug text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('platform', 'tenant')),
    plan text NOT NULL CHECK (plan IN ('free', 'pro', 'enterprise')),
    status text NOT NULL CHECK (status IN ('active', 'suspended')),
    status_since bigint,
    tokens_not_before bigint,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    last_event uuid NOT NULL,
    CHECK ((status = 'active') = (status_since IS NULL)),
    FOREIGN KEY (id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE UNIQUE INDEX organization_platform ON organization (kind) WHERE kind = 'platform';

CREATE FUNCTION organization_is_written_under_an_event() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT is_event_of(new.id, new.last_event, 'organization', new.id::text, 'organization.created') THEN
            RAISE EXCEPTION 'an organization begins with an event about it' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF NOT is_event_after(old.last_event, old.id, new.last_event, 'organization', old.id::text) THEN
        RAISE EXCEPTION 'an organization changes only with a new event about it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO change_feed (organization_id, resource_kind, resource_id) VALUES (new.id, 'organization', new.id::text);
    RETURN new;
END $$;

CREATE TRIGGER organization_is_written_under_an_event BEFORE INSERT OR UPDATE ON organization
    FOR EACH ROW EXECUTE FUNCTION organization_is_written_under_an_event();
CREATE TRIGGER organization_revision_rises_by_one BEFORE UPDATE ON organization
    FOR EACH ROW WHEN (new.revision <> old.revision + 1)
    EXECUTE FUNCTION refuse('the revision of an organization rises by one');
CREATE TRIGGER organization_keeps_its_identity BEFORE UPDATE ON organization
    FOR EACH ROW WHEN (new.id <> old.id OR new.kind <> old.kind OR new.created_at <> old.created_at)
    EXECUTE FUNCTION refuse('the id, kind and creation of an organization never change');
CREATE TRIGGER organization_is_never_deleted BEFORE DELETE ON organization
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an organization is never deleted');
CREATE TRIGGER organization_is_never_emptied BEFORE TRUNCATE ON organization
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an organization is never deleted');

CREATE TABLE agent (
    id uuid NOT NULL,
    organization_id uuid NOT NULL REFERENCES organization (id),
    email text NOT NULL,
    email_folded text COLLATE "C" NOT NULL CHECK (email_folded = lower(email COLLATE "C")),
    agent_type text COLLATE "C" NOT NULL,
    version text NOT NULL,
    capabilities text[] NOT NULL CHECK (cardinality(capabilities) > 0),
    owner text COLLATE "C" NOT NULL,
    deployment_env text COLLATE "C" NOT NULL CHECK (deployment_env IN ('development', 'staging', 'production')),
    status text COLLATE "C" NOT NULL CHECK (status IN ('active', 'suspended', 'revoked', 'decommissioned', 'archived')),
    status_since bigint,
    decommissioned_at bigint,
    roles text[] NOT NULL,
    is_public boolean NOT NULL,
    metadata json NOT NULL CHECK (json_typeof(metadata) = 'object'),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    tokens_not_before bigint,
    revision bigint NOT NULL CHECK (revision > 0),
    last_event uuid NOT NULL,
    PRIMARY KEY (organization_id, id),
    UNIQUE (organization_id, last_event),
    CHECK ((status = 'active') = (status_since IS NULL)),
    CHECK ((status = 'archived') = (decommissioned_at IS NOT NULL)),
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
);

-- Whoever is gone for good gives the address free. The index also counts the agents that a plan counts.
CREATE UNIQUE INDEX agent_email ON agent (organization_id, email_folded) WHERE status NOT IN ('decommissioned', 'archived');
CREATE INDEX agent_listed ON agent (organization_id, id) WHERE status <> 'archived';
CREATE INDEX agent_by_owner ON agent (organization_id, owner, id);
CREATE INDEX agent_by_type ON agent (organization_id, agent_type, id);
CREATE INDEX agent_by_status ON agent (organization_id, status, id);
CREATE INDEX agent_by_deployment_env ON agent (organization_id, deployment_env, id);
CREATE INDEX agent_active_admin ON agent (organization_id, id) WHERE status = 'active' AND 'admin' = ANY (roles);

-- The capabilities of `agent`, turned around for the list's filter. Triggers alone write it.
CREATE TABLE agent_capability (
    organization_id uuid NOT NULL,
    capability text COLLATE "C" NOT NULL,
    agent_id uuid NOT NULL,
    PRIMARY KEY (organization_id, capability, agent_id),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id)
);

CREATE INDEX agent_capability_by_agent ON agent_capability (organization_id, agent_id);

CREATE FUNCTION agent_is_written_under_an_event() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT is_event_of(new.organization_id, new.last_event, 'agent', new.id::text, 'agent.created') THEN
            RAISE EXCEPTION 'an agent begins with an event about it' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF NOT is_event_after(old.last_event, old.organization_id, new.last_event, 'agent', old.id::text) THEN
        RAISE EXCEPTION 'an agent changes only with a new event about it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO change_feed (organization_id, resource_kind, resource_id) VALUES (new.organization_id, 'agent', new.id::text);
    RETURN new;
END $$;

CREATE FUNCTION agent_is_indexed() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO client (agent_id, organization_id) VALUES (new.id, new.organization_id);
    ELSIF new.capabilities = old.capabilities THEN
        RETURN NULL;
    ELSE
        DELETE FROM agent_capability
        WHERE organization_id = new.organization_id AND agent_id = new.id AND capability <> ALL (new.capabilities);
    END IF;
    INSERT INTO agent_capability (organization_id, capability, agent_id)
    SELECT new.organization_id, held, new.id FROM unnest(new.capabilities) AS held
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;

CREATE FUNCTION agent_capability_follows_its_agent() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    row_at_hand agent_capability := CASE TG_OP WHEN 'DELETE' THEN old ELSE new END;
    held boolean := EXISTS (
        SELECT 1 FROM agent
        WHERE organization_id = row_at_hand.organization_id
            AND id = row_at_hand.agent_id
            AND row_at_hand.capability = ANY (capabilities)
    );
BEGIN
    IF held = (TG_OP = 'DELETE') THEN
        RAISE EXCEPTION 'a capability follows its agent' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN row_at_hand;
END $$;

CREATE TRIGGER agent_is_written_under_an_event BEFORE INSERT OR UPDATE ON agent
    FOR EACH ROW EXECUTE FUNCTION agent_is_written_under_an_event();
CREATE TRIGGER agent_is_indexed AFTER INSERT OR UPDATE ON agent
    FOR EACH ROW EXECUTE FUNCTION agent_is_indexed();
CREATE TRIGGER agent_revision_rises_by_one BEFORE UPDATE ON agent
    FOR EACH ROW WHEN (new.revision <> old.revision + 1)
    EXECUTE FUNCTION refuse('the revision of an agent rises by one');
CREATE TRIGGER agent_keeps_its_identity BEFORE UPDATE ON agent
    FOR EACH ROW WHEN (
        new.id <> old.id
        OR new.organization_id <> old.organization_id
        OR new.email <> old.email
        OR new.created_at <> old.created_at
    )
    EXECUTE FUNCTION refuse('the id, organization, email and creation of an agent never change');
CREATE TRIGGER agent_keeps_its_life_cycle BEFORE UPDATE ON agent
    FOR EACH ROW WHEN (
        NOT CASE old.status
            WHEN 'revoked' THEN new.status IN ('revoked', 'decommissioned')
            WHEN 'decommissioned' THEN new.status IN ('decommissioned', 'archived')
            WHEN 'archived' THEN new.status = 'archived'
            ELSE new.status <> 'archived'
        END
    )
    EXECUTE FUNCTION refuse('the life cycle of an agent has no such step');
CREATE TRIGGER agent_is_never_deleted BEFORE DELETE ON agent
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an agent is never deleted');
CREATE TRIGGER agent_is_never_emptied BEFORE TRUNCATE ON agent
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('an agent is never deleted');
CREATE TRIGGER agent_capability_follows_its_agent BEFORE INSERT OR DELETE ON agent_capability
    FOR EACH ROW EXECUTE FUNCTION agent_capability_follows_its_agent();
CREATE TRIGGER agent_capability_is_never_updated BEFORE UPDATE ON agent_capability
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a capability follows its agent');
CREATE TRIGGER agent_capability_is_never_emptied BEFORE TRUNCATE ON agent_capability
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a capability follows its agent');
CREATE TRIGGER client_is_never_updated BEFORE UPDATE ON client
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a client follows its agent');
CREATE TRIGGER client_is_never_deleted BEFORE DELETE ON client
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a client follows its agent');
CREATE TRIGGER client_is_never_emptied BEFORE TRUNCATE ON client
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a client follows its agent');

ALTER TABLE client ADD FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id);

-- A key is remembered for a day. It is written with the agent that it registered, whose event covers it.
CREATE TABLE idempotency_key (
    organization_id uuid NOT NULL,
    caller_id uuid NOT NULL,
    key text COLLATE "C" NOT NULL,
    fingerprint bytea NOT NULL CHECK (octet_length(fingerprint) = 32),
    agent_id uuid NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (organization_id, caller_id, key),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id)
);

CREATE INDEX idempotency_key_expired ON idempotency_key (organization_id, expires_at);

CREATE TABLE credential (
    id uuid NOT NULL,
    organization_id uuid NOT NULL,
    agent_id uuid NOT NULL,
    name text,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    pepper_version bigint NOT NULL CHECK (pepper_version > 0),
    state text COLLATE "C" NOT NULL CHECK (state IN ('live', 'superseded', 'revoked')),
    superseded_by uuid,
    revoked_at bigint,
    created_at bigint NOT NULL,
    expires_at bigint,
    revision bigint NOT NULL CHECK (revision > 0),
    -- A rotation writes two credentials with one event: not unique.
    last_event uuid NOT NULL,
    PRIMARY KEY (organization_id, id),
    CHECK ((state = 'superseded') = (superseded_by IS NOT NULL)),
    CHECK ((state = 'revoked') = (revoked_at IS NOT NULL)),
    CHECK (state <> 'superseded' OR expires_at IS NOT NULL),
    FOREIGN KEY (organization_id, agent_id) REFERENCES agent (organization_id, id),
    FOREIGN KEY (organization_id, superseded_by) REFERENCES credential (organization_id, id) DEFERRABLE INITIALLY DEFERRED,
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX credential_by_agent ON credential (organization_id, agent_id, id);
CREATE INDEX credential_unrevoked ON credential (organization_id, agent_id, expires_at) WHERE state <> 'revoked';

-- The event of a rotation is about the old credential, and names the new one.
CREATE FUNCTION is_successor(organization uuid, event uuid, successor uuid) RETURNS boolean
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT 1 FROM audit_event
        WHERE organization_id = organization
            AND id = event
            AND outcome = 'success'
            AND resource_kind = 'credential'
            AND action = 'credential.rotated'
            AND metadata ->> 'successorId' = successor::text
    );
END;

CREATE FUNCTION credential_is_written_under_an_event() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT is_event_of(new.organization_id, new.last_event, 'credential', new.id::text, 'credential.generated')
            AND NOT is_successor(new.organization_id, new.last_event, new.id)
        THEN
            RAISE EXCEPTION 'a credential begins with an event about it' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF NOT is_event_after(old.last_event, old.organization_id, new.last_event, 'credential', old.id::text) THEN
        RAISE EXCEPTION 'a credential changes only with a new event about it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO change_feed (organization_id, resource_kind, resource_id) VALUES (new.organization_id, 'credential', new.id::text);
    RETURN new;
END $$;

CREATE TRIGGER credential_is_written_under_an_event BEFORE INSERT OR UPDATE ON credential
    FOR EACH ROW EXECUTE FUNCTION credential_is_written_under_an_event();
CREATE TRIGGER credential_revision_rises_by_one BEFORE UPDATE ON credential
    FOR EACH ROW WHEN (new.revision <> old.revision + 1)
    EXECUTE FUNCTION refuse('the revision of a credential rises by one');
CREATE TRIGGER credential_keeps_its_identity BEFORE UPDATE ON credential
    FOR EACH ROW WHEN (
        new.id <> old.id
        OR new.organization_id <> old.organization_id
        OR new.agent_id <> old.agent_id
        OR new.hash <> old.hash
        OR new.pepper_version <> old.pepper_version
        OR new.created_at <> old.created_at
    )
    EXECUTE FUNCTION refuse('the id, owner, hash and creation of a credential never change');
CREATE TRIGGER credential_keeps_its_life_cycle BEFORE UPDATE ON credential
    FOR EACH ROW WHEN (
        (old.state = 'revoked' AND (new.state <> 'revoked' OR new.revoked_at <> old.revoked_at))
        OR (old.state = 'superseded' AND new.state = 'live')
        OR (old.expires_at IS NOT NULL AND (new.expires_at IS NULL OR new.expires_at > old.expires_at))
    )
    EXECUTE FUNCTION refuse('the life cycle of a credential has no such step');
CREATE TRIGGER credential_is_never_deleted BEFORE DELETE ON credential
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a credential is never deleted');
CREATE TRIGGER credential_is_never_emptied BEFORE TRUNCATE ON credential
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a credential is never deleted');

-- The keys of the installation. `public_key` is the raw form of the algorithm: for ES256 the two coordinates. Their events
-- are in the log of the organization that `event_organization_id` names.
CREATE TABLE signing_key (
    id text COLLATE "C" PRIMARY KEY,
    algorithm text NOT NULL CHECK (algorithm IN ('ES256')),
    public_key bytea NOT NULL,
    private_key bytea NOT NULL,
    state text COLLATE "C" NOT NULL CHECK (state IN ('published', 'active', 'retiring', 'retired')),
    state_at bigint NOT NULL,
    created_at bigint NOT NULL,
    revision bigint NOT NULL CHECK (revision > 0),
    event_organization_id uuid NOT NULL,
    last_event uuid NOT NULL,
    UNIQUE (event_organization_id, last_event),
    FOREIGN KEY (event_organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX signing_key_by_age ON signing_key (created_at, id);
CREATE UNIQUE INDEX signing_key_active ON signing_key (state) WHERE state = 'active';

CREATE FUNCTION signing_key_is_written_under_an_event() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NOT is_event_of(new.event_organization_id, new.last_event, 'signing_key', new.id, 'signing_key.published') THEN
            RAISE EXCEPTION 'a signing key begins with an event about it' USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    ELSIF NOT is_event_after(old.last_event, old.event_organization_id, new.last_event, 'signing_key', old.id) THEN
        RAISE EXCEPTION 'a signing key changes only with a new event about it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO change_feed (organization_id, resource_kind, resource_id)
    VALUES (new.event_organization_id, 'signing_key', new.id);
    RETURN new;
END $$;

CREATE TRIGGER signing_key_is_written_under_an_event BEFORE INSERT OR UPDATE ON signing_key
    FOR EACH ROW EXECUTE FUNCTION signing_key_is_written_under_an_event();
CREATE TRIGGER signing_key_revision_rises_by_one BEFORE UPDATE ON signing_key
    FOR EACH ROW WHEN (new.revision <> old.revision + 1)
    EXECUTE FUNCTION refuse('the revision of a signing key rises by one');
CREATE TRIGGER signing_key_keeps_its_identity BEFORE UPDATE ON signing_key
    FOR EACH ROW WHEN (
        new.id <> old.id
        OR new.algorithm <> old.algorithm
        OR new.public_key <> old.public_key
        OR new.event_organization_id <> old.event_organization_id
        OR new.created_at <> old.created_at
    )
    EXECUTE FUNCTION refuse('the id, algorithm, public half, log and creation of a signing key never change');
CREATE TRIGGER signing_key_keeps_its_life_cycle BEFORE UPDATE ON signing_key
    FOR EACH ROW WHEN (
        NOT CASE old.state
            WHEN 'published' THEN new.state IN ('published', 'active')
            WHEN 'active' THEN new.state IN ('active', 'retiring')
            WHEN 'retiring' THEN new.state IN ('retiring', 'retired')
            ELSE new.state = 'retired'
        END
    )
    EXECUTE FUNCTION refuse('the life cycle of a signing key has no such step');
CREATE TRIGGER signing_key_is_never_deleted BEFORE DELETE ON signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a signing key is never deleted');
CREATE TRIGGER signing_key_is_never_emptied BEFORE TRUNCATE ON signing_key
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a signing key is never deleted');

CREATE TABLE revoked_token (
    organization_id uuid NOT NULL REFERENCES organization (id),
    token_id uuid NOT NULL,
    revoked_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    last_event uuid NOT NULL,
    PRIMARY KEY (organization_id, token_id),
    UNIQUE (organization_id, last_event),
    FOREIGN KEY (organization_id, last_event) REFERENCES audit_event (organization_id, id) DEFERRABLE INITIALLY DEFERRED
);

CREATE INDEX revoked_token_expired ON revoked_token (organization_id, expires_at);

CREATE FUNCTION revoked_token_is_written_under_an_event() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF NOT is_event_of(new.organization_id, new.last_event, 'token', new.token_id::text, 'token.revoked') THEN
        RAISE EXCEPTION 'a revocation begins with an event about it' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    INSERT INTO change_feed (organization_id, resource_kind, resource_id) VALUES (new.organization_id, 'token', new.token_id::text);
    RETURN new;
END $$;

-- A revocation that is forgotten while the token could be good would bring the token back to life.
CREATE FUNCTION revoked_token_is_kept_until_expiry() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF old.expires_at >= extract(epoch FROM clock_timestamp()) * 1000000 THEN
        RAISE EXCEPTION 'a revocation is kept until its token has expired' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN old;
END $$;

CREATE TRIGGER revoked_token_is_written_under_an_event BEFORE INSERT ON revoked_token
    FOR EACH ROW EXECUTE FUNCTION revoked_token_is_written_under_an_event();
CREATE TRIGGER revoked_token_is_never_updated BEFORE UPDATE ON revoked_token
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a revocation is never changed');
CREATE TRIGGER revoked_token_is_kept_until_expiry BEFORE DELETE ON revoked_token
    FOR EACH ROW EXECUTE FUNCTION revoked_token_is_kept_until_expiry();
CREATE TRIGGER revoked_token_is_never_emptied BEFORE TRUNCATE ON revoked_token
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a revocation is kept until its token has expired');

-- What must be known before anybody has an organization. Each names what it looks for, and sees that row alone.
CREATE FUNCTION organization_of(client_id uuid) RETURNS uuid
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.client', client_id::text, true);
    RETURN (SELECT organization_id FROM client WHERE agent_id = client_id);
END $$;

CREATE FUNCTION platform() RETURNS uuid
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('app.directory', 'platform', true);
    RETURN (SELECT id FROM organization WHERE kind = 'platform');
END $$;

-- Every table is closed, to its owner too, and each policy opens one way in.
ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE change_feed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE client ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE organization ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE agent ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE agent_capability ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE idempotency_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE credential ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE signing_key ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE revoked_token ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;

CREATE POLICY one_organization ON organization
    USING (id = current_organization()) WITH CHECK (id = current_organization());
CREATE POLICY one_organization ON agent
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY one_organization ON agent_capability
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY one_organization ON idempotency_key
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY one_organization ON credential
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY one_organization ON revoked_token
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
CREATE POLICY one_organization ON audit_event
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
-- Events of several organizations are written by one statement, by one that names them all first.
CREATE POLICY named_organizations ON audit_event FOR INSERT
    WITH CHECK (strpos(current_setting('app.organizations', true), organization_id::text) > 0);

CREATE POLICY the_platform ON organization FOR SELECT
    USING (kind = 'platform' AND current_setting('app.directory', true) = 'platform');

CREATE POLICY one_client ON client FOR SELECT
    USING (agent_id = nullif(current_setting('app.client', true), '')::uuid);
CREATE POLICY own_clients ON client FOR INSERT
    WITH CHECK (organization_id = current_organization());

-- They are the installation's: readable from every organization, and from none only where one is named.
CREATE POLICY any_organization ON signing_key
    USING (current_organization() IS NOT NULL) WITH CHECK (event_organization_id = current_organization());

CREATE POLICY own_changes ON change_feed FOR INSERT
    WITH CHECK (organization_id = current_organization());
CREATE POLICY the_poller ON change_feed FOR SELECT
    USING (current_setting('app.feed', true) = 'on');
CREATE POLICY the_poller_forgets ON change_feed FOR DELETE
    USING (current_setting('app.feed', true) = 'on' AND changed_at < now() - interval '5 minutes');

-- The place of an event and of a change is not the server's to choose: of the columns that tell it, none may be written.
GRANT SELECT ON audit_event, change_feed TO idp_app;
GRANT INSERT (
    id, organization_id, agent_id, action, outcome, resource_kind, resource_id, request_id, address, user_agent,
    used_credential_id, metadata, occurred_at
) ON audit_event TO idp_app;
GRANT INSERT (organization_id, resource_kind, resource_id) ON change_feed TO idp_app;
GRANT DELETE ON change_feed TO idp_app;
GRANT SELECT, INSERT ON client TO idp_app;
GRANT SELECT, INSERT, UPDATE ON organization, agent, credential, signing_key TO idp_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_key TO idp_app;
GRANT SELECT, INSERT, DELETE ON agent_capability, revoked_token TO idp_app;
