//! PostgreSQL killed, stopped and frozen, under load.

use std::time::Duration;

use servers::Postgres;

use crate::caller::Caller;
use crate::check;
use crate::cluster::{Cluster, Plan};
use crate::front::{Front, answers_within, heals_within};
use crate::ledger::Ledger;
use crate::load::Load;
use crate::rounds;
use crate::stopwatch::{now, until};
use crate::worker::SIGHT;

/// Something that is done to PostgreSQL.
type Fault = fn(&mut Postgres) -> Result<(), servers::Error>;

/// A way in which it goes and comes back, and how many answers are refused in between.
#[derive(Clone, Copy)]
struct Outage {
    goes: Fault,
    comes_back: Fault,
    refused: u64,
}

const KILLED: Outage = Outage { goes: Postgres::kill, comes_back: Postgres::restart, refused: 40 };
const STOPPED: Outage = Outage { goes: Postgres::stop, ..KILLED };
/// Who asks one that is frozen waits for two seconds.
const FROZEN: Outage = Outage { goes: |it| it.freeze(), comes_back: |it| it.thaw(), refused: 8 };

/// What was measured in rounds of outages.
#[derive(Debug, Default)]
struct Measured {
    ledger: Ledger,
    healed: Duration,
}

#[test]
fn do_01_what_was_acknowledged_survives_postgresql_and_nobody_is_refused_falsely() {
    let (mut cluster, mut measured) = (Cluster::start(&Plan::default()), Measured::default());
    for round in 0..rounds::of_postgres() {
        outage(&mut cluster, &mut measured, round, KILLED);
    }
    tell("kill -9 of PostgreSQL", rounds::of_postgres(), &cluster.front, &measured);
}

#[test]
fn do_01_what_was_acknowledged_survives_a_stop_and_a_freeze_of_postgresql() {
    let (mut cluster, mut measured) = (Cluster::start(&Plan::default()), Measured::default());
    for (round, how) in [STOPPED, FROZEN].into_iter().enumerate() {
        outage(&mut cluster, &mut measured, u64::try_from(round).unwrap(), how);
    }
    tell("stop and freeze of PostgreSQL", 2, &cluster.front, &measured);
}

/// A load, in the midst of which PostgreSQL ends and comes back.
fn outage(cluster: &mut Cluster, measured: &mut Measured, round: u64, how: Outage) {
    let before = cluster.front.refused();
    let load = Load::start(&cluster.front, &cluster.admin, round);
    load.acknowledge(60, &mut measured.ledger);
    cluster.front.database_goes();
    (how.goes)(&mut cluster.ground.postgres).unwrap();
    // Every other time for longer than copies count.
    let lasts = if round.is_multiple_of(2) { Duration::ZERO } else { SIGHT + SIGHT / 2 };
    let gone_at = now();
    until(gone_at, Duration::from_secs(30), || {
        let _away = Caller::open(&cluster.front, 0, &cluster.admin);
        cluster.front.refused() >= before + how.refused && gone_at.elapsed() > lasts
    });
    (how.comes_back)(&mut cluster.ground.postgres).unwrap();
    measured.healed = measured.healed.max(heals(cluster));
    // From here on a 503 is a fault, two seconds after the database was back.
    load.acknowledge(60, &mut measured.ledger);
    load.end(&mut measured.ledger);
    check::every(&measured.ledger, cluster, 1);
    let longest = cluster.front.longest();
    assert!(longest <= answers_within(), "an answer took {longest:?}");
}

/// How long it took, since the database accepts connections again, until both replicas do
/// everything: issue, change, introspect and read.
pub(crate) fn heals(cluster: &Cluster) -> Duration {
    let back_at = cluster.front.database_is_back();
    let heals = |at| {
        let works = || -> Result<(), crate::front::Lost> {
            let caller = Caller::open(&cluster.front, at, &cluster.admin)?;
            let name = format!("heal-{at}-{}@a.example", back_at.elapsed().as_nanos());
            let agent = caller.register(at, &name, "resume:write")?;
            caller.get(at, &format!("/api/v1/agents/{agent}"))?;
            assert!(caller.is_active(at, &caller.token)?);
            Ok(())
        };
        until(back_at, heals_within(), || works().is_ok());
        back_at.elapsed()
    };
    (0..cluster.ground.ports.len()).map(heals).max().unwrap()
}

fn tell(what: &str, rounds: u64, front: &Front, measured: &Measured) {
    println!(
        "{what}: {rounds} rounds, {} acknowledged, lost 0, {} times 503, longest answer {:?}, \
         healed within {:?}",
        measured.ledger.acknowledged,
        front.refused(),
        front.longest(),
        measured.healed
    );
}
