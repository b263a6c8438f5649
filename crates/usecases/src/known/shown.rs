//! Agents as they are shown, as many as fit into a number of bytes: one may be a hundred times as
//! large as another.

use kernel::{AgentId, OrganizationId, Timestamp};
use serde_json::Value;

use super::bounded::{Bounded, EACH};
use crate::agents::AgentDetails;

/// What a small agent takes, with its place among the others.
const SMALL: usize = 1_200;

type Key = (OrganizationId, AgentId);

/// Up to so many bytes; then whichever was used least recently goes.
pub(super) struct Shown(Bounded<Key, Copy>);

struct Copy {
    details: AgentDetails,
    kept_at: Timestamp,
}

impl Shown {
    pub(super) fn with_room_for(bytes: usize) -> Self {
        Self(Bounded::holding(usize::MAX, bytes))
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The agent, and since when the copy is kept.
    pub(super) fn get(&mut self, key: &Key) -> Option<(AgentDetails, Timestamp)> {
        self.0.get(key).map(|copy| (copy.details.clone(), copy.kept_at))
    }

    /// Keeps an agent, unless it is too large for this place or an earlier copy than the one kept.
    pub(super) fn keep(&mut self, key: Key, details: &AgentDetails, now: Timestamp) {
        let is_earlier = |kept: &Copy| {
            let of =
                |details: &AgentDetails| (details.agent.record().revision, details.last_auth_at);
            of(&kept.details) > of(details)
        };
        if self.0.peek(&key).is_some_and(is_earlier) {
            return;
        }
        let copy = Copy { details: details.clone(), kept_at: now };
        self.0.insert(key, copy, weight(details));
    }

    pub(super) fn forget(&mut self, key: &Key) {
        self.0.remove(key);
    }

    pub(super) fn forget_all(&mut self) {
        self.0.clear();
    }
}

/// About how many bytes an agent takes, rather too many than too few.
fn weight(details: &AgentDetails) -> usize {
    let record = details.agent.record();
    let texts = [record.email.as_str(), record.version.as_str(), record.owner.as_str()];
    let capabilities = record.capabilities.iter().map(|one| one.as_str());
    let resources = record.resources.iter().map(|one| one.as_str());
    let texts = texts.into_iter().chain(capabilities).chain(resources);
    let texts: usize = texts.map(|text| EACH + text.len()).sum();
    let members = record.metadata.as_object().iter();
    SMALL
        + texts
        + members.map(|(name, value)| 2 * EACH + name.len() + value_weight(value)).sum::<usize>()
}

/// The reader bounds how deep a value is.
fn value_weight(value: &Value) -> usize {
    EACH + match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(value_weight).sum(),
        Value::Object(members) => {
            let weight =
                |(name, value): (&String, &Value)| 2 * EACH + name.len() + value_weight(value);
            members.iter().map(weight).sum()
        }
    }
}
