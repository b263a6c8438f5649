//! The composition against a model of the shared counts that can be lost, cut off and struck dumb.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use local::LocalRateLimiter;
use proptest::prelude::*;

use super::*;

const KEY: RateKey = RateKey::Address(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST));
const YOUTH: Duration = Duration::from_secs(65);

fn at(millis: u64) -> Timestamp {
    Timestamp::from_unix_micros(1_700_000_000_000_000).unwrap().plus(Duration::from_millis(millis))
}

/// What all replicas share: the same algorithm, and the instant since when it has counted.
#[derive(Default)]
struct Server {
    counts: LocalRateLimiter,
    since: Option<Timestamp>,
}

/// How a replica reaches it now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Whole,
    Cut,
    /// What is asked arrives, and the answer does not.
    Deaf,
}

struct Shared {
    server: Arc<Mutex<Server>>,
    way: Mutex<Way>,
}

#[async_trait]
impl SharedLimiter for Shared {
    async fn ask(&self, key: RateKey, rate: Rate, now: Timestamp) -> Answer {
        let way = *self.way.lock().unwrap();
        if way == Way::Cut {
            return Answer::Failed(Failure::CoolingDown);
        }
        let mut server = self.server.lock().unwrap();
        let since = *server.since.get_or_insert(now);
        let admission = server.counts.admit(key, rate, now).now_or_never().unwrap().unwrap();
        match way {
            Way::Deaf => Answer::Failed(Failure::TooSlow(Duration::ZERO)),
            Way::Whole | Way::Cut if since.plus(YOUTH) <= now => Answer::Found(admission),
            Way::Whole | Way::Cut => Answer::Absent { admission, until: since.plus(YOUTH) },
        }
    }
}

type Replica = FallbackLimiter<Shared, LocalRateLimiter>;

struct House {
    server: Arc<Mutex<Server>>,
    replicas: Vec<Replica>,
}

impl House {
    /// A server that has counted for an hour, and replicas that trust it.
    fn of(replicas: u32) -> Self {
        let since = Some(at(0).minus(Duration::from_secs(3_600)));
        let server = Arc::new(Mutex::new(Server { since, ..Server::default() }));
        let replica = |_| {
            let shared = Shared { server: Arc::clone(&server), way: Mutex::new(Way::Whole) };
            FallbackLimiter::new(shared, LocalRateLimiter::new(), replicas.try_into().unwrap())
        };
        Self { replicas: (0..replicas).map(replica).collect(), server }
    }

    fn flush(&self) {
        *self.server.lock().unwrap() = Server::default();
    }

    fn turn(&self, replica: usize, way: Way) {
        *self.replicas[replica].shared.way.lock().unwrap() = way;
    }

    fn ask(&self, replica: usize, limit: u64, millis: u64) -> Admission {
        let rate = Rate { per_minute: limit };
        let asked = self.replicas[replica].admit(KEY, rate, at(millis));
        asked.now_or_never().unwrap().unwrap()
    }

    /// How many of so many requests are admitted.
    fn burst(&self, replica: usize, limit: u64, millis: u64, requests: u64) -> u64 {
        (0..requests).map(|_| u64::from(self.ask(replica, limit, millis).admitted)).sum()
    }
}

#[test]
fn while_all_is_well_the_shared_counts_decide() {
    let house = House::of(3);
    assert_eq!(house.burst(0, 30, 0, 20), 20);
    assert_eq!(house.burst(1, 30, 0, 20), 10);
    assert_eq!(house.burst(2, 30, 0, 20), 0);
    assert!(house.replicas.iter().all(|r| r.decided() == 0 && r.is_trusting()));
}

#[test]
fn rl_07_without_an_answer_each_replica_admits_its_share() {
    let house = House::of(3);
    for replica in 0..3 {
        house.turn(replica, Way::Cut);
        assert_eq!(house.burst(replica, 31, 0, 40), 11);
        assert_eq!(house.replicas[replica].decided(), 40);
        assert!(!house.replicas[replica].is_trusting());
    }
}

#[test]
fn rl_07_what_was_admitted_while_all_was_well_counts_against_the_share() {
    let house = House::of(2);
    assert_eq!(house.burst(0, 40, 0, 8), 8);
    house.turn(0, Way::Cut);
    assert_eq!(house.burst(0, 40, 1, 40), 12);
    assert_eq!(house.burst(0, 40, 60_000, 40), 8);
}

#[test]
fn a_limit_of_nothing_admits_nothing_whatever_happens() {
    let house = House::of(2);
    assert_eq!(house.burst(0, 0, 0, 5), 0);
    house.turn(0, Way::Cut);
    assert_eq!(house.burst(0, 0, 1, 5), 0);
}

#[test]
fn the_share_is_at_least_one() {
    let house = House::of(5);
    house.turn(4, Way::Cut);
    assert_eq!(house.burst(4, 2, 0, 5), 1);
}

#[test]
fn do_05_one_replica_lifts_no_limit_when_the_counts_are_lost() {
    let house = House::of(1);
    assert_eq!(house.burst(0, 30, 0, 40), 30);
    house.flush();
    assert_eq!(house.burst(0, 30, 1, 40), 0);
    assert_eq!(house.burst(0, 30, 59_999, 40), 0);
    // The request that found out was refused, and yet counted where all are: until now.
    assert_eq!(house.burst(0, 30, 60_001, 40), 30);
}

#[test]
fn do_05_an_outage_that_the_counts_survive_lifts_no_limit_either() {
    let house = House::of(1);
    house.turn(0, Way::Cut);
    assert_eq!(house.burst(0, 30, 0, 40), 30);
    house.turn(0, Way::Whole);
    assert_eq!(house.burst(0, 30, 1, 40), 0);
}

