//! The limiter against a list of every request, and against whoever would fill its memory.

use std::net::{IpAddr, Ipv6Addr};

use futures_util::FutureExt;
use proptest::prelude::*;

use super::*;
use crate::sample::at;

const LIMIT: Rate = Rate { per_minute: 100 };

fn address(number: u128) -> RateKey {
    RateKey::Address(IpAddr::V6(Ipv6Addr::from(number)))
}

fn client(number: u8) -> RateKey {
    let id = |tail| format!("018bcfe5-687b-7001-8203-0405060708{tail:02x}");
    RateKey::Client(id(1).parse().unwrap(), id(number).parse().unwrap())
}

fn ask(limiter: &LocalRateLimiter, key: RateKey, rate: Rate, now: Timestamp) -> Admission {
    limiter.admit(key, rate, now).now_or_never().unwrap().unwrap()
}

fn ask_times(times: u32, limiter: &LocalRateLimiter, key: RateKey, now: Timestamp) -> usize {
    (0..times).filter(|_| ask(limiter, key, LIMIT, now).admitted).count()
}

#[test]
fn the_limit_is_admitted_and_no_more() {
    let limiter = LocalRateLimiter::new();
    let first = ask(&limiter, client(2), LIMIT, at(0));
    assert_eq!(first, Admission { admitted: true, limit: 100, remaining: 99, resets_at: at(60) });
    assert_eq!(ask_times(200, &limiter, client(2), at(0)), 99);
    let refused = ask(&limiter, client(2), LIMIT, at(1));
    assert_eq!(refused, Admission { admitted: false, limit: 100, remaining: 0, resets_at: at(60) });
}

#[test]
fn the_window_frees_what_is_a_minute_old() {
    let limiter = LocalRateLimiter::new();
    assert_eq!(ask_times(50, &limiter, client(2), at(0)), 50);
    assert_eq!(ask_times(100, &limiter, client(2), at(30)), 50);
    assert!(!ask(&limiter, client(2), LIMIT, at(59)).admitted);
    assert_eq!(ask_times(100, &limiter, client(2), at(60)), 50);
    assert_eq!(ask_times(100, &limiter, client(2), at(90)), 50);
}

#[test]
fn a_refused_request_is_not_counted() {
    let limiter = LocalRateLimiter::new();
    assert_eq!(ask_times(100, &limiter, client(2), at(0)), 100);
    for second in 1..60 {
        assert_eq!(ask_times(100, &limiter, client(2), at(second)), 0);
    }
    assert!(ask(&limiter, client(2), LIMIT, at(60)).admitted);
}

#[test]
fn keys_do_not_share() {
    let limiter = LocalRateLimiter::new();
    assert_eq!(ask_times(200, &limiter, client(2), at(0)), 100);
    assert_eq!(ask_times(200, &limiter, client(3), at(0)), 100);
    assert_eq!(ask_times(200, &limiter, address(2), at(0)), 100);
}

#[test]
fn a_limit_of_nothing_admits_nothing_and_remembers_nobody() {
    let limiter = LocalRateLimiter::new();
    let refused = ask(&limiter, client(2), Rate { per_minute: 0 }, at(7));
    assert_eq!(refused, Admission { admitted: false, limit: 0, remaining: 0, resets_at: at(7) });
    assert_eq!(limiter.remembered(), 0);
}

#[test]
fn a_limit_that_changes_holds_from_the_next_request_on() {
    let limiter = LocalRateLimiter::new();
    assert_eq!(ask_times(100, &limiter, client(2), at(0)), 100);
    assert_eq!(ask(&limiter, client(2), Rate { per_minute: 150 }, at(1)).remaining, 49);
    let lowered = ask(&limiter, client(2), Rate { per_minute: 10 }, at(2));
    assert!(!lowered.admitted && lowered.remaining == 0);
}

#[test]
fn ck_02_a_clock_that_steps_back_admits_no_flood() {
    let limiter = LocalRateLimiter::new();
    assert_eq!(ask_times(100, &limiter, client(2), at(7_200)), 100);
    for second in [3_600, 7_140, 0, 7_259] {
        assert_eq!(ask_times(200, &limiter, client(2), at(second)), 0, "at {second}");
    }
    assert_eq!(ask_times(200, &limiter, client(2), at(7_260)), 100);
}

#[test]
fn ck_02_requests_of_a_time_that_stood_still_count_for_a_whole_minute() {
    let limiter = LocalRateLimiter::new();
    assert_eq!(ask_times(1, &limiter, client(2), at(100)), 1);
    assert_eq!(ask_times(200, &limiter, client(2), at(50)), 99);
    assert_eq!(ask_times(200, &limiter, client(2), at(159)), 0);
}

