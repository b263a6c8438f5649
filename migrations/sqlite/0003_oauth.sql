-- What OAuth asks of the record: keys of clients, values that are good once, resources, more kinds of signing keys.

-- Resource servers, and agents whose tokens are bound to a key of theirs. An agent that the release before writes answers to
-- nothing, and its tokens are bound to none.
ALTER TABLE agent ADD COLUMN resources TEXT NOT NULL DEFAULT '[]' CHECK (json_type(resources) = 'array');
ALTER TABLE agent ADD COLUMN dpop_bound INTEGER NOT NULL DEFAULT 0 CHECK (dpop_bound IN (0, 1));

CREATE INDEX agent_resource_server ON agent (organization_id, id) WHERE status = 'active' AND resources <> '[]';
