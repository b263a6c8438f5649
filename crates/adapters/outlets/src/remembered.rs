//! What left, as far as this process remembers.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use audit::{Checkpoint, delivery::Outside};
use kernel::OrganizationId;

/// The newest checkpoint of each log that left while this process ran: for a server that writes no
/// file. What left before it started it does not know.
#[derive(Debug, Default)]
pub struct Remembered {
    logs: Mutex<HashMap<OrganizationId, Newest>>,
}

#[derive(Debug)]
struct Newest {
    checkpoint: Checkpoint,
    /// The line of the newest that has one, and its size: one that is about to be written has none yet.
    line: Option<(u64, Box<str>)>,
}

impl Remembered {
    /// Keeps a checkpoint in mind where it is the newest of its log: the greatest, and of two of one size
    /// the first. The log is held against that one, so that the second is found out.
    pub(crate) fn keep(&self, checkpoint: &Checkpoint, line: Option<&str>) {
        let mut logs = self.logs();
        let organization = checkpoint.origin.organization();
        let known = logs
            .entry(organization)
            .or_insert_with(|| Newest { checkpoint: checkpoint.clone(), line: None });
        if checkpoint.size > known.checkpoint.size {
            known.checkpoint = checkpoint.clone();
        }
        if let Some(line) = line
            && known.line.as_ref().is_none_or(|(size, _)| checkpoint.size > *size)
        {
            known.line = Some((checkpoint.size, line.into()));
        }
    }

    /// Forgets a log: what left of it no longer binds.
    pub(crate) fn forget(&self, organization: OrganizationId) {
        self.logs().remove(&organization);
    }

    /// The lines that say what is the newest of each log.
    pub(crate) fn lines(&self) -> String {
        let logs = self.logs();
        let lines = logs.values().filter_map(|newest| newest.line.as_ref());
        lines.flat_map(|(_, line)| [&**line, "\n"]).collect()
    }

    fn logs(&self) -> MutexGuard<'_, HashMap<OrganizationId, Newest>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outside for Remembered {
    fn newest(&self, organization: OrganizationId) -> Option<Checkpoint> {
        self.logs().get(&organization).map(|newest| newest.checkpoint.clone())
    }

    fn known(&self) -> Vec<OrganizationId> {
        self.logs().keys().copied().collect()
    }

    fn left(&self, checkpoint: &Checkpoint) {
        self.keep(checkpoint, None);
    }
}
