//! What changes were told of, so that nothing is put in that was read before them.

use std::hash::{DefaultHasher, Hash, Hasher};

use audit::{Changed, ResourceKind};
use kernel::{AgentId, CredentialId, OrganizationId, TokenId, ids::InvalidId};

use super::Ticket;

/// How many marks there are. Subjects share them: that of one delays the copies of some others, and
/// no more.
const MARKS: usize = 1_024;

/// Of what there are copies, under the key that they have. Ids alone are not enough: a key of one
/// organization must never find what another has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    Organization(OrganizationId),
    Agent((OrganizationId, AgentId)),
    Credential((OrganizationId, CredentialId)),
    Token((OrganizationId, TokenId)),
    /// When an agent last got a token.
    LastUse((OrganizationId, AgentId)),
}

impl Subject {
    /// What changed; `None` where there are no copies of such.
    ///
    /// # Errors
    /// Where the change cannot be read.
    pub(super) fn of(changed: &Changed) -> Result<Option<Self>, InvalidId> {
        let (organization, id) = (changed.organization, changed.resource.id.as_str());
        Ok(Some(match changed.resource.kind {
            ResourceKind::Organization => Self::Organization(id.parse()?),
            ResourceKind::Agent => Self::Agent((organization, id.parse()?)),
            // A secret or a key: whatever a token's `credential_id` names is one kind of copy.
            ResourceKind::Credential | ResourceKind::Key => {
                Self::Credential((organization, id.parse()?))
            }
            ResourceKind::Token => Self::Token((organization, id.parse()?)),
            ResourceKind::SigningKey
            | ResourceKind::Route
            | ResourceKind::CheckpointKey
            | ResourceKind::Log => return Ok(None),
        }))
    }
}

/// When each subject was last told of, counted in changes.
///
/// Marks of a fixed number, so that it is bounded whatever changes; and not one for all, or whoever
/// changes things all the time in one organization would keep those of others from being copied.
#[derive(Debug)]
pub(super) struct Told {
    count: u64,
    all: u64,
    marks: Box<[u64]>,
}

impl Told {
    pub(super) fn new() -> Self {
        Self { count: 0, all: 0, marks: vec![0; MARKS].into_boxed_slice() }
    }

    /// The number of the last change that was told.
    pub(super) const fn ticket(&self) -> Ticket {
        Ticket(self.count)
    }

    pub(super) fn tell(&mut self, subject: &Subject) {
        self.count += 1;
        let count = self.count;
        match self.marks.get_mut(mark(subject)) {
            Some(mark) => *mark = count,
            None => self.all = count,
        }
    }

    /// Tells that anything may have changed.
    pub(super) fn tell_all(&mut self) {
        self.count += 1;
        self.all = self.count;
    }

    /// Whether the subject may have changed since the ticket.
    pub(super) fn of_since(&self, subject: &Subject, ticket: Ticket) -> bool {
        let last = self.marks.get(mark(subject)).copied().unwrap_or(self.all);
        last.max(self.all) > ticket.0
    }
}

/// Ids are made by the server, so nobody can choose them to share a mark.
fn mark(subject: &Subject) -> usize {
    let mut hasher = DefaultHasher::new();
    subject.hash(&mut hasher);
    let marks = u64::try_from(MARKS).unwrap_or(1);
    usize::try_from(hasher.finish() % marks).unwrap_or(0)
}
