//! The feed of changes: nothing that was committed is missed, whatever commits beside it.

use audit::{ChangeFeed, Changed, Event, Journal, News, record};
use futures_util::future::join_all;
use registry::Agent;
use tenancy::Scope;

use crate::{FeedHarness, World, sample};

fn told(scope: &Scope, agent: &Agent) -> Changed {
    Changed { organization: scope.organization(), resource: agent.id().into() }
}

/// A feed that has had its first look.
async fn looking<H: FeedHarness>(world: &World<H>) -> H::Feed {
    let mut feed = world.harness.feed().await;
    assert_eq!(feed.news().await.unwrap(), News::Unknown);
    feed
}

async fn changes(feed: &mut impl ChangeFeed) -> Vec<Changed> {
    match feed.news().await.unwrap() {
        News::Changes(changes) => changes,
        News::Unknown => panic!("the feed lost its place"),
    }
}

pub async fn the_first_look_knows_nothing_and_the_next_one_tells<H: FeedHarness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut feed = looking(&world).await;
    let agent = world.agent(&scope, "one").await;
    assert_eq!(changes(&mut feed).await, [told(&scope, &agent)]);
}

pub async fn a_look_without_news_is_empty<H: FeedHarness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut feed = looking(&world).await;
    world.agent(&scope, "one").await;
    assert_eq!(changes(&mut feed).await.len(), 1);
    world.note(&scope, &Event::success(audit::Action::TokenIssued)).await;
    assert_eq!(changes(&mut feed).await, []);
}

pub async fn what_is_not_committed_is_no_news<H: FeedHarness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let mut feed = looking(&world).await;
    let change = sample::agent_named(&world.machine, scope.organization(), "one");
    let (tx, _) = record(world.begin(&scope).await, change).await.unwrap();
    assert_eq!(changes(&mut feed).await, []);
    drop(tx);
    assert_eq!(changes(&mut feed).await, []);
}

/// Numbers are given out at the insert and become visible at the commit: who reads on from the
/// greatest one that it saw would miss the lesser that commits later.
pub async fn a_change_that_commits_after_a_later_one_is_not_missed<H: FeedHarness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let mut feed = looking(&world).await;
    let change = sample::agent_named(&world.machine, scope.organization(), "slow");
    let (slow, slow_agent) = record(world.begin(&scope).await, change).await.unwrap();
    let fast = world.agent(&other, "fast").await;
    assert_eq!(changes(&mut feed).await, [told(&other, &fast)]);
    slow.commit().await.unwrap();
    assert_eq!(changes(&mut feed).await, [told(&scope, &slow_agent)]);
}

pub async fn every_feed_hears_of_every_change<H: FeedHarness>() {
    let (world, scope) = World::<H>::with_organization().await;
    let other = world.organization("other").await;
    let mut feeds = [looking(&world).await, looking(&world).await];
    let made = (0..20).map(async |number| {
        let scope = if number % 2 == 0 { &scope } else { &other };
        told(scope, &world.agent(scope, &format!("agent-{number}")).await)
    });
    let made = join_all(made).await;
    for feed in &mut feeds {
        let heard = changes(feed).await;
        assert!(made.iter().all(|one| heard.contains(one)), "{heard:?}");
    }
}
