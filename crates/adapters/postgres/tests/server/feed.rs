//! The feed of changes: what it forgets, what it cannot know, and how it heals.

use audit::{ChangeFeed, Changed, News};
use postgres_store::PostgresFeed;
use sqlx::Executor;
use tenancy::{Kind, Scope};

use crate::running::Running;

async fn looking(running: &Running) -> PostgresFeed {
    let mut feed = running.store.feed();
    assert_eq!(feed.news().await.unwrap(), News::Unknown);
    assert_eq!(feed.news().await.unwrap(), News::Changes(Vec::new()));
    feed
}

async fn changed(running: &Running, scope: &Scope, name: &str) -> News {
    let agent = running.agent(scope, name).await.unwrap();
    let organization = scope.organization();
    News::Changes(vec![Changed { organization, resource: agent.id().into() }])
}

/// So many changes of long ago, and one of a minute ago, which another replica may not know yet.
const OLD: &str = "
    INSERT INTO change_feed (organization_id, resource_kind, resource_id, changed_at)
    SELECT gen_random_uuid(), 'agent', number::text, now() - interval '6 minutes'
    FROM generate_series(1, 2500) AS number
    UNION ALL
    SELECT gen_random_uuid(), 'agent', 'late', now() - interval '1 minute'";
const KEPT: &str = "SELECT count(*) FROM change_feed";

#[tokio::test]
async fn ds_09_old_changes_are_forgotten_a_few_at_a_time_until_none_is_left() {
    let running = Running::fresh().await;
    running.database.execute(OLD).await;
    let mut feed = looking(&running).await;
    let mut counts = Vec::new();
    for _ in 0..260 {
        feed.news().await.unwrap();
        counts.push(running.database.number(KEPT).await);
    }
    counts.dedup();
    assert_eq!(counts, [2501, 1501, 501, 1]);
}

#[tokio::test]
async fn two_replicas_that_forget_at_once_do_not_disturb_each_other() {
    let running = Running::fresh().await;
    running.database.execute(OLD).await;
    let mut feeds = [looking(&running).await, looking(&running).await];
    for _ in 0..260 {
        let [one, other] = &mut feeds;
        let (one, other) = futures_util::future::join(one.news(), other.news()).await;
        assert_eq!((one.unwrap(), other.unwrap()), (News::Changes(vec![]), News::Changes(vec![])));
    }
    assert_eq!(running.database.number(KEPT).await, 1);
}

#[tokio::test]
async fn while_one_replica_clears_up_no_other_does() {
    let running = Running::fresh().await;
    running.database.execute(OLD).await;
    let mut other = running.database.connection().await;
    let lock = "SELECT pg_advisory_lock(hashtext('change_feed is cleared'))";
    other.execute(lock).await.unwrap();
    let mut feed = looking(&running).await;
    for _ in 0..260 {
        feed.news().await.unwrap();
    }
    assert_eq!(running.database.number(KEPT).await, 2501);
}

const KILL_FEED: &str = "
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name = 'idp'";

/// What was changed while it had no session is told by a later look.
#[tokio::test]
async fn a_feed_whose_session_is_killed_misses_nothing() {
    let running = Running::fresh().await;
    let scope = running.organization("first", Kind::Platform).await;
    let mut feed = running.store.feed();
    assert_eq!(feed.news().await.unwrap(), News::Unknown);
    for round in 0..3 {
        running.database.execute(KILL_FEED).await;
        while running.store.probe().await.is_err() {}
        let agent = changed(&running, &scope, &format!("agent{round}")).await;
        let told = match feed.news().await {
            Ok(told) => told,
            Err(_) => feed.news().await.unwrap(),
        };
        assert_eq!(told, agent);
    }
}
