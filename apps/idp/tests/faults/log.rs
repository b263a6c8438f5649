//! The log of the platform's organization: who keeps it, what it covers, and what it says at the end.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::caller::{self, Caller, text};
use crate::cluster::Cluster;
use crate::departed::{Checkpoint, Departed, of_file, of_lines};
use crate::front::Told;
use crate::ledger::Ledger;
use crate::rounds;
use crate::stopwatch::{now, until};
use crate::support::http::{self, Request};
use crate::verified::{Evidence, holds};

/// How soon another replica keeps the log.
pub(crate) fn takes_over() -> Duration {
    rounds::allowed(Duration::from_secs(5))
}

/// A number that a replica counts.
pub(crate) fn counted(cluster: &Cluster, replica: usize, metric: &str) -> u64 {
    let address = cluster.front.address(replica);
    let answer = http::send(address, &Request::new("GET", "/metrics")).unwrap();
    let mut lines = answer.body.lines().filter_map(|line| line.rsplit_once(' '));
    let count = lines.find(|(name, _)| *name == metric);
    count.map_or(0, |(_, count)| count.parse().unwrap())
}

pub(crate) fn signed(cluster: &Cluster, replica: usize) -> u64 {
    counted(cluster, replica, "agentidp_audit_checkpoints_signed_total")
}

/// Which replica keeps the log, under load.
pub(crate) fn kept_by(cluster: &Cluster) -> usize {
    let before: Vec<_> = (0..2).map(|replica| signed(cluster, replica)).collect();
    let mut keeper = None;
    until(now(), takes_over(), || {
        keeper = (0..2).find(|replica| signed(cluster, *replica) > before[*replica]);
        keeper.is_some()
    });
    keeper.unwrap()
}

impl Caller<'_> {
    /// The id of the event that says so, which there is once it was acknowledged.
    pub(crate) fn event_of(&self, at: usize, action: &str, resource: &str) -> Told<String> {
        let path = format!("/api/v1/audit?action={action}&outcome=success&resourceId={resource}");
        let found = self.get(at, &path)?;
        assert_eq!(found["total"], 1, "{action} {resource}: {found}");
        Ok(text(&found["data"][0]["eventId"]))
    }

    /// The newest checkpoint, as this replica serves it; none before the first is signed.
    pub(crate) fn checkpoint(&self, at: usize) -> Told<Option<Checkpoint>> {
        let answer = self.ask(at, "/api/v1/audit/checkpoint")?;
        assert!(matches!(answer.status, 200 | 404), "{} {}", answer.status, answer.body);
        Ok((answer.status == 200).then(|| Checkpoint::of(&answer.body)))
    }

    /// How long after that time the replica began to serve a checkpoint that covers the event.
    #[track_caller]
    pub(crate) fn is_covered(
        &self,
        at: usize,
        event: &str,
        (since, patience): (Instant, Duration),
    ) -> Duration {
        let path = format!("/api/v1/audit/{event}");
        let mut position = None;
        until(since, patience, || {
            position = self.get(at, &path).ok().and_then(|event| event["position"].as_u64());
            position.is_some()
        });
        until(since, patience, || {
            let served = self.checkpoint(at).ok().flatten();
            served.is_some_and(|covering| Some(covering.size) > position)
        })
    }

    /// What the whole log says, once nothing waits for its place any more.
    #[track_caller]
    pub(crate) fn evidence(&self, cluster: &Cluster, at: usize, departed: &Departed) -> Evidence {
        until(now(), takes_over(), || cluster.sql("SELECT count(*) FROM audit_pending") == "0");
        let last = caller::issue(self.front, at, &cluster.admin).unwrap().unwrap();
        let event = self.event_of(at, "token.issued", &last.id).unwrap();
        self.is_covered(at, &event, (now(), takes_over()));
        let whole = |path| {
            let answer = self.ask(at, path).unwrap();
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.body
        };
        Evidence::keep(&whole("/api/v1/audit/export"), &whole("/api/v1/audit/key"), departed)
    }
}

/// Everything that left of both replicas' files.
#[track_caller]
pub(crate) fn take_files(cluster: &Cluster, departed: &mut Departed) {
    for replica in 0..2 {
        departed.take_row(of_file(&cluster.ground.checkpoints(replica)));
    }
}

/// The log has everything that was acknowledged, just once, and verifies against all that left.
/// Also what left as events is whole, over both replicas' files.
#[track_caller]
pub(crate) fn is_whole(cluster: &Cluster, ledger: &Ledger, departed: &mut Departed) -> Evidence {
    take_files(cluster, departed);
    let evidence = cluster.admin_at(0).evidence(cluster, 1, departed);
    holds(&evidence.by_idp());
    let done = evidence.done();
    for ((action, resource), count) in &ledger.events {
        let found = done.get(&((*action).to_owned(), resource.clone())).copied().unwrap_or(0);
        let most = count.acknowledged + count.unknown;
        assert!((count.acknowledged..=most).contains(&found), "{action} {resource}: {found}");
    }
    events_left(cluster, evidence.size());
    evidence
}

/// Every position has left as an event, by one replica or the other.
#[track_caller]
fn events_left(cluster: &Cluster, size: u64) {
    let position = |event: Value| -> u64 { event["position"].as_str().unwrap().parse().unwrap() };
    let whole = || {
        let files = (0..2).map(|replica| of_lines(&cluster.ground.events(replica)));
        let mut positions: Vec<u64> = files.flatten().map(position).collect();
        positions.sort_unstable();
        positions.dedup();
        positions
            .into_iter()
            .take_while({
                let mut next = 0..;
                move |position| next.next() == Some(*position)
            })
            .count()
            .try_into()
            .is_ok_and(|whole: u64| whole >= size)
    };
    until(now(), takes_over(), whole);
}
