//! Agents as they are shown, as many as fit into a number of bytes: one may be a hundred times as
//! large as another.

use hashlink::LruCache;
use kernel::{AgentId, OrganizationId, Timestamp};
use serde_json::Value;

use crate::agents::AgentDetails;

/// What a small agent takes, with its place among the others.
const SMALL: usize = 1_200;
/// What each text takes beside its letters.
const EACH: usize = 64;

type Key = (OrganizationId, AgentId);

/// Up to so many bytes; then whichever was used least recently goes.
pub(super) struct Shown {
    room: usize,
    taken: usize,
    agents: LruCache<Key, Copy>,
}

struct Copy {
    details: AgentDetails,
    kept_at: Timestamp,
    weight: usize,
}

impl Shown {
    pub(super) fn with_room_for(bytes: usize) -> Self {
        Self { room: bytes, taken: 0, agents: LruCache::new_unbounded() }
    }

    pub(super) fn len(&self) -> usize {
        self.agents.len()
    }

    /// The agent, and since when the copy is kept.
    pub(super) fn get(&mut self, key: &Key) -> Option<(AgentDetails, Timestamp)> {
        self.agents.get(key).map(|copy| (copy.details.clone(), copy.kept_at))
    }

    /// Keeps an agent, unless it is too large for this place or an earlier copy than the one kept.
    pub(super) fn keep(&mut self, key: Key, details: &AgentDetails, now: Timestamp) {
        let weight = weight(details);
        let is_earlier = |kept: &Copy| {
            let of =
                |details: &AgentDetails| (details.agent.record().revision, details.last_auth_at);
            of(&kept.details) > of(details)
        };
        if weight > self.room / 2 || self.agents.peek(&key).is_some_and(is_earlier) {
            return;
        }
        self.forget(&key);
        let copy = Copy { details: details.clone(), kept_at: now, weight };
        self.agents.insert(key, copy);
        self.taken += weight;
        while self.taken > self.room {
            let Some((_, oldest)) = self.agents.remove_lru() else { return };
            self.taken = self.taken.saturating_sub(oldest.weight);
        }
    }

    pub(super) fn forget(&mut self, key: &Key) {
        if let Some(copy) = self.agents.remove(key) {
            self.taken = self.taken.saturating_sub(copy.weight);
        }
    }

    pub(super) fn forget_all(&mut self) {
        self.agents.clear();
        self.taken = 0;
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
