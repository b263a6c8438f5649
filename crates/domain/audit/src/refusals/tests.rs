//! Tests of what is told and what is counted.

use kernel::RequestId;
use proptest::prelude::*;
use tenancy::UserAgent;

use super::*;
use crate::event::Resource;

const START: i64 = 1_795_248_000_000_000;

fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_unix_micros(START + milliseconds * 1_000).unwrap()
}

fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u32) -> T {
    format!("018bcfe5-687b-7001-8203-{number:012x}").parse().unwrap()
}

fn refusals(most_told: u32) -> Refusals {
    Refusals::new(id(1), NonZeroU32::new(most_told).unwrap())
}

fn address(number: u32) -> IpAddr {
    IpAddr::from((0x0a00_0000 + number).to_be_bytes())
}

fn origin(from: IpAddr) -> Origin {
    Origin { request: RequestId::internal(), address: Some(from), user_agent: UserAgent::new("x") }
}

/// A bad login in the name of an agent that exists, or of none.
struct Login {
    from: IpAddr,
    named: u32,
    exists: bool,
}

impl Login {
    fn scope(&self) -> Scope {
        let claims = self.exists.then(|| id(self.named));
        let organization = if self.exists { id(2) } else { id(1) };
        Scope::new(organization, Actor::Unauthenticated { claims }, origin(self.from))
    }

    fn event(&self) -> Event {
        let about: AgentId = id(self.named);
        Event::failure(Action::AuthFailed).on(about).with("reason", "wrong secret")
    }

    fn asker(&self) -> Asker {
        Asker { address: Some(self.from), named: Some(id(self.named)) }
    }

    /// As whoever refuses does it.
    fn refused(&self, refusals: &mut Refusals, now: Timestamp) -> Verdict {
        let verdict = refusals.weigh(Action::AuthFailed, self.asker(), now);
        if verdict == Verdict::Count {
            refusals.count(&self.scope(), &self.event(), now);
        }
        verdict
    }
}

fn login(from: u32, named: u32) -> Login {
    Login { from: address(from), named, exists: true }
}

fn told(verdicts: impl IntoIterator<Item = Verdict>) -> usize {
    verdicts.into_iter().filter(|verdict| *verdict == Verdict::Tell).count()
}

#[test]
fn rl_02_the_first_of_a_minute_are_told_and_the_rest_is_one_count() {
    let mut refusals = refusals(30);
    let tried = (0..10_000).map(|n| login(1, 7).refused(&mut refusals, at(n)));
    assert_eq!(told(tried), 30);
    assert_eq!(refusals.due(at(59_000)), []);
    let due = refusals.due(at(70_000));
    let [counted] = due.as_slice() else { panic!("{due:?}") };
    assert_eq!(counted.count(), 9_970);
    let (event, scope) = (counted.event(), counted.scope());
    assert_eq!((event.action(), event.outcome().name()), (Action::AuthFailed, "failure"));
    assert_eq!(event.resource(), Some(&Resource::from(id::<AgentId>(7))));
    assert_eq!(event.metadata()["count"], 9_970);
    assert_eq!(event.metadata()["reason"], "wrong secret");
    assert_eq!(event.metadata()["from"], at(30).to_string());
    assert_eq!(event.metadata()["until"], at(9_999).to_string());
    assert_eq!(scope.organization(), id(2));
    assert_eq!(scope.actor().agent(), Some(id(7)));
    assert_eq!(scope.origin(), &origin(address(1)));
    assert_eq!(refusals.all(), []);
}

#[test]
fn the_next_minute_is_told_anew() {
    let mut refusals = refusals(2);
    let mut minute =
        |start| told((0_i64..5).map(|n| login(1, 7).refused(&mut refusals, at(start + n))));
    assert_eq!((minute(0), minute(59_000), minute(60_000)), (2, 0, 2));
}

#[test]
fn a_clock_that_is_set_back_ends_the_minute() {
    let mut refusals = refusals(1);
    let mut tried = |now| login(1, 7).refused(&mut refusals, at(now));
    assert_eq!(
        (tried(0), tried(1), tried(-3_600_000)),
        (Verdict::Tell, Verdict::Count, Verdict::Tell)
    );
    assert_eq!(refusals.due(at(-3_600_000)).len(), 1);
}

#[test]
fn one_client_from_many_addresses_is_one_count_that_names_no_address() {
    let mut refusals = refusals(30);
    let tried = (0..10_000).map(|n| login(n, 7).refused(&mut refusals, at(1)));
    assert_eq!(told(tried), 30);
    let due = refusals.all();
    let [counted] = due.as_slice() else { panic!("{} counts", due.len()) };
    assert_eq!(counted.count(), 9_970);
    assert_eq!(counted.scope().origin().address, None);
    assert_eq!(counted.scope().actor().agent(), Some(id(7)));
}

#[test]
fn one_address_that_names_many_is_told_no_more_often_than_one_that_names_one() {
    let mut refusals = refusals(30);
    let tried = (0..10_000)
        .map(|n| Login { exists: false, ..login(1, 100 + n) }.refused(&mut refusals, at(1)));
    assert_eq!(told(tried), 30);
    let due = refusals.all();
    let [counted] = due.as_slice() else { panic!("{} counts", due.len()) };
    assert_eq!((counted.count(), counted.event().resource()), (9_970, None));
    assert_eq!(counted.scope().origin().address, Some(address(1)));
    assert_eq!(refusals.told.len(), 31, "what is only counted takes a place");
}

