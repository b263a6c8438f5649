//! Limits while Redis is away, and after it lost its counts.

use std::time::Duration;

use contracts::run;
use futures_util::future::join_all;
use redis_cache::Options;

use crate::kit::{House, timed};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn rl_07_one_replica_keeps_its_limit_when_redis_is_killed_and_comes_back_empty() {
    run(async {
        let mut house = House::new();
        let replicas = house.replicas(1).await;
        assert_eq!(house.burst(&replicas[0], 30, 20).await, 20);
        house.server.kill().unwrap();
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 10);
        house.server.restart().unwrap();
        house.clock.turn(SECOND);
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 0);
        house.clock.turn(SECOND * 61);
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 30);
        house.clock.turn(SECOND * 66);
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 30);
        assert!(replicas[0].is_trusting());
    });
}

#[test]
fn rl_07_without_redis_each_of_several_replicas_admits_its_share() {
    run(async {
        let mut house = House::new();
        let replicas = house.replicas(3).await;
        assert_eq!(house.burst(&replicas[0], 30, 4).await, 4);
        house.server.kill().unwrap();
        for (replica, share) in replicas.iter().zip([6, 10, 10]) {
            assert_eq!(house.burst(replica, 30, 50).await, share);
            assert!(!replica.is_trusting());
        }
    });
}

#[test]
fn do_05_a_flushed_redis_lifts_no_limit() {
    run(async {
        let house = House::new();
        let replicas = house.replicas(1).await;
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 30);
        house.server.flush().unwrap();
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 0);
        house.clock.turn(SECOND * 59);
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 0);
        house.clock.turn(SECOND * 2);
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 30);
    });
}

#[test]
fn do_05_several_replicas_on_a_flushed_redis_admit_their_shares() {
    run(async {
        let house = House::new();
        let replicas = house.replicas(2).await;
        house.server.flush().unwrap();
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 15);
        assert_eq!(house.burst(&replicas[1], 30, 40).await, 15);
    });
}

#[test]
fn rl_07_a_frozen_redis_costs_half_a_second_once_and_no_limit() {
    run(async {
        let house = House::with(Options::default());
        let replicas = house.replicas(1).await;
        assert_eq!(house.burst(&replicas[0], 30, 20).await, 20);
        // Should a busy machine have cost a call before, the next one tries all the same.
        house.clock.turn(SECOND);
        let before = house.asked().await;
        house.server.freeze().unwrap();
        let (first, took) = timed(house.burst(&replicas[0], 30, 1)).await;
        assert_eq!(first, 1);
        assert!((SECOND / 2..SECOND * 2).contains(&took), "{took:?}");
        assert_eq!(house.burst(&replicas[0], 30, 1_000).await, 9);
        house.server.thaw().unwrap();
        // It now reads all that it was sent: by the one that waited, and by this test.
        let asked = house.asked().await - before;
        assert!(asked < 100, "it was asked {asked} times, by those who need not wait for it");
        house.clock.turn(SECOND);
        assert_eq!(house.burst(&replicas[0], 30, 40).await, 0);
    });
}

/// More than there are connections: who waits for one waits no longer than who has one.
#[test]
fn requests_that_meet_a_frozen_redis_together_wait_together() {
    run(async {
        let house = House::with(Options::default());
        let replicas = house.replicas(1).await;
        house.server.freeze().unwrap();
        let all = (0..200).map(|_| house.ask(&replicas[0], 50));
        let (admissions, took) = timed(join_all(all)).await;
        assert_eq!(admissions.iter().filter(|admission| admission.admitted).count(), 50);
        assert!(took < SECOND * 2, "{took:?}");
    });
}

#[test]
fn a_redis_that_came_back_is_used_again_by_itself() {
    run(async {
        let mut house = House::new();
        let cache = house.cache().await;
        cache.ping().await.unwrap();
        house.server.kill().unwrap();
        assert!(cache.ping().await.is_err());
        house.server.restart().unwrap();
        house.clock.turn(SECOND / 2);
        cache.ping().await.unwrap();
    });
}

/// Every connection that was there broke: each is to fail no call of its own.
#[test]
fn after_one_failure_no_broken_connection_is_left() {
    run(async {
        let mut house = House::new();
        let cache = house.cache().await;
        join_all((0..16).map(|_| cache.ping()))
            .await
            .into_iter()
            .collect::<Result<(), _>>()
            .unwrap();
        house.server.kill().unwrap();
        house.server.restart().unwrap();
        assert!(cache.ping().await.is_err());
        house.clock.turn(SECOND / 2);
        for _ in 0..32 {
            cache.ping().await.unwrap();
        }
    });
}
