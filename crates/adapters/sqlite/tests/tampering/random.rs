//! Tamperings at random.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use contracts::tampering::{Case, Dice, Owned, Stage, Trial, Verifiers, WAYS, trial::Tally};
use tokio::runtime::{Builder, Runtime};

use crate::owned::Template;

/// How many are tried, where `IDP_TAMPERINGS` does not say.
const TAMPERINGS: u64 = 1_000;
/// How many are given to the verifier in Python at a time.
const AT_A_TIME: u64 = 50;
const THREADS: u64 = 2;

fn runtime() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "how long a test lasts is the environment's to say")]
fn setting(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |number| number.parse().unwrap())
}

/// Takes batch after batch of seeds until all are taken.
fn try_some(template: &Template, next: &AtomicU64, (first, most): (u64, u64)) -> Tally {
    let folder = tempfile::tempdir().unwrap();
    let verifiers = Verifiers::new(folder.path().to_owned());
    let trial = Trial { installation: &template.installation, verifiers: &verifiers };
    let runtime = runtime();
    let mut tally = Tally::new();
    loop {
        let from = next.fetch_add(AT_A_TIME, Ordering::Relaxed);
        if from >= most {
            return tally;
        }
        let seeds = (from..most.min(from + AT_A_TIME)).map(|number| first + number);
        let some = runtime.block_on(Box::pin(trial.run(&mut template.copies(), seeds)));
        some.into_iter().for_each(|(way, count)| *tally.entry(way).or_default() += count);
    }
}

#[test]
fn au_04_each_of_a_thousand_tamperings_at_random_is_found_by_both_verifiers() {
    let seeds = (setting("IDP_TAMPERING_SEED", 0), setting("IDP_TAMPERINGS", TAMPERINGS));
    let template = runtime().block_on(Box::pin(Template::new()));
    let next = AtomicU64::new(0);
    let all = thread::scope(|scope| {
        let running: Vec<_> =
            (0..THREADS).map(|_| scope.spawn(|| try_some(&template, &next, seeds))).collect();
        let tallies = running.into_iter().flat_map(|one| one.join().unwrap());
        tallies.fold(Tally::new(), |mut all, (way, count)| {
            *all.entry(way).or_default() += count;
            all
        })
    });
    assert_eq!(all.values().sum::<usize>(), usize::try_from(seeds.1).unwrap());
    let never: Vec<_> = WAYS.iter().filter(|way| !all.contains_key(way.name)).collect();
    assert!(seeds.1 < TAMPERINGS || never.is_empty(), "never tried: {never:?}");
}

#[test]
fn logs_that_nobody_touched_are_sound_by_both_verifiers() {
    let folder = tempfile::tempdir().unwrap();
    let verifiers = Verifiers::new(folder.path().to_owned());
    runtime().block_on(Box::pin(async {
        let template = Template::new().await;
        let logs = &template.installation.logs;
        let (long, trimmed) = (logs.first().unwrap(), logs.get(1).unwrap());
        assert!(long.size() > 512 && long.leaves.iter().any(|one| one.leaf.place.out_of_order));
        assert!(0 < trimmed.content_from() && trimmed.content_from() < trimmed.personal_from());
        assert!(trimmed.record(0).event.is_none());
        let trial = Trial { installation: &template.installation, verifiers: &verifiers };
        let said = trial.untouched(&mut template.copies()).await;
        assert_eq!(said, vec![["ok"; 2]; 3]);
    }));
}

/// The database has no column for it: an owner would have to relabel the export.
#[test]
fn au_10_another_version_is_found_where_it_begins_by_both_verifiers() {
    let folder = tempfile::tempdir().unwrap();
    let verifiers = Verifiers::new(folder.path().to_owned());
    runtime().block_on(Box::pin(async {
        let template = Template::new().await;
        let (mut copies, mut dice) = (template.copies(), Dice::new(10));
        let (mut cases, mut expected) = (Vec::new(), Vec::new());
        for log in &template.installation.logs {
            let mut view = copies.tampered(Stage::Newest, &[], log.organization).await;
            let sound = Case::of(log, &mut view).await;
            for version in [0, 2] {
                let at = dice.within(0..log.size());
                let of = |version: u64| format!("{{\"position\":{at},\"version\":{version},");
                let export = String::from_utf8(sound.export.clone()).unwrap();
                let export = export.replace(&of(1), &of(version)).into_bytes();
                cases.push(Case { export, ..sound.clone() });
                expected.push(format!("position {at}: version-unknown"));
            }
        }
        let found = |case: &Case| case.found().unwrap().to_string();
        assert_eq!(cases.iter().map(found).collect::<Vec<_>>(), expected);
        assert_eq!(verifiers.python(&cases), expected);
    }));
}
