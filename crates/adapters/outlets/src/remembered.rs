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
    /// The line that says so, where there is one.
    line: Option<Box<str>>,
}

impl Remembered {
    /// Keeps a checkpoint in mind where it is the newest of its log: the greatest, and of two of one size
    /// the first. The log is held against that one, so that the second is found out.
    pub(crate) fn keep(&self, checkpoint: &Checkpoint, line: Option<&str>) {
        let mut logs = self.logs();
        let organization = checkpoint.origin.organization();
        let known = logs.get(&organization);
        let is_newer = known.is_none_or(|known| checkpoint.size > known.checkpoint.size);
        let adds_line = known.is_some_and(|known| {
            known.checkpoint == *checkpoint && known.line.is_none() && line.is_some()
        });
        if is_newer || adds_line {
            let line = line.map(Box::from);
            logs.insert(organization, Newest { checkpoint: checkpoint.clone(), line });
        }
    }

    /// Forgets a log: what left of it no longer binds.
    pub(crate) fn forget(&self, organization: OrganizationId) {
        self.logs().remove(&organization);
    }

    /// The lines that say what is the newest of each log.
    pub(crate) fn lines(&self) -> String {
        let logs = self.logs();
        logs.values().filter_map(|newest| newest.line.as_deref()).flat_map(|l| [l, "\n"]).collect()
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