#[test]
fn trust_comes_back_a_minute_after_the_last_failure() {
    let house = House::of(2);
    house.turn(0, Way::Cut);
    assert!(house.ask(0, 30, 0).admitted);
    house.turn(0, Way::Whole);
    assert_eq!(house.burst(0, 30, 59_999, 40), 14);
    assert!(!house.replicas[0].is_trusting());
    // By now, the shared counts hold all that was admitted within the minute.
    assert_eq!(house.burst(0, 30, 60_000, 40), 16);
    assert!(house.replicas[0].is_trusting());
}

#[test]
fn trust_comes_back_when_a_minute_s_counts_are_there_again() {
    let house = House::of(2);
    house.flush();
    assert_eq!(house.burst(0, 30, 0, 40), 15);
    assert_eq!(house.burst(0, 30, 64_999, 40), 15);
    assert_eq!(house.burst(0, 30, 65_000, 40), 15);
    assert!(house.replicas[0].is_trusting());
}

#[test]
fn what_a_replica_refuses_in_doubt_is_not_counted_where_all_do() {
    let house = House::of(2);
    house.flush();
    assert_eq!(house.burst(0, 30, 0, 1_000), 15);
    assert_eq!(house.burst(1, 30, 1, 1_000), 15);
}

#[test]
fn an_answer_that_is_lost_admits_nothing_twice() {
    let house = House::of(1);
    house.turn(0, Way::Deaf);
    assert_eq!(house.burst(0, 30, 0, 40), 30);
    house.turn(0, Way::Whole);
    assert_eq!(house.burst(0, 30, 1, 40), 0);
}

#[test]
fn both_together_say_what_the_stricter_one_says() {
    let one = Admission { admitted: true, limit: 30, remaining: 7, resets_at: at(2) };
    let other = Admission { admitted: true, limit: 15, remaining: 3, resets_at: at(1) };
    let expected = Admission { admitted: true, limit: 15, remaining: 3, resets_at: at(2) };
    assert_eq!((both(one, other), both(other, one)), (expected, expected));
    let refused = Admission { admitted: false, remaining: 0, ..one };
    assert!(!both(refused, other).admitted && !both(other, refused).admitted);
}

/// What happens next.
#[derive(Debug, Clone)]
enum Step {
    Pass(u64),
    Ask(usize, u64),
    Flush,
    Turn(usize, Way),
    TurnAll(Way),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let way = || prop_oneof![3 => Just(Way::Whole), 1 => Just(Way::Cut), 1 => Just(Way::Deaf)];
    let pause = prop_oneof![0..50_u64, 200..4_000_u64, 20_000..70_000_u64];
    let step = prop_oneof![
        6 => pause.prop_map(Step::Pass),
        8 => (0..4_usize, prop_oneof![1..4_u64, 1..150_u64]).prop_map(|(r, n)| Step::Ask(r, n)),
        1 => Just(Step::Flush),
        1 => (0..4_usize, way()).prop_map(|(r, way)| Step::Turn(r, way)),
        1 => way().prop_map(Step::TurnAll),
    ];
    prop::collection::vec(step, 1..80)
}

/// When a request was admitted, in milliseconds.
fn admitted(house: &House, limit: u64, steps: Vec<Step>) -> Vec<u64> {
    let (mut now, mut admitted) = (0, Vec::new());
    let replicas = house.replicas.len();
    for step in steps {
        match step {
            Step::Pass(millis) => now += millis,
            Step::Flush => house.flush(),
            Step::Turn(replica, way) => house.turn(replica % replicas, way),
            Step::TurnAll(way) => (0..replicas).for_each(|replica| house.turn(replica, way)),
            Step::Ask(replica, requests) => {
                let count = house.burst(replica % replicas, limit, now, requests);
                admitted.extend((0..count).map(|_| now));
            }
        }
    }
    admitted
}

/// The most in any sixty seconds.
fn most_in_a_minute(admitted: &[u64]) -> u64 {
    let minute_from =
        |start: u64| admitted.iter().filter(move |t| (start..start + 60_000).contains(t));
    admitted.iter().map(|start| minute_from(*start).count() as u64).max().unwrap_or(0)
}

fn and_a_twentieth(rate: u64) -> u64 {
    rate + (rate / 20).max(1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn do_05_one_replica_never_admits_more_than_the_limit_and_a_twentieth(
        limit in 1..120_u64,
        steps in steps(),
    ) {
        let most = most_in_a_minute(&admitted(&House::of(1), limit, steps));
        // A bucket holds a twentieth, and one of its requests has left.
        prop_assert!(most < and_a_twentieth(limit), "{most}");
    }

    #[test]
    fn do_05_several_replicas_never_admit_more_than_the_limit_and_their_shares(
        replicas in 2..5_u32,
        limit in 1..120_u64,
        steps in steps(),
    ) {
        let most = most_in_a_minute(&admitted(&House::of(replicas), limit, steps));
        let shares = u64::from(replicas) * and_a_twentieth(limit.div_ceil(u64::from(replicas)));
        prop_assert!(most <= and_a_twentieth(limit) + shares, "{most}");
    }

    #[test]
    fn while_nothing_fails_all_of_it_is_as_with_the_shared_counts_alone(
        replicas in 1..5_u32,
        limit in 1..120_u64,
        steps in steps(),
    ) {
        let calm: Vec<_> =
            steps.into_iter().filter(|s| matches!(s, Step::Pass(_) | Step::Ask(..))).collect();
        let (several, one) = (House::of(replicas), House::of(1));
        prop_assert_eq!(admitted(&several, limit, calm.clone()), admitted(&one, limit, calm));
    }
}
