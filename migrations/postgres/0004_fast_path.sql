-- What lets a request cost the same however much there is.

-- How many agents an organization has: with each page of the list, with the organization and with each registration that its plan
-- bounds. To count them would take the longer the more there are. Triggers of the agents alone write it, as they do
-- `agent_capability`; who changes an agent holds the lock of its organization, so that nobody else waits for the row.
CREATE TABLE agent_tally (
    organization_id uuid NOT NULL PRIMARY KEY REFERENCES organization (id),
    -- Not archived: those that the list shows.
    listed bigint NOT NULL,
    -- Neither decommissioned nor archived: those that the plan counts.
    in_use bigint NOT NULL CHECK (in_use BETWEEN 0 AND listed)
);

CREATE FUNCTION agent_is_counted() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    more_listed integer := (new.status <> 'archived')::integer;
    more_in_use integer := (new.status NOT IN ('decommissioned', 'archived'))::integer;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        more_listed := more_listed - (old.status <> 'archived')::integer;
        more_in_use := more_in_use - (old.status NOT IN ('decommissioned', 'archived'))::integer;
    END IF;
    UPDATE agent_tally SET listed = listed + more_listed, in_use = in_use + more_in_use
    WHERE organization_id = new.organization_id;
    IF NOT FOUND THEN
        INSERT INTO agent_tally (organization_id, listed, in_use)
        VALUES (new.organization_id, more_listed, more_in_use);
    END IF;
    RETURN NULL;
END $$;

-- First the triggers, whose making waits for whoever writes agents, and then what is there.
CREATE TRIGGER agent_is_counted AFTER INSERT ON agent
    FOR EACH ROW EXECUTE FUNCTION agent_is_counted();
CREATE TRIGGER agent_is_counted_anew AFTER UPDATE ON agent
    FOR EACH ROW WHEN (new.status <> old.status) EXECUTE FUNCTION agent_is_counted();

ALTER TABLE agent NO FORCE ROW LEVEL SECURITY;
INSERT INTO agent_tally (organization_id, listed, in_use)
SELECT organization_id,
    count(*) FILTER (WHERE status <> 'archived'),
    count(*) FILTER (WHERE status NOT IN ('decommissioned', 'archived'))
FROM agent GROUP BY organization_id;
ALTER TABLE agent FORCE ROW LEVEL SECURITY;

CREATE TRIGGER agent_tally_follows_its_agents BEFORE INSERT OR UPDATE OR DELETE ON agent_tally
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION refuse('a tally follows its agents');
CREATE TRIGGER agent_tally_is_never_emptied BEFORE TRUNCATE ON agent_tally
    FOR EACH STATEMENT EXECUTE FUNCTION refuse('a tally follows its agents');

ALTER TABLE agent_tally ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY one_organization ON agent_tally
    USING (organization_id = current_organization()) WITH CHECK (organization_id = current_organization());
GRANT SELECT, INSERT, UPDATE ON agent_tally TO idp_app;
