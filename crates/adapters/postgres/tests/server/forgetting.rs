//! What is good once is forgotten by one at a time, and nobody waits for whoever does.

use std::time::Duration;

use jose::{SingleUse, SingleUses};
use sqlx::{AssertSqlSafe, Executor};
use tenancy::Kind;

use crate::running::Running;

#[tokio::test]
async fn a_use_that_is_an_occasion_to_forget_waits_for_nobody_who_forgets() {
    let running = Running::fresh().await;
    let organization = running.organization("first", Kind::Tenant).await.organization();
    let used = |id: &str| {
        let over = running.machine.now().plus(Duration::from_secs(60));
        SingleUse::new("assertion", "agent", id, over)
    };
    let (store, now) = (&running.store, || running.machine.now());
    for id in ["1", "2", "3"] {
        assert!(store.use_once(organization, &used(id), now()).await.unwrap());
    }
    running.machine.wait(Duration::from_secs(7_300));
    let mut other = running.database.connection().await;
    let forgets = format!(
        "BEGIN;
        SELECT pg_advisory_xact_lock(hashtext('a use is forgotten'), hashtext('{organization}'));
        DELETE FROM single_use"
    );
    other.execute(AssertSqlSafe(forgets)).await.unwrap();
    let ids = (0..).map(|id| used(&format!("later {id}")));
    let mut occasions = ids.filter(SingleUse::is_an_occasion_to_forget);
    assert!(store.use_once(organization, &occasions.next().unwrap(), now()).await.unwrap());
    let count = "SELECT count(*) FROM single_use";
    assert_eq!(running.database.number(count).await, 4, "nobody else has forgotten yet");
    other.execute("ROLLBACK").await.unwrap();
    assert!(store.use_once(organization, &occasions.next().unwrap(), now()).await.unwrap());
    assert_eq!(running.database.number(count).await, 2, "now it is forgotten");
    running.close().await;
}
