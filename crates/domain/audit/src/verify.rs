//! The offline verifier: an export, held against checkpoints that left (`docs/audit-format.md`, "How to
//! verify").
//!
//! It goes through an export once, and holds in memory little more than the id of each event: an
//! export may be larger than the machine that verifies it.

mod checkpoints;
mod erased;
mod finding;
mod json;
mod line;
mod tree;

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashSet, VecDeque},
    io::{self, BufRead},
};

use kernel::{OrganizationId, Timestamp};

pub use checkpoints::{Checkpoints, CheckpointsRefused, NoCheckpoint};
pub use erased::Runs;
pub use finding::{Code, Finding, plain};

use self::{
    erased::Announced,
    line::{Content, HashMembers, LeafMembers, Line},
    tree::{Tree, first_leaf_under},
};
use crate::{
    entry::{VERSION, commitment, is_out_of_order},
    event::Action,
    lines::read_line,
    merkle::{Hash, StoredHash, leaf_hash},
};

/// How many positions of events out of order are kept to be shown.
const SHOWN: usize = 10;

/// What a log that verifies is known to be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many leaves there are.
    pub size: u64,
    /// How many events have their content.
    pub events: u64,
    /// How many checkpoints fit, no two of them alike.
    pub checkpoints: u64,
    /// The size of the greatest. What lies past it is not covered yet.
    pub covered: u64,
    /// Where content is erased, as was announced.
    pub content_erased: Runs,
    /// Where personal data is erased and content is not, as was announced.
    pub personal_data_erased: Runs,
    /// How many events are out of order: a clock was set back.
    pub out_of_order: u64,
    /// The positions of the first of them.
    pub first_out_of_order: Vec<u64>,
}

/// Takes an export line by line.
#[derive(Debug)]
pub struct Verifier {
    organization: OrganizationId,
    checkpoints: VecDeque<(u64, Hash)>,
    /// The greatest checkpoint's size.
    size_signed: u64,
    tree: Tree,
    /// Stored hashes that have to come next.
    due: VecDeque<StoredHash>,
    ids: HashSet<u128>,
    latest: Option<Timestamp>,
    announced: Announced,
    summary: Summary,
    /// Where there is a finding, nothing behind it counts.
    found: Option<Finding>,
}

impl Verifier {
    /// Holds an export against these.
    ///
    /// # Errors
    /// [`NoCheckpoint`]
    pub fn new(checkpoints: Checkpoints) -> Result<Self, NoCheckpoint> {
        let (log, checkpoints) = checkpoints.in_order()?;
        let size_signed = checkpoints.last().map_or(0, |(size, _)| *size);
        let mut verifier = Self {
            organization: log.organization(),
            checkpoints: checkpoints.into(),
            size_signed,
            tree: Tree::default(),
            due: VecDeque::new(),
            ids: HashSet::new(),
            latest: None,
            announced: Announced::default(),
            summary: Summary::default(),
            found: None,
        };
        verifier.found = verifier.compare_roots().err();
        Ok(verifier)
    }

    /// Takes the next line, its newline included.
    ///
    /// # Errors
    /// The first finding, again and again from then on.
    pub fn line(&mut self, line: &[u8]) -> Result<(), Finding> {
        if let Some(found) = &self.found {
            return Err(found.clone());
        }
        let judged = self.take_line(line);
        self.found = judged.as_ref().err().cloned();
        judged
    }

    /// Takes the end of the export.
    ///
    /// # Errors
    /// The first finding.
    pub fn finish(mut self) -> Result<Summary, Finding> {
        if let Some(found) = self.found.take() {
            return Err(found);
        }
        if let Some(due) = self.due.front() {
            return Err(missing_stored_hash(*due));
        }
        let size = self.tree.size();
        if size < self.size_signed {
            let signed = self.size_signed;
            let why = format!("a checkpoint says that the log has {signed} positions or more");
            return Err(Finding::new(size, Code::LogTruncated, why));
        }
        self.judge_erasure()?;
        Ok(Summary { size, covered: self.size_signed, ..self.summary })
    }

    fn take_line(&mut self, line: &[u8]) -> Result<(), Finding> {
        let invalid =
            |why: &dyn std::fmt::Display| self.finding(Code::LineInvalid, why.to_string());
        let whole = line.strip_suffix(b"\n").ok_or_else(|| {
            invalid(&"the line is not ended by a newline, or has more than 262,144 bytes")
        })?;
        match Line::read(whole).map_err(|error| invalid(&error))? {
            Line::Leaf(leaf) => self.judge_leaf(leaf)?,
            Line::StoredHash(hash) => self.judge_stored_hash(&hash)?,
        }
        self.compare_roots()
    }

    fn judge_leaf(&mut self, leaf: LeafMembers<'_>) -> Result<(), Finding> {
        let (position, version, hash) = (leaf.position.0, leaf.version.0, leaf.leaf_hash);
        let content = leaf.content().map_err(|why| self.finding(Code::LineInvalid, why))?;
        if let Some(due) = self.due.front() {
            return Err(missing_stored_hash(*due));
        }
        if position != self.tree.size() {
            let why = format!("the line has position {position}");
            return Err(self.finding(Code::PositionUnexpected, why));
        }
        if version != u64::from(VERSION) {
            return Err(self.finding(Code::VersionUnknown, format!("version {version}")));
        }
        match content {
            Some(content) => self.judge_content(&content, hash)?,
            None => self.summary.content_erased.push(position),
        }
        self.tree.push(hash, &mut self.due);
        Ok(())
    }

