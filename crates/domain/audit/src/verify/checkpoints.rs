//! The checkpoints that an export is held against, and the files that they come in.

use std::io::{self, BufRead, Read};

use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    canonical,
    checkpoint::{Checkpoint, CheckpointError, InvalidOrigin, LogOrigin},
    departure::{InvalidDeparture, Members},
    lines::read_line,
    merkle::Hash,
    note::{MAX_LENGTH, VerifierKey},
};

use super::{finding::Finding, line};

/// The members of a line of a checkpoint, its type apart.
const MEMBERS: [&str; 5] = ["organizationId", "size", "rootHash", "checkpoint", "at"];

/// Why a file of checkpoints was not taken.
#[derive(Debug, Error)]
pub enum CheckpointsRefused {
    /// It cannot be read.
    #[error("the file cannot be read")]
    Unreadable(#[from] io::Error),
    /// One of them does not hold.
    #[error(transparent)]
    Found(#[from] Finding),
    /// Without a key nothing says which of several logs is meant.
    #[error("the checkpoints are of several logs; a key says which is meant")]
    SeveralLogs,
}

/// There is nothing to hold an export against.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("there is no checkpoint of this log in what was given")]
pub struct NoCheckpoint;

/// Checkpoints of one log.
#[derive(Debug)]
pub struct Checkpoints {
    key: Option<VerifierKey>,
    log: Option<LogOrigin>,
    /// Size and root of each.
    taken: Vec<(u64, Hash)>,
}

impl Checkpoints {
    /// Takes checkpoints that this key has signed.
    ///
    /// # Errors
    /// [`InvalidOrigin`] where the key is of no audit log.
    pub fn signed_by(key: VerifierKey) -> Result<Self, InvalidOrigin> {
        let log = key.name().as_str().parse()?;
        Ok(Self { key: Some(key), log: Some(log), taken: Vec::new() })
    }

    /// Takes checkpoints at their word: for somebody who kept them where nobody else writes.
    #[must_use]
    pub const fn unsigned() -> Self {
        Self { key: None, log: None, taken: Vec::new() }
    }

    /// Takes those of a file: a signed note, or lines of JSON.
    ///
    /// # Errors
    /// [`CheckpointsRefused`]
    pub fn add(&mut self, mut file: impl BufRead) -> Result<(), CheckpointsRefused> {
        match file.fill_buf()?.first() {
            Some(b'{') => return self.add_lines(file),
            Some(_) => {}
            // Nothing has left yet.
            None => return Ok(()),
        }
        let mut note = String::new();
        let most = u64::try_from(MAX_LENGTH).unwrap_or(u64::MAX).saturating_add(1);
        match file.take(most).read_to_string(&mut note) {
            Ok(_) => self.add_note(&note).map(drop),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(Finding::of_checkpoint("the checkpoint is not UTF-8").into())
            }
            Err(error) => Err(error.into()),
        }
    }

    fn add_lines(&mut self, mut file: impl BufRead) -> Result<(), CheckpointsRefused> {
        let (mut line, mut number) = (Vec::new(), 0_u64);
        while read_line(&mut file, &mut line)? > 0 {
            number += 1;
            let text = line.strip_suffix(b"\n").unwrap_or(&line);
            match Members::of(text) {
                Ok(Members::Checkpoint(members)) => self.add_line(&members, number)?,
                Ok(Members::Acknowledgement(_))
                | Err(InvalidDeparture::BrokenOff | InvalidDeparture::AnotherType) => {}
                Err(error @ InvalidDeparture::Form) => {
                    let why = format!("line {number} of checkpoints {error}");
                    return Err(Finding::of_checkpoint(why).into());
                }
            }
        }
        Ok(())
    }

    fn add_line(
        &mut self,
        members: &Map<String, Value>,
        number: u64,
    ) -> Result<(), CheckpointsRefused> {
        let text = |name| members.get(name).and_then(Value::as_str);
        let refused = |why: &str| {
            Finding::of_checkpoint(format!("line {number} of checkpoints: {why}")).into()
        };
        if let Some(missing) = MEMBERS.into_iter().find(|name| !members.contains_key(*name)) {
            return Err(refused(&format!("`{missing}` is missing")));
        }
        let organization = text("organizationId")
            .and_then(line::uuid)
            .ok_or_else(|| refused("`organizationId` is no UUID"))?;
        let wanted = self.log.as_ref().filter(|_| self.key.is_some());
        if wanted.is_some_and(|log| organization != log.organization().uuid()) {
            return Ok(());
        }
        let note = text("checkpoint").ok_or_else(|| refused("`checkpoint` is no text"))?;
        let checkpoint = self.add_note(note)?;
        let agrees = members.get("size").and_then(Value::as_u64) == Some(checkpoint.size)
            && text("rootHash") == Some(&*checkpoint.root.to_string())
            && organization == checkpoint.origin.organization().uuid();
        if agrees { Ok(()) } else { Err(refused("it does not say what its signed note says")) }
    }

    fn add_note(&mut self, note: &str) -> Result<Checkpoint, CheckpointsRefused> {
        let opened = match &self.key {
            Some(key) => Checkpoint::open(note, key),
            None => Checkpoint::claimed(note),
        };
        let is_exact = |checkpoint: &Checkpoint| canonical::is_exact(&checkpoint.size.into());
        let checkpoint = opened
            .and_then(|one| if is_exact(&one) { Ok(one) } else { Err(CheckpointError::Form) })
            .map_err(|error| Finding::of_checkpoint(format!("a checkpoint {error}")))?;
        match &self.log {
            Some(log) if *log != checkpoint.origin => return Err(CheckpointsRefused::SeveralLogs),
            Some(_) => {}
            None => self.log = Some(checkpoint.origin.clone()),
        }
        self.taken.push((checkpoint.size, checkpoint.root));
        Ok(checkpoint)
    }

    /// Whose log it is, and size and root of each checkpoint, the smallest first.
    pub(super) fn in_order(mut self) -> Result<(LogOrigin, Vec<(u64, Hash)>), NoCheckpoint> {
        self.taken.sort_unstable();
        self.taken.dedup();
        match self.log {
            Some(log) if !self.taken.is_empty() => Ok((log, self.taken)),
            Some(_) | None => Err(NoCheckpoint),
        }
    }
}
