//! What a file of checkpoints says, read once and then as it grows.

use std::{io::BufReader, sync::Arc};

use audit::{
    departure::{Departure, InvalidDeparture},
    lines::{MAX_LINE, read_line},
};

use crate::{error::OutletError, line_file::LineFile, remembered::Remembered};

/// The file, and how far it was read.
#[derive(Debug)]
pub(crate) struct Contents {
    file: LineFile,
    known: Arc<Remembered>,
    offset: u64,
    lines: u64,
    /// Lines that break off.
    broken: u64,
    /// Whether an empty file took the place of one that had lines.
    emptied: bool,
}

impl Contents {
    pub(crate) fn new(file: LineFile, known: Arc<Remembered>) -> Self {
        Self { file, known, offset: 0, lines: 0, broken: 0, emptied: false }
    }

    /// Reads what was added since, by whomever.
    pub(crate) fn catch_up(&mut self) -> Result<(), OutletError> {
        let is_another = self.file.follow()?;
        let length = self.file.length()?;
        if is_another || length < self.offset {
            (self.offset, self.lines) = (0, 0);
            self.emptied = length == 0;
        }
        self.read()
    }

    /// Adds a line, and reads back what the file says now.
    pub(crate) fn add(&mut self, departure: &Departure) -> Result<(), OutletError> {
        let line = departure.to_json() + "\n";
        if line.len() > MAX_LINE {
            return Err(OutletError::TooLong);
        }
        self.catch_up()?;
        if self.emptied {
            // A server that starts after a rotation must still know what logs are held against.
            let carried = self.known.lines();
            self.file.append((carried + &line).as_bytes())?;
            self.emptied = false;
        } else {
            self.file.append(line.as_bytes())?;
        }
        self.read()
    }

    /// How many bytes at the end belong to a line that breaks off, and how many such lines stand before.
    pub(crate) fn broken(&self) -> Result<(u64, u64), OutletError> {
        Ok((self.file.length()?.saturating_sub(self.offset), self.broken))
    }

    fn read(&mut self) -> Result<(), OutletError> {
        let mut reader = BufReader::new(self.file.from(self.offset)?);
        let mut line = Vec::new();
        loop {
            let read =
                read_line(&mut reader, &mut line).map_err(|error| self.file.refused(error))?;
            let Some(content) = line.strip_suffix(b"\n") else {
                // A line without an end is being written, or its writer ended: it is read once it has one.
                return if line.len() > MAX_LINE {
                    Err(self.unreadable("is too long"))
                } else {
                    Ok(())
                };
            };
            self.take(content)?;
            self.lines = self.lines.saturating_add(1);
            self.offset = self.offset.saturating_add(u64::try_from(read).unwrap_or(0));
        }
    }

    fn take(&mut self, line: &[u8]) -> Result<(), OutletError> {
        match Departure::parse(line) {
            Ok(Departure::Checkpoint { signed, .. }) => {
                self.known.keep(&signed.checkpoint, str::from_utf8(line).ok());
            }
            Ok(Departure::Acknowledgement { organization, .. }) => self.known.forget(organization),
            // What a crash left, ended by the line that came after it. Whoever wrote it never said that
            // it had left.
            Err(InvalidDeparture::BrokenOff) => self.broken = self.broken.saturating_add(1),
            // Another release, or somebody else, writes to the file too.
            Err(InvalidDeparture::AnotherType) => {}
            Err(InvalidDeparture::Form) => {
                return Err(self.unreadable("is neither a checkpoint nor an acknowledgement"));
            }
        }
        Ok(())
    }

    fn unreadable(&self, why: &'static str) -> OutletError {
        let path = self.file.path().to_owned();
        OutletError::Line { path, line: self.lines.saturating_add(1), why }
    }
}
