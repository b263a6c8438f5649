//! IR-05 and IR-09 on two replicas: what an organization's end ends, and who learns what of a token that
//! a replica has a copy of.

use std::sync::Arc;

use audit::{Directory, Journal, Organizations, Transactor, record};
use futures_util::future::join;
use kernel::{Clock, Entropy};
use local::{SystemClock, SystemEntropy};
use postgres_store::{Isolation, Login, Options, PostgresStore};
use serde_json::json;
use tenancy::{Actor, Origin, Scope};

use crate::caller::{self, Caller};
use crate::cluster::{Cluster, Plan};
use crate::seen::SIGHT;
use crate::stopwatch::{now, until};

/// Suspends the platform's organization, or takes it back into use, as a process of its own: no API
/// does.
fn set_suspended(cluster: &Cluster, suspended: bool) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let login = Login::parse(&cluster.ground.postgres.url_for("idp")).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let machine = (clock.clone(), entropy);
        let options = Options { connections: 2, ..Options::default() };
        let opened = PostgresStore::open(&login, machine, Isolation::Preferred, &options).await;
        let (store, background) = opened.unwrap();
        let change = async move {
            let organization = store.platform().await.unwrap().unwrap();
            let scope = Scope::new(organization, Actor::System, Origin::internal());
            let mut tx = store.begin(scope).await.unwrap();
            let organization = tx.organization().await.unwrap().unwrap();
            let now = clock.now();
            let change =
                if suspended { organization.suspend(now) } else { organization.reactivate(now) };
            let (tx, _) = record(tx, change.unwrap()).await.unwrap();
            tx.commit().await.unwrap();
        };
        // What goes on behind the store ends with it.
        join(change, background.run()).await
    });
}

#[test]
fn ir_05_the_tokens_of_an_organization_end_with_it_on_both_replicas_and_stay_dead() {
    let cluster = Cluster::start(&Plan::default());
    let front = &*cluster.front;
    let tokens = [0, 1].map(|at| caller::issue(front, at, &cluster.admin).unwrap().unwrap());
    let let_in = |at: usize| {
        let each = tokens.iter().map(|it| caller::is_let_in(front, at, it).unwrap());
        each.filter(|let_in| *let_in).count()
    };
    assert!((0..2).all(|at| let_in(at) == 2));
    set_suspended(&cluster, true);
    let ended_at = now();
    for at in 0..2 {
        until(ended_at, SIGHT, || let_in(at) == 0);
        until(ended_at, SIGHT, || caller::issue(front, at, &cluster.admin).unwrap().is_none());
    }
    for at in (0..2).cycle().take(10) {
        assert_eq!(let_in(at), 0);
    }

    set_suspended(&cluster, false);
    let back_at = now();
    for at in 0..2 {
        until(back_at, SIGHT, || caller::issue(front, at, &cluster.admin).unwrap().is_some());
        let fresh = cluster.admin_at(at);
        assert_eq!(fresh.is_active(at, &fresh.token), Ok(true));
        let still = |one: &caller::Issued| fresh.is_active(at, &one.text).unwrap();
        assert!(!tokens.iter().any(still));
    }
}

#[test]
fn ir_09_a_copy_answers_each_caller_by_its_own_rights_and_no_longer_than_the_token_is_good() {
    let cluster = Cluster::start(&Plan::default());
    let (front, admin) = (&*cluster.front, cluster.admin_at(0));
    let agent = admin.register(0, "guest@a.example", "resume:write").unwrap();
    let secret = admin.give_credential(0, &agent).unwrap();
    let token = caller::issue(front, 0, &secret.client).unwrap().unwrap();
    // A resource server, which the token is not for.
    let server = admin.register(0, "server@a.example", "resume:write").unwrap();
    admin.patch(0, &server, &json!({ "roles": ["resource_server"] })).unwrap();
    let client = admin.give_credential(0, &server).unwrap().client;
    let other = caller::issue(front, 0, &client).unwrap().unwrap();
    let other = Caller { front, token: other.text };
    until(now(), SIGHT, || caller::issue(front, 1, &client).unwrap().is_some());

    for at in (0..2).cycle().take(10) {
        assert_eq!(admin.is_active(at, &token.text), Ok(true));
        assert_eq!(other.is_active(at, &token.text), Ok(false));
    }
    admin.revoke(0, &token.text).unwrap();
    let revoked_at = now();
    assert_eq!(admin.is_active(0, &token.text), Ok(false));
    until(revoked_at, SIGHT, || admin.is_active(1, &token.text) == Ok(false));
    for at in (0..2).cycle().take(10) {
        assert_eq!(admin.is_active(at, &token.text), Ok(false));
        assert_eq!(other.is_active(at, &token.text), Ok(false));
    }
}
