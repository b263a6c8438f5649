//! SM-07: what several processes do first, all at once.

use std::thread;

use crate::caller;
use crate::cluster::{Cluster, Ground, Plan, founded};
use crate::process::{Ended, run};
use crate::support::http::{self, Request};

const KEYS: &str = "SELECT count(*) FROM signing_key WHERE state = 'active'";

/// As many at once as there are replicas.
fn together(ground: &Ground, arguments: &[&str]) -> Vec<Ended> {
    thread::scope(|scope| {
        let begin = |replica| scope.spawn(move || run(&mut ground.command(arguments, replica)));
        let begun: Vec<_> = (0..ground.ports.len()).map(begin).collect();
        begun.into_iter().map(|process| process.join().unwrap()).collect()
    })
}

#[test]
fn sm_07_one_schema_one_admin_and_one_signing_key_come_of_a_first_boot_of_several() {
    let ground = Ground::lay(&Plan { replicas: 3, ..Plan::default() });
    for ended in together(&ground, &["migrate"]) {
        assert_eq!(ended.code, Some(0), "{}", ended.log);
    }
    ground.make_login();
    let bootstrap = ["bootstrap", "--organization", "first", "--json"];
    let (done, refused): (Vec<_>, Vec<_>) =
        together(&ground, &bootstrap).into_iter().partition(|ended| ended.code == Some(0));
    assert_eq!((done.len(), refused.len()), (1, 2));
    for ended in refused {
        ended.refused();
    }
    assert_eq!(ground.sql("SELECT count(*) FROM organization"), "1");
    assert_eq!(ground.sql("SELECT count(*) FROM agent"), "1");
    assert_eq!(ground.sql("SELECT count(*) FROM credential"), "1");

    // All at once: there is no key to sign with yet.
    let cluster = Cluster::on(ground, founded(&done[0].out));
    assert_eq!(cluster.sql(KEYS), "1");
    let jwks = |at| {
        let keys = Request::new("GET", "/.well-known/jwks.json");
        http::send(cluster.front.address(at), &keys).unwrap().expect(200)
    };
    for at in 0..3 {
        assert_eq!(jwks(at), jwks(0));
        let token = caller::issue(&cluster.front, at, &cluster.admin).unwrap().unwrap();
        let others = (0..3).map(|other| caller::is_let_in(&cluster.front, other, &token));
        assert!(others.into_iter().all(|it| it == Ok(true)));
    }
}