#[test]
fn ds_09_a_million_addresses_leave_no_more_than_the_bound() {
    let limiter = LocalRateLimiter::remembering(2_000);
    for number in 0..1_000_000 {
        ask(&limiter, address(number), LIMIT, at(0));
    }
    assert!((500..=1_000).contains(&limiter.remembered()), "{}", limiter.remembered());
}

#[test]
fn ds_09_addresses_do_not_make_it_forget_a_client() {
    let limiter = LocalRateLimiter::remembering(100);
    assert_eq!(ask_times(100, &limiter, client(2), at(0)), 100);
    for number in 0..10_000 {
        ask(&limiter, address(number), LIMIT, at(1));
    }
    assert!(!ask(&limiter, client(2), LIMIT, at(2)).admitted);
}

#[test]
fn the_key_that_was_quiet_for_longest_is_forgotten_first() {
    let limiter = LocalRateLimiter::remembering(4);
    for (number, second) in [(1, 0), (2, 1), (1, 2), (3, 3)] {
        ask(&limiter, address(number), LIMIT, at(second));
    }
    assert_eq!(limiter.remembered(), 2);
    assert_eq!(ask(&limiter, address(1), LIMIT, at(4)).remaining, 97);
    assert_eq!(ask(&limiter, address(2), LIMIT, at(4)).remaining, 99);
}

#[test]
fn what_is_idle_is_forgotten_in_time() {
    let limiter = LocalRateLimiter::remembering(100);
    for number in 0..50 {
        ask(&limiter, address(number), LIMIT, at(0));
    }
    assert_eq!(limiter.remembered(), 50);
    for _ in 0..50 {
        ask(&limiter, address(1_000), LIMIT, at(60));
    }
    assert_eq!(limiter.remembered(), 1);
}

#[test]
fn a_key_costs_at_most_so_many_buckets() {
    for limit in [1, 39, 40, 59, 100, 1_000, 100_000] {
        let mut window = Window::default();
        let rate = Rate { per_minute: limit };
        for tick in 0..120_000 {
            window.ask(rate, at(0).plus(Duration::from_millis(tick)), Question::MayItGoOn);
            assert!(window.buckets.len() <= 61, "{} at limit {limit}", window.buckets.len());
        }
    }
}

#[test]
fn what_another_one_admitted_is_counted_whatever_the_limit() {
    let limiter = LocalRateLimiter::new();
    assert_eq!(ask_times(60, &limiter, client(2), at(0)), 60);
    for _ in 0..50 {
        limiter.count(client(2), LIMIT, at(1));
    }
    assert_eq!(ask_times(1, &limiter, client(2), at(59)), 0);
    assert_eq!(ask_times(100, &limiter, client(2), at(60)), 50);
    assert_eq!(ask_times(100, &limiter, client(2), at(61)), 50);
}

#[test]
fn ds_09_a_key_that_is_told_of_any_number_costs_a_bounded_number_of_buckets() {
    let limiter = LocalRateLimiter::new();
    for _ in 0..10_000 {
        limiter.count(client(2), Rate { per_minute: 1 }, at(0));
    }
    let shard = limiter.shard(client(2));
    let window = shard.windows.get(&client(2)).unwrap();
    assert_eq!((window.buckets.len(), window.counted), (BUCKETS, 10_000));
}

#[test]
fn threads_together_get_no_more_than_the_limit() {
    let limiter = LocalRateLimiter::new();
    let admitted: usize = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| ask_times(200, &limiter, client(2), at(0)))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(admitted, 100);
}

/// Bursts and pauses: how long after the last one, in milliseconds, and how many.
fn bursts() -> impl Strategy<Value = Vec<(u64, u32)>> {
    let pause = prop_oneof![0..20_u64, 100..5_000_u64, 20_000..70_000_u64];
    let burst = prop_oneof![1..4_u32, 1..200_u32];
    prop::collection::vec((pause, burst), 1..60)
}

proptest! {
    #[test]
    fn any_minute_admits_the_limit_and_a_twentieth_at_most_and_refuses_nobody_within_it(
        limit in 1..300_u64,
        bursts in bursts(),
    ) {
        let limiter = LocalRateLimiter::new();
        let mut admitted: Vec<Timestamp> = Vec::new();
        let mut now = at(0);
        for (pause, burst) in bursts {
            now = now.plus(Duration::from_millis(pause));
            for _ in 0..burst {
                let window = admitted.iter().filter(|then| then.plus(WINDOW) > now).count() as u64;
                let answer = ask(&limiter, client(2), Rate { per_minute: limit }, now);
                if answer.admitted {
                    admitted.push(now);
                    prop_assert!(window < limit + limit / 20);
                } else {
                    prop_assert!(window >= limit, "refused at {window} of {limit}");
                }
            }
        }
    }
}
