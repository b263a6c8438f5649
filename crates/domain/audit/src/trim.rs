//! Retention: what may be erased, and the two things that an operator or the clock decides about a
//! log. Hashes are never erased.

mod announced;
mod erasure;

use std::time::Duration;

pub use announced::{ANNOUNCED_EVERY, ANNOUNCED_FOR, Announcement};
pub use erasure::{Erasure, Step};
use kernel::{OrganizationId, Timestamp};
use thiserror::Error;

use crate::{
    event::{Action, Event, Resource, ResourceKind},
    journal::Audited,
    sequence::{LeafRecord, LogState, Trimmed},
};

const DAY: Duration = Duration::from_secs(86_400);

/// The details of an announcement.
const CONTENT_BEFORE: &str = "contentBefore";
const PERSONAL_DATA_BEFORE: &str = "personalDataBefore";

/// How long what is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The content of events, in days.
    pub content_days: u32,
    /// Address and user agent, in days. Not longer than content, whatever it says.
    pub personal_data_days: u32,
}

impl Retention {
    /// Before when an event's content is over.
    #[must_use]
    pub fn content_cutoff(self, now: Timestamp) -> Timestamp {
        now.minus(DAY.saturating_mul(self.content_days))
    }

    /// Before when an event's personal data is over.
    #[must_use]
    pub fn personal_data_cutoff(self, now: Timestamp) -> Timestamp {
        now.minus(DAY.saturating_mul(self.personal_data_days.min(self.content_days)))
    }
}

/// How far content and personal data are over, leaf by leaf from where it was found before.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    before: Trimmed,
    reached: Trimmed,
    cutoffs: (Timestamp, Timestamp),
    signed: u64,
    next: u64,
    content_ends: bool,
}

impl Cut {
    /// Goes on from what may be erased already. Only what a checkpoint covers can be over.
    #[must_use]
    pub fn after(state: &LogState, retention: Retention, now: Timestamp) -> Self {
        let cutoffs = (retention.content_cutoff(now), retention.personal_data_cutoff(now));
        let (before, signed) = (state.trimmed, state.signed_size());
        let next = before.content;
        Self { before, reached: before, cutoffs, signed, next, content_ends: false }
    }

    /// From which position on leaves are to be taken next.
    #[must_use]
    pub const fn from(&self) -> u64 {
        self.next
    }

    /// Takes the next leaf; those before the one that is wanted next do not matter. Gives back whether
    /// any behind it does: that at [`Cut::from`].
    ///
    /// What is over is always a run from the start of the log: an event behind a younger one waits for
    /// it, so that whoever verifies can tell what was erased by rule from what was torn out.
    pub fn take(&mut self, record: &LeafRecord) -> bool {
        let position = record.leaf.place.position;
        if position < self.next {
            return true;
        }
        if position != self.next || position >= self.signed {
            return false;
        }
        // What is gone before anybody said that it may be was torn out, and no rule covers that.
        let Some(event) = &record.event else { return false };
        let may_lack_personal_data = position < self.before.personal_data;
        if event.salt.is_none() && !may_lack_personal_data {
            return false;
        }
        let next = position.saturating_add(1);
        self.next = next;
        self.content_ends |= event.timestamp >= self.cutoffs.0;
        if self.content_ends {
            // The personal data up to there was found to be over before.
            self.next = next.max(self.before.personal_data);
        } else {
            self.reached.content = next;
        }
        let personal_data_goes_on = may_lack_personal_data || event.timestamp < self.cutoffs.1;
        if personal_data_goes_on {
            self.reached.personal_data = self.reached.personal_data.max(next);
        }
        personal_data_goes_on
    }

    /// The change that says so. `None` where nothing more is over than before.
    #[must_use]
    pub fn change(self, organization: OrganizationId) -> Option<LogTrimmed> {
        let after = Trimmed {
            content: self.reached.content,
            personal_data: self.reached.personal_data.max(self.reached.content),
        };
        (after != self.before).then_some(LogTrimmed { organization, before: self.before, after })
    }
}

/// More of a log may be erased. Made by [`Cut`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogTrimmed {
    organization: OrganizationId,
    before: Trimmed,
    after: Trimmed,
}

impl LogTrimmed {
    /// Whose log.
    #[must_use]
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// What might be erased before.
    #[must_use]
    pub const fn before(&self) -> Trimmed {
        self.before
    }

    /// What may be erased now.
    #[must_use]
    pub const fn after(&self) -> Trimmed {
        self.after
    }
}

impl Audited for LogTrimmed {
    type After = Trimmed;

    fn event(&self) -> Event {
        Event::success(Action::LogTrimmed)
            .on(log_of(self.organization))
            .with(CONTENT_BEFORE, self.after.content)
            .with(PERSONAL_DATA_BEFORE, self.after.personal_data)
    }

    fn into_after(self) -> Trimmed {
        self.after
    }
}

/// There is nothing to acknowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the log is not halted")]
pub struct NotHalted;

/// An operator knows why a log was halted, and lets it go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogAcknowledged {
    organization: OrganizationId,
    found: String,
    reason: String,
}

impl LogAcknowledged {
    /// Acknowledges what halted this log.
    ///
    /// # Errors
    /// [`NotHalted`]
    pub fn new(
        organization: OrganizationId,
        state: &LogState,
        reason: &str,
    ) -> Result<Self, NotHalted> {
        let found = state.halted.clone().ok_or(NotHalted)?;
        Ok(Self { organization, found, reason: reason.to_owned() })
    }

    /// Whose log.
    #[must_use]
    pub const fn organization(&self) -> OrganizationId {
        self.organization
    }

    /// What halted it. Nothing that was found since is acknowledged.
    #[must_use]
    pub fn found(&self) -> &str {
        &self.found
    }
}

impl Audited for LogAcknowledged {
    type After = ();

    fn event(&self) -> Event {
        Event::success(Action::LogAcknowledged)
            .on(log_of(self.organization))
            .with("found", self.found.as_str())
            .with("reason", self.reason.as_str())
    }

    fn into_after(self) {}
}

fn log_of(organization: OrganizationId) -> Resource {
    Resource { kind: ResourceKind::Log, id: organization.to_string() }
}

#[cfg(test)]
mod tests;