    fn judge_content(&mut self, content: &Content<'_>, hash: Hash) -> Result<(), Finding> {
        let event = &content.event;
        let found = |code, why: &str| {
            let (id, action) = (event.event_id.0, &event.action.0);
            Err(self.finding(code, format!("the event {id} (`{action}`) {why}")))
        };
        if event.organization_id.0 != self.organization.uuid() {
            return found(Code::OrganizationForeign, "is of another organization than the log");
        }
        if self.ids.contains(&event.event_id.0.as_u128()) {
            return found(Code::EventDuplicate, "was there before");
        }
        if let Some(personal) = &content.personal {
            let [address, agent] = [&personal.ip_address, &personal.user_agent]
                .map(|member| member.as_ref().map(|text| &*text.0));
            if commitment(personal.salt(), address, agent) != content.commitment {
                let why = "has another address, user agent or salt than was committed to";
                return found(Code::CommitmentMismatch, why);
            }
        }
        if leaf_hash(&content.entry) != hash {
            return found(Code::LeafMismatch, "is not what was hashed: it was changed");
        }
        let must_be = is_out_of_order(event.timestamp, self.latest);
        let may_be = must_be || !self.summary.content_erased.is_empty();
        if (must_be && !event.out_of_order) || (event.out_of_order && !may_be) {
            let why = "does not say rightly whether an earlier one is later by more than 10 s";
            return found(Code::OrderMisstated, why);
        }
        self.take(content);
        Ok(())
    }

    /// Keeps of an event what later ones are judged by.
    fn take(&mut self, content: &Content<'_>) {
        let (event, position) = (&content.event, self.tree.size());
        self.ids.insert(event.event_id.0.as_u128());
        self.latest = self.latest.max(Some(event.timestamp));
        if event.action.0 == Action::LogTrimmed.name() {
            self.announced.take(position, &event.metadata.0);
        }
        if content.personal.is_none() {
            self.summary.personal_data_erased.push(position);
        }
        self.summary.events += 1;
        if event.out_of_order {
            self.summary.out_of_order += 1;
            if self.summary.first_out_of_order.len() < SHOWN {
                self.summary.first_out_of_order.push(position);
            }
        }
    }

    fn judge_stored_hash(&mut self, line: &HashMembers) -> Result<(), Finding> {
        let Some(due) = self.due.pop_front() else {
            let why = "a stored hash stands where none is due";
            return Err(self.finding(Code::StoredHashMismatch, why));
        };
        let is_it = line.level.0 == u64::from(due.level)
            && line.index.0 == due.index
            && line.hash == due.hash;
        if is_it {
            return Ok(());
        }
        let StoredHash { level, index, .. } = due;
        let why = format!("the hash of level {level} and index {index} is another");
        Err(Finding::new(first_leaf_under(due), Code::StoredHashMismatch, why))
    }

    /// Holds the tree against the checkpoints of its size, once the stored hashes that are due were read.
    fn compare_roots(&mut self) -> Result<(), Finding> {
        let size = self.tree.size();
        if !self.due.is_empty() {
            return Ok(());
        }
        let (mut fitted, before) = (0, self.summary.covered);
        while let Some((_, root)) = self.checkpoints.pop_front_if(|(signed, _)| *signed == size) {
            if root != self.tree.root() {
                let why = format!(
                    "the log is not the one that the checkpoint of size {size} was made of: they \
                     differ between this position and that size"
                );
                return Err(Finding::new(before, Code::RootMismatch, why));
            }
            fitted += 1;
        }
        if fitted > 0 {
            self.summary.checkpoints += fitted;
            self.summary.covered = size;
        }
        Ok(())
    }

    fn judge_erasure(&self) -> Result<(), Finding> {
        let content = self.announced.missing_content(&self.summary.content_erased);
        let personal_data =
            self.announced.missing_personal_data(&self.summary.personal_data_erased);
        let first = match (content, personal_data) {
            (Some(position), later) if later.is_none_or(|later| position <= later) => {
                Some((position, Code::ContentMissing))
            }
            (_, position) => position.map(|position| (position, Code::PersonalDataMissing)),
        };
        let why = "it is gone, and no event of the log said that it would be";
        first.map_or(Ok(()), |(position, code)| Err(Finding::new(position, code, why)))
    }

    fn finding(&self, code: Code, why: impl std::fmt::Display) -> Finding {
        Finding::new(self.tree.size(), code, why)
    }
}

fn missing_stored_hash(due: StoredHash) -> Finding {
    let StoredHash { level, index, .. } = due;
    let why = format!("the hash of level {level} and index {index} is missing");
    Finding::new(first_leaf_under(due), Code::StoredHashMismatch, why)
}

/// Verifies an export. The outer result is that of reading it.
///
/// # Errors
/// What the reader says, and, inside, the first finding.
pub fn verify(
    mut verifier: Verifier,
    mut export: impl BufRead,
) -> io::Result<Result<Summary, Finding>> {
    let mut line = Vec::new();
    loop {
        if read_line(&mut export, &mut line)? == 0 {
            return Ok(verifier.finish());
        }
        if let Err(found) = verifier.line(&line) {
            return Ok(Err(found));
        }
    }
}
