//! Rate limits: a window of a minute that slides.

use std::{net::IpAddr, time::Duration};

use kernel::{AgentId, OrganizationId, Timestamp};
use tenancy::{Admission, Rate, RateKey};

use crate::{LimiterHarness, sample::Machine};

/// A limiter, and one minute after another.
struct Limited<L> {
    harness: L,
    start: Timestamp,
}

impl<L: LimiterHarness> Limited<L> {
    async fn fresh() -> Self {
        // At the full minute, where a window that is fixed would begin anew.
        let start = Timestamp::from_unix_micros(1_000_000_020_000_000).unwrap();
        Self { harness: L::fresh().await, start }
    }

    async fn ask(&self, key: RateKey, per_minute: u64, millis: u64) -> Admission {
        let now = self.start.plus(Duration::from_millis(millis));
        self.harness.limiter().admit(key, Rate { per_minute }, now).await.unwrap()
    }

    /// How many of so many requests are admitted at this instant.
    async fn burst(&self, key: RateKey, per_minute: u64, millis: u64, requests: u64) -> u64 {
        let mut admitted = 0;
        for _ in 0..requests {
            admitted += u64::from(self.ask(key, per_minute, millis).await.admitted);
        }
        admitted
    }
}

fn ids() -> (OrganizationId, AgentId) {
    let machine = Machine::default();
    (machine.organization_id(), machine.agent_id())
}

fn client() -> RateKey {
    let (organization, agent) = ids();
    RateKey::Client(organization, agent)
}

pub async fn the_limit_is_admitted_and_no_more<L: LimiterHarness>() {
    let limited = Limited::<L>::fresh().await;
    for left in (0..10).rev() {
        let admission = limited.ask(client(), 10, 0).await;
        assert_eq!((admission.admitted, admission.limit, admission.remaining), (true, 10, left));
    }
    let admission = limited.ask(client(), 10, 0).await;
    assert_eq!((admission.admitted, admission.limit, admission.remaining), (false, 10, 0));
}

/// Twice the limit around a full minute is the classic hole of fixed windows.
pub async fn a_burst_around_the_edge_of_a_minute_is_no_second_limit<L: LimiterHarness>() {
    let limited = Limited::<L>::fresh().await;
    assert_eq!(limited.burst(client(), 100, 59_900, 200).await, 100);
    let more = limited.burst(client(), 100, 60_100, 200).await;
    assert!(more <= 5, "{more} more were admitted");
}

pub async fn any_minute_of_a_steady_stream_stays_within_the_limit<L: LimiterHarness>() {
    let limited = Limited::<L>::fresh().await;
    let mut admitted = Vec::new();
    for at in (0..300_000).step_by(100) {
        if limited.ask(client(), 100, at).await.admitted {
            admitted.push(at);
        }
    }
    for from in &admitted {
        let within = admitted.iter().filter(|at| (*from..from + 60_000).contains(at)).count();
        assert!(within <= 105, "{within} within the minute from {from} ms");
    }
    assert!(admitted.len() >= 400, "only {} in five minutes", admitted.len());
}

pub async fn a_refused_request_is_not_counted<L: LimiterHarness>() {
    let limited = Limited::<L>::fresh().await;
    assert_eq!(limited.burst(client(), 5, 0, 5).await, 5);
    for at in (0..60_000).step_by(1_000) {
        assert_eq!(limited.burst(client(), 5, at, 10).await, 0, "at {at} ms");
    }
    assert_eq!(limited.burst(client(), 5, 121_000, 5).await, 5);
}

pub async fn all_of_the_limit_is_free_when_it_says_so<L: LimiterHarness>() {
    let limited = Limited::<L>::fresh().await;
    for at in [0, 10_000, 30_000] {
        limited.burst(client(), 30, at, 10).await;
    }
    let refused = limited.ask(client(), 30, 30_000).await;
    assert!(!refused.admitted);
    let now = limited.start.plus(Duration::from_millis(30_000));
    assert!(refused.resets_at > now);
    assert!(refused.resets_at <= now.plus(Duration::from_secs(120)));
    let millis = refused.resets_at.since(limited.start).as_millis();
    let reset = u64::try_from(millis).unwrap() + 1;
    assert_eq!(limited.burst(client(), 30, reset, 30).await, 30);
}

pub async fn keys_do_not_touch_each_other<L: LimiterHarness>() {
    let limited = Limited::<L>::fresh().await;
    let (organization, agent) = ids();
    let address: IpAddr = "192.0.2.1".parse().unwrap();
    let mapped: IpAddr = "2001:db8::1".parse().unwrap();
    let other = AgentId::from_uuid(organization.uuid());
    for key in [
        RateKey::Client(organization, agent),
        RateKey::Client(organization, other),
        RateKey::Address(address),
        RateKey::Address(mapped),
        RateKey::Visitor(address),
    ] {
        assert_eq!(limited.burst(key, 5, 0, 10).await, 5, "{key:?}");
    }
}

pub async fn tn_11_one_agent_id_in_two_organizations_is_two_buckets<L: LimiterHarness>() {
    let limited = Limited::<L>::fresh().await;
    let (organization, agent) = ids();
    let other = OrganizationId::from_uuid(agent.uuid());
    assert_eq!(limited.burst(RateKey::Client(organization, agent), 5, 0, 10).await, 5);
    assert_eq!(limited.burst(RateKey::Client(other, agent), 5, 0, 10).await, 5);
}

pub async fn a_clock_that_is_set_back_opens_no_gate<L: LimiterHarness>() {
    let limited = Limited::<L>::fresh().await;
    let late = 7_200_000;
    assert_eq!(limited.burst(client(), 20, late, 40).await, 20);
    assert_eq!(limited.burst(client(), 20, late - 30_000, 40).await, 0);
    let mut admitted = 0;
    for _ in 0..10 {
        admitted += limited.burst(client(), 20, late - 3_600_000, 40).await;
        admitted += limited.burst(client(), 20, late, 40).await;
    }
    assert!(admitted <= 20, "{admitted} more were admitted by a clock that swings");
}
