//! Lines of what left: `docs/audit-format.md`, "Checkpoints that left".

use kernel::{OrganizationId, Timestamp};
use serde::Deserialize;
use serde_json::{Map, Value};
use thiserror::Error;

use crate::{
    checkpoint::{Checkpoint, SignedCheckpoint},
    lines::MAX_LINE,
};

/// Why a line says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidDeparture {
    /// It is what a crash leaves of a line that was being written: to be passed over.
    #[error("breaks off")]
    BrokenOff,
    /// It is of a type that is none of these: to be passed over, since a later release may have written it.
    #[error("is of another type")]
    AnotherType,
    /// It is no such line, and nobody knows what it was.
    #[error("is neither a checkpoint nor an acknowledgement")]
    Form,
}

/// What a line has of members, by its type.
#[derive(Debug)]
pub(crate) enum Members {
    /// Those of a checkpoint, or what says to be one.
    Checkpoint(Map<String, Value>),
    /// Those of an acknowledgement.
    Acknowledgement(Map<String, Value>),
}

impl Members {
    /// Reads a line, its newline left out: the one rule of which lines count, for the server and for
    /// those who verify.
    pub(crate) fn of(line: &[u8]) -> Result<Self, InvalidDeparture> {
        if line.len() > MAX_LINE {
            return Err(InvalidDeparture::Form);
        }
        if line.starts_with(b"{") && !line.ends_with(b"}") {
            return Err(InvalidDeparture::BrokenOff);
        }
        // Lines of other types may have numbers that are none of ours.
        let members: Map<String, Value> =
            serde_json::from_slice(line).map_err(|_| InvalidDeparture::Form)?;
        match members.get("type").and_then(Value::as_str) {
            Some("checkpoint") => Ok(Self::Checkpoint(members)),
            Some("acknowledgement") => Ok(Self::Acknowledgement(members)),
            Some(_) | None => Err(InvalidDeparture::AnotherType),
        }
    }
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
#[serde(rename_all = "camelCase")]
struct CheckpointMembers {
    organization_id: String,
    size: u64,
    root_hash: String,
    checkpoint: String,
    at: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AcknowledgementMembers {
    organization_id: String,
    reason: String,
    at: String,
}

impl Departure {
    /// Reads a line, its newline left out. Signatures are not verified.
    ///
    /// # Errors
    /// [`InvalidDeparture`]
    pub fn parse(line: &[u8]) -> Result<Self, InvalidDeparture> {
        let departure = match Members::of(line)? {
            Members::Checkpoint(members) => Self::checkpoint(members),
            Members::Acknowledgement(members) => Self::acknowledgement(members),
        };
        departure.ok_or(InvalidDeparture::Form)
    }

    fn checkpoint(members: Map<String, Value>) -> Option<Self> {
        let members: CheckpointMembers = serde_json::from_value(members.into()).ok()?;
        let checkpoint = Checkpoint::claimed(&members.checkpoint).ok()?;
        // The members say the same as the note, or else somebody could be shown another one.
        let agrees = checkpoint.origin.organization().to_string() == members.organization_id
            && checkpoint.size == members.size
            && checkpoint.root == members.root_hash.parse().ok()?;
        let at = members.at.parse().ok()?;
        let signed = SignedCheckpoint { checkpoint, note: members.checkpoint };
        agrees.then_some(Self::Checkpoint { signed, at })
    }

    fn acknowledgement(members: Map<String, Value>) -> Option<Self> {
        let members: AcknowledgementMembers = serde_json::from_value(members.into()).ok()?;
        Some(Self::Acknowledgement {
            organization: members.organization_id.parse().ok()?,
            reason: members.reason,
            at: members.at.parse().ok()?,
        })
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
                    quoted(note),
                )
            }
            Self::Acknowledgement { organization, reason, at } => format!(
                r#"{{"type":"acknowledgement","organizationId":"{organization}","reason":{},"at":"{at}"}}"#,
                quoted(reason),
            ),
        }
    }
}

/// The text in quotes, without a `}`: a line ends with its only one, so that what breaks off never does.
fn quoted(text: &str) -> String {
    Value::from(text).to_string().replace('}', "\\u007d")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::Hash;

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
            reason: "restored, {\"as\": {\"told\"}}\nby é}".to_owned(),
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
            for end in 1..line.len() {
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
    fn a_line_of_another_type_is_told_from_one_of_no_form() {
        let good = acknowledgement().to_json();
        let kind = good.replacen("acknowledgement", "apology", 1);
        for other in ["{}", r#"{"type":1}"#, r#"{"size":-1.5e9,"type":"event"}"#, &kind] {
            let passed_over = Err(InvalidDeparture::AnotherType);
            assert_eq!(Departure::parse(other.as_bytes()), passed_over, "{other}");
        }
    }

    #[test]
    fn a_member_that_a_later_release_added_is_passed_over() {
        let more = acknowledgement().to_json().replacen('{', r#"{"more":1,"#, 1);
        assert_eq!(Departure::parse(more.as_bytes()), Ok(acknowledgement()));
    }

    #[test]
    fn what_is_no_such_line_is_refused() {
        let good = acknowledgement().to_json();
        let less = good.replacen(r#""at""#, r#""on""#, 1);
        let lone = good.replacen("restored", r"\ud800", 1);
        let long = good.replacen('{', &format!("{{{}", " ".repeat(MAX_LINE)), 1);
        let two = format!("{good}{good}");
        for bad in ["", "null", "[]", "text", "\u{0}", &less, &lone, &long, &two] {
            assert_eq!(Departure::parse(bad.as_bytes()), Err(InvalidDeparture::Form), "{bad:.40}");
        }
        assert_eq!(Departure::parse(b"\xff{}"), Err(InvalidDeparture::Form));
        assert_eq!(Departure::parse(b"{\xff}"), Err(InvalidDeparture::Form));
    }
}