#[test]
fn a_network_of_version_6_is_one_address() {
    let mut refusals = refusals(5);
    let from = |n: u128| IpAddr::V6(Ipv6Addr::from((0x2001_0db8_u128 << 96) + n));
    let tried = |n| Login { from: from(n), named: 7, exists: false };
    let verdicts: Vec<_> = (0..100).map(|n| tried(n << 32).refused(&mut refusals, at(1))).collect();
    assert_eq!((told(verdicts), refusals.all().len()), (5, 1));
    let elsewhere = Asker { address: Some(from(1 << 64)), named: None };
    assert_eq!(refusals.weigh(Action::AuthFailed, elsewhere, at(1)), Verdict::Tell);
}

#[test]
fn one_action_does_not_use_up_the_number_of_another() {
    let mut refusals = refusals(1);
    let asker = Asker::authenticated(id(7));
    for (action, verdict) in [
        (Action::AccessDenied, Verdict::Tell),
        (Action::AccessDenied, Verdict::Count),
        (Action::TokenRefused, Verdict::Tell),
    ] {
        assert_eq!(refusals.weigh(action, asker, at(1)), verdict);
    }
}

#[test]
fn whoever_has_no_place_shares_one_and_nothing_is_lost() {
    let mut refusals = refusals(1);
    let tried: u32 = 30_000;
    let mut alone = 0;
    for n in 0..tried {
        let source = Login { from: address(n), named: 1_000 + n, exists: n % 2 == 0 };
        for _ in 0..2 {
            alone += told([source.refused(&mut refusals, at(1))]);
        }
    }
    let most = MOST_APART + MOST_SHARED + Action::ALL.len();
    assert!(refusals.told.len() <= most && refusals.counts.len() <= most);
    assert!(alone <= MOST_APART, "{alone}");
    let counted: u64 = refusals.all().iter().map(Counted::count).sum();
    assert_eq!(counted + u64::try_from(alone).unwrap(), u64::from(2 * tried));
    assert_eq!(refusals.due(at(60_001)), []);
    assert!(refusals.told.is_empty(), "a place is kept for ever");
}

#[test]
fn where_even_organizations_have_no_place_the_platform_is_told() {
    let mut refusals = refusals(1);
    let tried: u32 = 15_000;
    for n in 0..tried {
        let actor = Actor::Agent(id(1_000 + n));
        let scope = Scope::new(id(100_000 + n), actor, origin(address(1)));
        refusals.count(&scope, &Event::failure(Action::AccessDenied), at(i64::from(n)));
    }
    let all = refusals.all();
    assert!(all.len() <= MOST_APART + MOST_SHARED + 1, "{}", all.len());
    assert_eq!(all.iter().map(Counted::count).sum::<u64>(), u64::from(tried));
    let platform = all.iter().find(|counted| counted.key.organization == id(1)).unwrap();
    assert_eq!(platform.scope().actor().agent(), None, "nobody in particular");
}

#[test]
fn what_could_not_be_told_is_told_with_what_came_since() {
    let mut refusals = refusals(1);
    for n in 0..3 {
        login(1, 7).refused(&mut refusals, at(n));
    }
    let [first] = refusals.due(at(60_001)).try_into().unwrap();
    let other = Login { from: address(2), ..login(1, 7) };
    refusals.count(&other.scope(), &other.event().with("reason", "malformed"), at(60_002));
    refusals.put_back(first);
    let [both] = refusals.due(at(60_003)).try_into().unwrap();
    let event = both.event();
    assert_eq!((both.count(), &event.metadata()["reason"]), (3, &"malformed".into()));
    assert_eq!(event.metadata()["from"], at(1).to_string());
    assert_eq!(event.metadata()["until"], at(60_002).to_string());
    assert_eq!(both.scope().origin().address, None);
}

proptest! {
    /// Whether the agent exists is what an attacker wants to learn, and an event takes longer than a
    /// count.
    #[test]
    fn whether_one_is_told_does_not_depend_on_who_exists(
        tried in prop::collection::vec((0_u32..4, 0_u32..4, 0_i64..90_000), 1..200),
        existing in prop::collection::vec(any::<bool>(), 4),
    ) {
        let (mut some, mut none) = (refusals(3), refusals(3));
        for (from, named, now) in tried {
            let known = Login { exists: existing[named as usize], ..login(from, named) };
            let unknown = Login { exists: false, ..login(from, named) };
            prop_assert_eq!(
                known.refused(&mut some, at(now)),
                unknown.refused(&mut none, at(now))
            );
        }
    }

    #[test]
    fn every_refusal_is_told_or_counted_once(
        tried in prop::collection::vec((0_u32..3, 0_u32..3, any::<bool>(), 0_i64..200_000), 0..300),
    ) {
        let mut refusals = refusals(3);
        let (mut alone, mut counted) = (0, 0);
        let all = u64::try_from(tried.len()).unwrap();
        for (from, named, exists, now) in tried {
            alone += told([Login { exists, ..login(from, named) }.refused(&mut refusals, at(now))]);
            counted += refusals.due(at(now)).iter().map(Counted::count).sum::<u64>();
        }
        counted += refusals.all().iter().map(Counted::count).sum::<u64>();
        prop_assert_eq!(u64::try_from(alone).unwrap() + counted, all);
    }
}
