//! Lines of what left: `docs/audit-format.md`, "Checkpoints that left".

use kernel::{OrganizationId, Timestamp};
use serde::Deserialize;
use serde_json::{Value, error::Category};
use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    merkle::Hash,
};

/// Longer lines are refused unread.
pub const MAX_LINE: usize = 262_144;

/// Why a line was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidDeparture {
    /// It ends before it is complete: what a crash leaves of a line that was being written, or nothing.
    #[error("breaks off")]
    BrokenOff,
    /// It is no such line.
    #[error("is neither a checkpoint nor an acknowledgement")]
    Form,
}

/// A line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Departure {
    /// A checkpoint left.
    Checkpoint {
        /// Which.
        signed: SignedCheckpoint,
        /// When.
        at: Timestamp,
    },
    /// An operator knows why a log went back: earlier checkpoints of it no longer bind the server.
    Acknowledgement {
        /// Whose log.
        organization: OrganizationId,
        /// Why it did, in the operator's words.
        reason: String,
        /// When.
        at: Timestamp,
    },
}

#[derive(Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    deny_unknown_fields
)]
enum Line {
    Checkpoint {
        organization_id: String,
        size: u64,
        root_hash: String,
        checkpoint: String,
        at: String,
    },
    Acknowledgement {
        organization_id: String,
        reason: String,
        at: String,
    },
}

impl Departure {
    /// Reads a line, its newline left out. Signatures are not verified.
    ///
    /// # Errors
    /// [`InvalidDeparture`]
    pub fn parse(line: &[u8]) -> Result<Self, InvalidDeparture> {
        if line.len() > MAX_LINE {
            return Err(InvalidDeparture::Form);
        }
        let line = whole_text(line)?;
        let line = serde_json::from_str(line).map_err(|error| match error.classify() {
            Category::Eof => InvalidDeparture::BrokenOff,
            Category::Io | Category::Syntax | Category::Data => InvalidDeparture::Form,
        })?;
        Self::of(line).ok_or(InvalidDeparture::Form)
    }

    fn of(line: Line) -> Option<Self> {
        match line {
            Line::Checkpoint { organization_id, size, root_hash, checkpoint: note, at } => {
                let root = root_hash.parse::<Hash>().ok()?;
                let checkpoint = Checkpoint::claimed(&note).ok()?;
                // The members say the same as the note, or else somebody could be shown another one.
                let agrees = checkpoint.origin.organization().to_string() == organization_id
                    && (checkpoint.size, checkpoint.root) == (size, root);
                let signed = SignedCheckpoint { checkpoint, note };
                let at = at.parse().ok()?;
                agrees.then_some(Self::Checkpoint { signed, at })
            }
            Line::Acknowledgement { organization_id, reason, at } => Some(Self::Acknowledgement {
                organization: organization_id.parse().ok()?,
                reason,
                at: at.parse().ok()?,
            }),
        }
    }

    /// The line, without a newline.
    #[must_use]
    pub fn to_json(&self) -> String {
        match self {
            Self::Checkpoint { signed, at } => {
                let SignedCheckpoint { checkpoint, note } = signed;
                format!(
                    r#"{{"type":"checkpoint","organizationId":"{}","size":{},"rootHash":"{}","checkpoint":{},"at":"{at}"}}"#,
                    checkpoint.origin.organization(),
                    checkpoint.size,
                    checkpoint.root,
                    Value::from(note.as_str()),
                )
            }
            Self::Acknowledgement { organization, reason, at } => format!(
                r#"{{"type":"acknowledgement","organizationId":"{organization}","reason":{},"at":"{at}"}}"#,
                Value::from(reason.as_str()),
            ),
        }
    }
}

/// The text of a line, which may end within a character.
fn whole_text(line: &[u8]) -> Result<&str, InvalidDeparture> {
    str::from_utf8(line).map_err(|error| match error.error_len() {
        None => InvalidDeparture::BrokenOff,
        Some(_) => InvalidDeparture::Form,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ORGANIZATION: &str = "0195f3c2-7a1e-7cc0-8a3f-0f6c1a2b3c4d";

    fn checkpoint() -> Departure {
        let origin = format!("idp.example.com/audit/{ORGANIZATION}").parse().unwrap();
        let checkpoint = Checkpoint { origin, size: 3, root: Hash::of(b"any") };
        let note = format!("{}\n\u{2014} {} AAAAAAAA\n", checkpoint.text(), checkpoint.origin);
        let signed = SignedCheckpoint { checkpoint, note };
        Departure::Checkpoint { signed, at: "2026-11-21T08:00:00Z".parse().unwrap() }
    }

    fn acknowledgement() -> Departure {
        Departure::Acknowledgement {
            organization: ORGANIZATION.parse().unwrap(),
            reason: "restored, \"as told\"\nby é".to_owned(),
            at: "2026-11-21T08:00:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn a_line_is_read_as_it_was_written() {
        for departure in [checkpoint(), acknowledgement()] {
            let line = departure.to_json();
            assert!(!line.contains('\n'), "{line}");
            assert_eq!(Departure::parse(line.as_bytes()), Ok(departure));
        }
    }

    #[test]
    fn every_beginning_of_a_line_breaks_off() {
        for departure in [checkpoint(), acknowledgement()] {
            let line = departure.to_json();
            for end in 0..line.len() {
                let beginning = &line.as_bytes()[..end];
                assert_eq!(Departure::parse(beginning), Err(InvalidDeparture::BrokenOff), "{end}");
            }
        }
    }

    #[test]
    fn a_line_that_says_something_else_than_its_note_is_refused() {
        let line = checkpoint().to_json();
        let root = Hash::of(b"any").to_string();
        let other_root = Hash::of(b"another").to_string();
        for (from, to) in [
            (r#""size":3"#, r#""size":4"#),
            (r#""organizationId":"0195"#, r#""organizationId":"0196"#),
            (&*format!(r#""rootHash":"{root}"#), &*format!(r#""rootHash":"{other_root}"#)),
        ] {
            let changed = line.replacen(from, to, 1);
            assert_ne!(changed, line);
            assert_eq!(Departure::parse(changed.as_bytes()), Err(InvalidDeparture::Form), "{to}");
        }
    }

    #[test]
    fn what_is_no_such_line_is_refused() {
        let good = acknowledgement().to_json();
        let unknown = good.replacen("{", r#"{"more":1,"#, 1);
        let doubled = good.replacen("{", r#"{"reason":"a","#, 1);
        let kind = good.replacen("acknowledgement", "apology", 1);
        let long = format!("{good}{}", " ".repeat(MAX_LINE));
        let two = format!("{good}{good}");
        for bad in ["null", "[]", "{}", "text", "\u{0}", &unknown, &doubled, &kind, &long, &two] {
            assert_eq!(Departure::parse(bad.as_bytes()), Err(InvalidDeparture::Form), "{bad:.40}");
        }
        assert_eq!(Departure::parse(b"\xff{}"), Err(InvalidDeparture::Form));
    }
}
