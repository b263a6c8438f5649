-- What OAuth asks of the record: keys of clients, values that are good once, resources, more kinds of signing keys.

-- Resource servers, and agents whose tokens are bound to a key of theirs. An agent that the release before writes answers to
-- nothing, and its tokens are bound to none.
ALTER TABLE agent
    ADD COLUMN resources text[] COLLATE "C" NOT NULL DEFAULT '{}',
    ADD COLUMN dpop_bound boolean NOT NULL DEFAULT false;

CREATE INDEX agent_resource_server ON agent (organization_id, id) WHERE status = 'active' AND resources <> '{}';
