//! Tamperings drawn at random, done to a real database, and given to both verifiers.

use std::{collections::BTreeMap, future::Future};

use audit::LogReader;
use kernel::OrganizationId;

use super::{
    Case, Dialect, Dice, Draw, Expected, Installation, Stage, Tampering, Verifiers, WAYS,
    verifiers::said,
};

/// A database that its owner can do anything to, with an [`Installation`] in it.
pub trait Owned {
    /// What its statements are written in.
    const DIALECT: Dialect;

    /// Reads a log of it.
    type View: LogReader;

    /// A copy of the database as it was at this stage, with that done to it by its owner, whom no
    /// trigger and no constraint holds back; and a view of a log in it.
    fn tampered(
        &mut self,
        stage: Stage,
        statements: &[String],
        organization: OrganizationId,
    ) -> impl Future<Output = Self::View>;
}

/// How often each way was drawn, each time found by both verifiers.
pub type Tally = BTreeMap<&'static str, usize>;

/// A tampering that was drawn.
#[derive(Debug)]
struct Drawn {
    seed: u64,
    way: &'static str,
    log: usize,
    tampering: Tampering,
}

/// Who tries.
#[derive(Debug)]
pub struct Trial<'a> {
    /// What is tampered with.
    pub installation: &'a Installation,
    /// Who must find it.
    pub verifiers: &'a Verifiers,
}

impl Trial<'_> {
    /// Does what each of these seeds draws, and gives it to both verifiers.
    ///
    /// # Panics
    /// Where one was not found, or somewhere else.
    pub async fn run<O: Owned>(&self, owned: &mut O, seeds: impl Iterator<Item = u64>) -> Tally {
        let mut tried = Vec::new();
        for seed in seeds {
            let drawn = self.drawn(seed);
            let case = self.case(owned, &drawn).await;
            tried.push((drawn, case));
        }
        let python = self.verifiers.python(tried.iter().map(|(_, case)| case));
        let (mut tally, mut missed) = (Tally::new(), Vec::new());
        for ((drawn, case), python) in tried.iter().zip(python) {
            missed.extend(judged(drawn, case, &python));
            *tally.entry(drawn.way).or_default() += 1;
        }
        assert!(missed.is_empty(), "{} were missed:\n{}", missed.len(), missed.join("\n"));
        tally
    }

    /// What both verifiers say of the logs that nobody touched.
    pub async fn untouched<O: Owned>(&self, owned: &mut O) -> Vec<[String; 2]> {
        let mut cases = Vec::new();
        for log in &self.installation.logs {
            let mut view = owned.tampered(Stage::Newest, &[], log.organization).await;
            cases.push(Case::of(log, &mut view).await);
        }
        let python = self.verifiers.python(&cases);
        cases.iter().zip(python).map(|(case, other)| [said(case.found().as_ref()), other]).collect()
    }

    fn drawn(&self, seed: u64) -> Drawn {
        let mut dice = Dice::new(seed);
        let logs = &self.installation.logs;
        loop {
            let way = *dice.pick(WAYS);
            let (at, by) = (dice.within(0..3), dice.within(1..3));
            let log = usize::try_from(at).unwrap();
            let other = usize::try_from((at + by) % 3).unwrap();
            let signer = &*self.installation.signer;
            let mut draw = Draw {
                dice: Dice::new(dice.number()),
                log: &logs[log],
                other: &logs[other],
                signer,
            };
            if let Some(tampering) = (way.draw)(&mut draw) {
                return Drawn { seed, way: way.name, log, tampering };
            }
        }
    }

    async fn case<O: Owned>(&self, owned: &mut O, drawn: &Drawn) -> Case {
        let log = &self.installation.logs[drawn.log];
        let Tampering { stage, statements, .. } = &drawn.tampering;
        let statements: Vec<_> = statements.iter().map(|one| one.of(O::DIALECT)).collect();
        let mut view = owned.tampered(*stage, &statements, log.organization).await;
        Case::of(log, &mut view).await
    }
}

/// Why a tampering counts as missed, if it does.
fn judged(drawn: &Drawn, case: &Case, python: &str) -> Option<String> {
    let found = case.found();
    let rust = said(found.as_ref());
    let expected: &Expected = &drawn.tampering.expected;
    let is_found = found.is_some_and(|finding| expected.is(&finding));
    (!is_found || rust != python).then(|| {
        let Drawn { seed, way, log, tampering } = drawn;
        let done = tampering.statements.iter().take(4).map(|one| one.of(Dialect::Sqlite));
        let done: Vec<_> = done.map(|one| one.chars().take(300).collect::<String>()).collect();
        format!(
            "seed {seed}, log {log}, {way}: expected {expected}, got `{rust}` and `{python}`:\n  {}",
            done.join("\n  ")
        )
    })
}
