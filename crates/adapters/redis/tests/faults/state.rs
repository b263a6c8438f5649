//! What is kept in Redis, and what happens where something else is.

use std::{pin::Pin, sync::Arc, time::Duration};

use contracts::run;
use futures_util::{FutureExt, future::maybe_done};
use kernel::{Clock, Timestamp};
use local::LocalRateLimiter;
use redis_cache::{Answer, Failure, RedisRateLimiter, SharedLimiter};
use tenancy::{Rate, RateKey, RateLimiter};

use crate::kit::{House, KEY};

const NAME: &str = "idp:rate:address:127.0.0.1";

async fn answer(house: &House, limiter: &RedisRateLimiter) -> Answer {
    limiter.ask(KEY, Rate { per_minute: 10 }, house.clock.now()).await
}

#[test]
fn a_count_is_forgotten_by_itself_and_the_epoch_never() {
    run(async {
        let house = House::new();
        answer(&house, &house.cache().await.limiter()).await;
        let left: i64 = house.command(&["PTTL", NAME]).await;
        assert!((1..=60_000).contains(&left), "{left}");
        assert_eq!(house.command::<i64>(&["PTTL", "idp:epoch"]).await, -1);
        let micros = house.clock.now().unix_micros();
        assert_eq!(house.command::<i64>(&["GET", "idp:epoch"]).await, micros);
        assert_eq!(house.command::<Vec<String>>(&["KEYS", "*"]).await.len(), 2);
    });
}

/// Through refusals, pauses, limits that change, and a clock that is set back.
#[test]
fn it_says_of_every_request_what_the_limiter_in_memory_says() {
    run(async {
        let house = House::new();
        let (shared, memory) = (house.cache().await.limiter(), LocalRateLimiter::new());
        let start = house.clock.now();
        let (mut number, mut millis) = (1_u64, 1_000_000_u64);
        for step in 0..20_000_usize {
            number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            millis += match number >> 58 {
                0 => 20_000,
                1..8 => 700,
                8..32 => 30,
                _ => 0,
            };
            millis -= if number >> 56 == 255 { 5_000 } else { 0 };
            let now = start.plus(Duration::from_millis(millis));
            let rate = Rate { per_minute: [3, 39, 40, 41, 200, 1_000][step / 400 % 6] };
            let expected = memory.admit(KEY, rate, now).await.unwrap();
            assert_eq!(shared.admit(KEY, rate, now).await.unwrap(), expected, "step {step}");
        }
    });
}

#[test]
fn a_limit_of_nothing_and_one_beyond_all_numbers_are_kept() {
    run(async {
        let house = House::new();
        let limiter = house.cache().await.limiter();
        let now = house.clock.now();
        let nothing = limiter.admit(KEY, Rate { per_minute: 0 }, now).await.unwrap();
        assert_eq!((nothing.admitted, nothing.remaining), (false, 0));
        let endless = limiter.admit(KEY, Rate { per_minute: u64::MAX }, now).await.unwrap();
        assert!(endless.admitted && endless.limit == u64::MAX);
    });
}

#[test]
fn something_else_in_the_place_of_a_count_is_a_failure_and_no_admission() {
    run(async {
        let house = House::new();
        let limiter = house.cache().await.limiter();
        for nonsense in [["SET", NAME, "nonsense"], ["LPUSH", NAME, "1"]] {
            house.server.flush().unwrap();
            let _: () = house.command(&nonsense).await;
            let answer = answer(&house, &limiter).await;
            assert!(matches!(answer, Answer::Failed(_)), "{answer:?}");
        }
    });
}

#[test]
fn something_else_in_the_place_of_the_epoch_is_as_if_it_were_absent() {
    run(async {
        let house = House::new();
        let limiter = house.cache().await.limiter();
        let _: () = house.command(&["SET", "idp:epoch", "nonsense"]).await;
        assert!(matches!(answer(&house, &limiter).await, Answer::Absent { .. }));
        house.clock.turn(Duration::from_secs(65));
        assert!(matches!(answer(&house, &limiter).await, Answer::Found(_)));
    });
}

/// A refusal comes at once, so that nothing is gained by not asking again.
#[test]
fn a_redis_that_refuses_is_asked_again() {
    run(async {
        let house = House::new();
        let limiter = house.cache().await.limiter();
        let _: () = house.command(&["SET", NAME, "nonsense"]).await;
        assert!(matches!(answer(&house, &limiter).await, Answer::Failed(_)));
        house.server.flush().unwrap();
        assert!(matches!(answer(&house, &limiter).await, Answer::Absent { .. }));
    });
}

#[test]
fn an_epoch_of_another_year_is_not_believed_for_so_long() {
    run(async {
        let house = House::new();
        let limiter = house.cache().await.limiter();
        let _: () = house.command(&["SET", "idp:epoch", "9000000000000000"]).await;
        assert!(matches!(answer(&house, &limiter).await, Answer::Absent { .. }));
        house.clock.turn(Duration::from_secs(65));
        assert!(matches!(answer(&house, &limiter).await, Answer::Found(_)));
    });
}

