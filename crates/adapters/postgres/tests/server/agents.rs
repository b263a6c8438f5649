//! Agents that a replica of the release before writes beside this one.

use audit::Transactor;
use kernel::AgentId;
use registry::{Agent, Agents};
use sqlx::{AssertSqlSafe, Executor};
use tenancy::{Kind, Scope};

use crate::running::Running;

/// An agent, as the release before registers one.
const OLD_INSERT: &str = "
    INSERT INTO agent (
        organization_id, id, email, email_folded, created_at, agent_type, version, capabilities,
        owner, deployment_env, status, status_since, decommissioned_at, roles, is_public, metadata,
        updated_at, tokens_not_before, revision, last_event
    ) VALUES (
        '{organization}', '{agent}', 'old@example.com', 'old@example.com', 1, 'custom', '1.0.0', '{a:b}',
        'o', 'staging', 'active', NULL, NULL, '{}', false, '{}', 1, NULL, 1, '{event}'
    )";

/// A change of one, likewise.
const OLD_UPDATE: &str = "
    UPDATE agent
    SET agent_type = 'custom', version = '1.0.0', capabilities = '{a:b}', owner = 'another',
        deployment_env = 'staging', status = 'active', status_since = NULL, decommissioned_at = NULL,
        roles = '{}', is_public = false, metadata = '{}', updated_at = 2, tokens_not_before = NULL,
        revision = 2, last_event = '{event}'
    WHERE organization_id = '{organization}' AND id = '{agent}' AND revision = 1";

/// The statement under its event, as the server's own role.
async fn written(running: &Running, scope: &Scope, agent: AgentId, (action, sql): (&str, &str)) {
    let event = running.machine.agent_id();
    let whole = format!(
        "BEGIN;
        SELECT set_config('app.organization', '{{organization}}', true);
        SELECT append_events(
            ARRAY['{{event}}']::uuid[], ARRAY['{{organization}}']::uuid[], ARRAY[NULL]::uuid[],
            ARRAY['{action}'], ARRAY['success'], ARRAY['agent'], ARRAY['{{agent}}'], ARRAY['r'],
            ARRAY[NULL]::text[], ARRAY[NULL]::text[], ARRAY[NULL]::uuid[], ARRAY['{{}}']::json[],
            ARRAY[1]::bigint[]
        );
        {sql};
        COMMIT"
    );
    let whole = whole
        .replace("{organization}", &scope.organization().to_string())
        .replace("{event}", &event.to_string())
        .replace("{agent}", &agent.to_string());
    running.database.as_server().await.execute(AssertSqlSafe(whole)).await.unwrap();
}

async fn read(running: &Running, scope: &Scope, agent: AgentId) -> Agent {
    let mut view = running.store.view(scope.organization()).await.unwrap();
    view.agent(agent).await.unwrap().unwrap()
}

#[tokio::test]
async fn an_agent_of_a_replica_of_the_release_before_answers_to_nothing() {
    let running = Running::fresh().await;
    let scope = running.organization("one", Kind::Tenant).await;
    let id = running.machine.agent_id();
    written(&running, &scope, id, ("agent.created", OLD_INSERT)).await;
    let agent = read(&running, &scope, id).await;
    assert!(agent.record().resources.is_empty());
    assert!(!agent.record().dpop_bound_access_tokens);
}

#[tokio::test]
async fn a_replica_of_the_release_before_takes_no_resource_from_an_agent_that_it_changes() {
    let running = Running::fresh().await;
    let scope = running.organization("one", Kind::Tenant).await;
    let before = running.agent(&scope, "one").await.unwrap();
    written(&running, &scope, before.id(), ("agent.updated", OLD_UPDATE)).await;
    let after = read(&running, &scope, before.id()).await;
    assert_eq!(after.record().owner.to_string(), "another");
    assert!(!before.record().resources.is_empty());
    assert_eq!(after.record().resources, before.record().resources);
    assert!(after.record().dpop_bound_access_tokens);
}
