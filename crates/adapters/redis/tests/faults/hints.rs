//! Hints when Redis goes away.

use std::time::Duration;

use audit::ChangeHints;
use contracts::run;
use kernel::StoreError;
use redis_cache::Options;

use crate::kit::{House, timed};

#[test]
fn a_lost_connection_ends_the_listening_and_it_can_begin_anew() {
    run(async {
        let mut house = House::new();
        let hints = house.cache().await.hints();
        let mut ear = hints.listen().await.unwrap();
        house.server.kill().unwrap();
        assert!(matches!(ear.heard().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(hints.listen().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(hints.announce().await, Err(StoreError::Unavailable(_))));
        house.server.restart().unwrap();
        house.clock.turn(Duration::from_secs(1));
        let mut ear = hints.listen().await.unwrap();
        hints.announce().await.unwrap();
        ear.heard().await.unwrap();
    });
}

#[test]
fn a_frozen_redis_holds_up_neither_announcing_nor_listening() {
    run(async {
        let house = House::with(Options::default());
        let hints = house.cache().await.hints();
        house.server.freeze().unwrap();
        let (announced, took) = timed(hints.announce()).await;
        assert!(announced.is_err() && took < Duration::from_secs(2), "{took:?}");
        let (listening, took) = timed(hints.listen()).await;
        assert!(listening.is_err() && took < Duration::from_secs(2), "{took:?}");
    });
}

/// Nobody who waits must hold a connection that calls need.
#[test]
fn listeners_take_no_connection_from_the_calls() {
    run(async {
        let house = House::new();
        let cache = house.cache().await;
        let hints = cache.hints();
        let mut ears = Vec::new();
        for _ in 0..20 {
            ears.push(hints.listen().await.unwrap());
        }
        cache.ping().await.unwrap();
        hints.announce().await.unwrap();
        for mut ear in ears {
            ear.heard().await.unwrap();
        }
    });
}

#[test]
fn a_listener_that_is_dropped_leaves_no_connection() {
    run(async {
        let house = House::new();
        let hints = house.cache().await.hints();
        let ear = hints.listen().await.unwrap();
        let one: u64 = house.command(&["PUBLISH", "idp:changes", ""]).await;
        assert_eq!(one, 1);
        drop(ear);
        let mut direct = house.direct().await;
        let mut publish = redis::cmd("PUBLISH");
        publish.arg("idp:changes").arg("");
        // The server notices in its own time.
        while publish.query_async::<u64>(&mut direct).await.unwrap() > 0 {}
    });
}