#[test]
fn a_full_memory_is_a_failure_and_no_admission() {
    run(async {
        let house = House::new();
        let limiter = house.cache().await.limiter();
        let _: () = house.command(&["CONFIG", "SET", "maxmemory", "1"]).await;
        assert!(matches!(answer(&house, &limiter).await, Answer::Failed(_)));
    });
}

#[test]
fn a_script_that_is_forgotten_is_sent_again() {
    run(async {
        let house = House::new();
        let limiter = house.cache().await.limiter();
        let before: Timestamp = house.clock.now();
        limiter.admit(KEY, Rate { per_minute: 10 }, before).await.unwrap();
        let _: () = house.command(&["SCRIPT", "FLUSH"]).await;
        let second = limiter.admit(KEY, Rate { per_minute: 10 }, before).await.unwrap();
        assert_eq!(second.remaining, 8);
    });
}

#[test]
fn sm_06_the_policy_for_a_full_memory_is_known_also_to_a_user_of_few_rights() {
    run(async {
        let house = House::new();
        let cache = house.cache().await;
        assert!(cache.eviction().await.unwrap().takes_nothing());
        let _: () = house.command(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]).await;
        assert_eq!(cache.eviction().await.unwrap().policy(), "allkeys-lru");
        for forbidden in ["-config", "-info"] {
            let _: () = house.command(&["ACL", "SETUSER", "default", "+@all", forbidden]).await;
            assert_eq!(cache.eviction().await.unwrap().policy(), "allkeys-lru", "{forbidden}");
        }
        let _: () = house.command(&["ACL", "SETUSER", "default", "-config", "-info"]).await;
        assert!(cache.eviction().await.is_err());
    });
}

#[test]
fn what_is_refused_to_one_is_refused_to_nobody_who_goes_with_it() {
    run(async {
        let house = House::new();
        let limiter = Arc::new(house.cache().await.limiter());
        let _: () = house.command(&["SET", NAME, "nonsense"]).await;
        let other = RateKey::Address(std::net::Ipv4Addr::BROADCAST.into());
        let rate = Rate { per_minute: 10 };
        let asked = (0..40).map(|number| {
            let key = if number % 2 == 0 { KEY } else { other };
            limiter.ask(key, rate, house.clock.now())
        });
        let answers = futures_util::future::join_all(asked).await;
        let mut admitted = 0;
        for (number, answer) in answers.iter().enumerate() {
            match answer {
                Answer::Failed(Failure::Refused(_)) => assert_eq!(number % 2, 0),
                Answer::Absent { admission, .. } => {
                    assert_eq!(number % 2, 1);
                    admitted += u64::from(admission.admitted);
                }
                Answer::Found(_) | Answer::Failed(_) => panic!("{number}: {answer:?}"),
            }
        }
        assert_eq!(admitted, 10);
    });
}

#[test]
fn whoever_gives_up_takes_no_answer_from_the_others() {
    run(async {
        let house = House::new();
        let limiter = Arc::new(house.cache().await.limiter());
        let rate = Rate { per_minute: 1_000 };
        // All are on their way, and then every other one is dropped. One may be answered by then, where
        // others have the machine for a moment.
        let mut asked: Vec<_> = (0..100)
            .map(|_| maybe_done(Box::pin(limiter.ask(KEY, rate, house.clock.now()))))
            .collect();
        for one in &mut asked {
            let _ = one.now_or_never();
        }
        tokio::task::yield_now().await;
        let mut kept: Vec<_> = asked.into_iter().step_by(2).collect();
        futures_util::future::join_all(&mut kept).await;
        let answers: Vec<_> =
            kept.iter_mut().filter_map(|one| Pin::new(one).take_output()).collect();
        let left: Vec<_> = answers
            .iter()
            .map(|answer| match answer {
                Answer::Absent { admission, .. } => admission.remaining,
                Answer::Found(_) | Answer::Failed(_) => panic!("{answer:?}"),
            })
            .collect();
        assert!(left.is_sorted_by(|one, next| one > next), "{left:?}");
    });
}

#[test]
fn all_calls_share_one_connection() {
    run(async {
        let house = House::new();
        let limiter = Arc::new(house.cache().await.limiter());
        let before: String = house.command(&["INFO", "stats"]).await;
        let all = (0..500).map(|_| answer(&house, &limiter));
        futures_util::future::join_all(all).await;
        let after: String = house.command(&["INFO", "stats"]).await;
        let opened = connections(&after) - connections(&before);
        // That which was opened is this test's own.
        assert_eq!(opened, 1);
    });
}

fn connections(stats: &str) -> u64 {
    let line = stats.lines().find_map(|l| l.strip_prefix("total_connections_received:"));
    line.unwrap().trim().parse().unwrap()
}
