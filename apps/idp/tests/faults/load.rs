//! Workers that keep the replicas busy, and the ledger of what they were told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};

use crate::caller::Client;
use crate::dice::Dice;
use crate::front::Front;
use crate::ledger::{Ledger, Report};
use crate::worker;

const WORKERS: u64 = 4;

/// A load that goes on until it is ended.
pub(crate) struct Load {
    over: Arc<AtomicBool>,
    workers: Vec<JoinHandle<()>>,
    reports: Receiver<Report>,
}

impl Load {
    /// Lets the workers go. Runs of different seeds differ, and so do the names of what they make.
    pub(crate) fn start(front: &Arc<Front>, admin: &Client, seed: u64) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let (sender, reports) = mpsc::channel();
        let workers = (0..WORKERS).map(|number| {
            let (front, admin, over) = (front.clone(), admin.clone(), over.clone());
            let (sender, dice) = (sender.clone(), Dice::new(seed * 1_000 + number));
            let name = format!("load-{seed}-{number}");
            thread::spawn(move || worker::work(&front, &admin, &name, dice, &sender, &over))
        });
        let workers = workers.collect();
        Self { over, workers, reports }
    }

    /// Writes down what comes, until so much of it was acknowledged.
    #[track_caller]
    pub(crate) fn acknowledge(&self, number: u64, ledger: &mut Ledger) {
        let mut acknowledged = 0;
        while acknowledged < number {
            let report = self.reports.recv().expect("every worker found a fault; see above");
            acknowledged += u64::from(report.is_acknowledged());
            ledger.take(report);
            self.is_whole();
        }
    }

    /// Fails as soon as one worker has.
    #[track_caller]
    fn is_whole(&self) {
        let ended = self.workers.iter().any(JoinHandle::is_finished);
        assert!(!ended, "a worker found a fault; see above");
    }

    /// Ends it, and writes down the rest.
    #[track_caller]
    pub(crate) fn end(self, ledger: &mut Ledger) {
        self.over.store(true, Ordering::Relaxed);
        for worker in self.workers {
            worker.join().expect("a worker found a fault");
        }
        self.reports.into_iter().for_each(|report| ledger.take(report));
    }
}
