//! Hints: whoever listens hears that something was announced, and never how often.

use audit::Hearing;
use futures_util::{FutureExt, future::join};

use crate::HintsHarness;

async fn announce<H: HintsHarness>(harness: &H) {
    harness.hints().announce().await.unwrap();
}

async fn listening<H: HintsHarness>(harness: &H) -> Box<dyn Hearing> {
    harness.hints().listen().await.unwrap()
}

pub async fn who_listens_hears<H: HintsHarness>() {
    let harness = H::fresh().await;
    let mut ear = listening(&harness).await;
    let (heard, ()) = join(ear.heard(), announce(&harness)).await;
    heard.unwrap();
}

pub async fn everybody_who_listens_hears<H: HintsHarness>() {
    let harness = H::fresh().await;
    let (mut one, mut two) = (listening(&harness).await, listening(&harness).await);
    announce(&harness).await;
    one.heard().await.unwrap();
    two.heard().await.unwrap();
}

pub async fn what_was_announced_before_anybody_waited_is_heard<H: HintsHarness>() {
    let harness = H::fresh().await;
    let mut ear = listening(&harness).await;
    announce(&harness).await;
    ear.heard().await.unwrap();
}

/// Whoever waits for a hint waits for the time of the next regular look as well, and drops the one
/// when the other comes.
pub async fn a_wait_that_is_given_up_loses_nothing<H: HintsHarness>() {
    let harness = H::fresh().await;
    let mut ear = listening(&harness).await;
    assert!(ear.heard().now_or_never().is_none());
    announce(&harness).await;
    ear.heard().await.unwrap();
}

pub async fn of_many_announcements_at_least_one_is_heard<H: HintsHarness>() {
    let harness = H::fresh().await;
    let mut ear = listening(&harness).await;
    for _ in 0..100 {
        announce(&harness).await;
    }
    ear.heard().await.unwrap();
}

pub async fn after_each_hearing_the_next_announcement_is_heard<H: HintsHarness>() {
    let harness = H::fresh().await;
    let mut ear = listening(&harness).await;
    for _ in 0..20 {
        announce(&harness).await;
        ear.heard().await.unwrap();
    }
}

/// Two products may share a server.
pub async fn who_is_not_concerned_hears_nothing<H: HintsHarness>() {
    let (ours, others) = (H::fresh().await, H::fresh().await);
    let (mut our_ear, mut other_ear) = (listening(&ours).await, listening(&others).await);
    announce(&others).await;
    // By the time that it is heard where it should be, it would have been told to everybody.
    other_ear.heard().await.unwrap();
    assert!(our_ear.heard().now_or_never().is_none());
    announce(&ours).await;
    our_ear.heard().await.unwrap();
}

pub async fn nobody_need_listen<H: HintsHarness>() {
    let harness = H::fresh().await;
    announce(&harness).await;
    drop(listening(&harness).await);
    announce(&harness).await;
}
