//! What a verifier finds, and how it says so.

use std::fmt::{self, Write as _};

use thiserror::Error;

/// The most characters of an explanation that are shown: parts of it come from the files.
const SHOWN: usize = 400;

/// What is wrong: `docs/audit-format.md`, "Findings".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Code {
    /// A line is not of the form of an export's, or its entry is too long.
    LineInvalid,
    /// A position is missing, doubled or moved.
    PositionUnexpected,
    /// Another version than 1.
    VersionUnknown,
    /// The event is of another organization.
    OrganizationForeign,
    /// The event id was there before.
    EventDuplicate,
    /// The personal data is not what was committed to.
    CommitmentMismatch,
    /// The content is not what was hashed.
    LeafMismatch,
    /// `outOfOrder` is not as it must be.
    OrderMisstated,
    /// Content is gone that no event said would be.
    ContentMissing,
    /// Personal data is gone that no event said would be.
    PersonalDataMissing,
    /// A stored hash of a higher level is not the root over its 256, or is not where it is due.
    StoredHashMismatch,
    /// The root is not the checkpoint's.
    RootMismatch,
    /// There are fewer leaves than a checkpoint says.
    LogTruncated,
    /// A checkpoint's form, signature or origin.
    CheckpointInvalid,
}

impl Code {
    /// Its name in the document, on which verifiers agree.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LineInvalid => "line-invalid",
            Self::PositionUnexpected => "position-unexpected",
            Self::VersionUnknown => "version-unknown",
            Self::OrganizationForeign => "organization-foreign",
            Self::EventDuplicate => "event-duplicate",
            Self::CommitmentMismatch => "commitment-mismatch",
            Self::LeafMismatch => "leaf-mismatch",
            Self::OrderMisstated => "order-misstated",
            Self::ContentMissing => "content-missing",
            Self::PersonalDataMissing => "personal-data-missing",
            Self::StoredHashMismatch => "stored-hash-mismatch",
            Self::RootMismatch => "root-mismatch",
            Self::LogTruncated => "log-truncated",
            Self::CheckpointInvalid => "checkpoint-invalid",
        }
    }
}

/// The first thing that is wrong with a log. Displayed as verifiers print it, without the explanation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("position {position}: {}", code.name())]
pub struct Finding {
    /// Where.
    pub position: u64,
    /// What.
    pub code: Code,
    /// The same in words, fit for a terminal.
    pub explanation: String,
}

impl Finding {
    pub(super) fn new(position: u64, code: Code, explanation: impl fmt::Display) -> Self {
        Self { position, code, explanation: plain(&explanation.to_string()) }
    }

    pub(super) fn of_checkpoint(explanation: impl fmt::Display) -> Self {
        Self::new(0, Code::CheckpointInvalid, explanation)
    }
}

/// The text without anything that a terminal would obey: who wrote it may be the one who is doubted.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars().take(SHOWN) {
        match character {
            '"' | '\'' | '\\' => shown.push(character),
            // Writing to a string does not fail.
            other => drop(write!(shown, "{}", other.escape_debug())),
        }
    }
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn au_12_what_a_terminal_would_obey_is_escaped() {
        let shown = plain("a\u{1b}[31m\r\nposition 0\u{202e}\u{9b}é\"'\\");
        assert_eq!(shown, "a\\u{1b}[31m\\r\\nposition 0\\u{202e}\\u{9b}é\"'\\");
        assert_eq!(plain(&"x".repeat(1_000)).chars().count(), SHOWN + 1);
    }

    #[test]
    fn a_finding_is_shown_as_every_verifier_shows_it() {
        let finding = Finding::new(12, Code::LeafMismatch, "why");
        assert_eq!(finding.to_string(), "position 12: leaf-mismatch");
    }
}
