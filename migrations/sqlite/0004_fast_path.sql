-- What lets a request cost the same however much there is.

-- How many agents an organization has: with each page of the list, with the organization and with each registration that its plan
-- bounds. To count them would take the longer the more there are. Two triggers write it, as they do `agent_capability`, and three
-- refuse what they never do. They cannot tell whether a step by one was theirs.
CREATE TABLE agent_tally (
    organization_id BLOB NOT NULL PRIMARY KEY REFERENCES organization (id),
    -- Not archived: those that the list shows.
    listed INTEGER NOT NULL,
    -- Neither decommissioned nor archived: those that the plan counts.
    in_use INTEGER NOT NULL CHECK (in_use BETWEEN 0 AND listed)
) STRICT, WITHOUT ROWID;

INSERT INTO agent_tally (organization_id, listed, in_use)
SELECT organization_id, sum(status <> 'archived'), sum(status NOT IN ('decommissioned', 'archived'))
FROM agent GROUP BY organization_id;

CREATE TRIGGER agent_tally_follows_a_registration AFTER INSERT ON agent
BEGIN
    INSERT INTO agent_tally (organization_id, listed, in_use)
    SELECT new.organization_id, 0, 0
    WHERE NOT EXISTS (SELECT 1 FROM agent_tally WHERE organization_id = new.organization_id);
    UPDATE agent_tally
    SET listed = listed + (new.status <> 'archived'),
        in_use = in_use + (new.status NOT IN ('decommissioned', 'archived'))
    WHERE organization_id = new.organization_id;
END;

CREATE TRIGGER agent_tally_follows_an_update AFTER UPDATE OF status ON agent
WHEN new.status <> old.status
BEGIN
    UPDATE agent_tally
    SET listed = listed + (new.status <> 'archived') - (old.status <> 'archived'),
        in_use = in_use + (new.status NOT IN ('decommissioned', 'archived'))
            - (old.status NOT IN ('decommissioned', 'archived'))
    WHERE organization_id = new.organization_id;
END;

CREATE TRIGGER agent_tally_begins_with_nothing BEFORE INSERT ON agent_tally
WHEN new.listed <> 0
    OR new.in_use <> 0
    OR EXISTS (SELECT 1 FROM agent_tally WHERE organization_id = new.organization_id)
BEGIN SELECT RAISE(ABORT, 'a tally follows its agents'); END;

CREATE TRIGGER agent_tally_goes_by_one BEFORE UPDATE ON agent_tally
WHEN new.organization_id <> old.organization_id
    OR abs(new.listed - old.listed) > 1
    OR abs(new.in_use - old.in_use) > 1
BEGIN SELECT RAISE(ABORT, 'a tally follows its agents'); END;

CREATE TRIGGER agent_tally_is_never_deleted BEFORE DELETE ON agent_tally
BEGIN SELECT RAISE(ABORT, 'a tally follows its agents'); END;

-- The last use of a credential lies with its agent, and with the organization, in one place. Each token that is issued writes it:
-- with two places for it, far apart in a large store, that cost four times as much as in a small one.
CREATE TABLE last_use_of_agent (
    organization_id BLOB NOT NULL REFERENCES organization (id),
    agent_id BLOB NOT NULL,
    credential_id BLOB NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (organization_id, agent_id, credential_id)
) STRICT, WITHOUT ROWID;

INSERT INTO last_use_of_agent (organization_id, agent_id, credential_id, used_at)
SELECT organization_id, agent_id, credential_id, used_at FROM last_use
ORDER BY organization_id, agent_id, credential_id;

DROP TABLE last_use;
ALTER TABLE last_use_of_agent RENAME TO last_use;
