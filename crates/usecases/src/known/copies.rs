//! The copies, each kind up to a number of its own, and up to a number of bytes where one may be large.

use std::{sync::Arc, time::Duration};

use ::credentials::{ClientKey, KeyMaterial, Means};
use hashlink::LruCache;
use kernel::{AgentId, CredentialId, OrganizationId, Timestamp, TokenId};
use registry::IntrospectionReach;
use tenancy::Organization;

use super::{
    bounded::{Bounded, EACH},
    shown::Shown,
    told::Subject,
};
use crate::{
    agents::AgentDetails,
    authenticate::{AgentBrief, Parties},
};

/// For how long a copy of an agent is shown. An event that was given up for lost may still be written,
/// and then nobody is told when the agent got a token.
const SHOWN_FOR: Duration = Duration::from_secs(60);

/// How many bytes there are for agents as they are shown, for each client that there may be copies of:
/// a tenth of what all of them would take.
const SHOWN_PER_CLIENT: usize = 128;

/// How many bytes there are for what decides of an agent, for each client that there may be copies of,
/// and again for a credential: more than the usual one takes. Of one that is as large as it gets, with
/// sixteen thousand, there are fewer.
const EACH_CLIENT: usize = 512;

/// What a copy takes beside itself: its key, its place among the others and its allocation.
const PLACE: usize = 128;

/// How many clients there are for each organization.
const ORGANIZATIONS: usize = 4;

/// Every key holds the organization, but for that by which the organization is found.
pub(super) struct Copies {
    organizations: LruCache<OrganizationId, Arc<Organization>>,
    agents: Bounded<(OrganizationId, AgentId), Arc<AgentBrief>>,
    credentials: Bounded<(OrganizationId, CredentialId), Arc<Means>>,
    /// Whether it was revoked.
    tokens: LruCache<(OrganizationId, TokenId), bool>,
    /// Where a client belongs.
    homes: LruCache<AgentId, OrganizationId>,
    shown: Shown,
}

impl Copies {
    /// So many of each, but for organizations, which have several agents.
    pub(super) fn holding(clients: usize) -> Self {
        let each = clients.max(1);
        let room = each.saturating_mul(EACH_CLIENT);
        Self {
            organizations: LruCache::new((clients / ORGANIZATIONS).max(1)),
            agents: Bounded::holding(each, room),
            credentials: Bounded::holding(each, room),
            tokens: LruCache::new(each),
            homes: LruCache::new(each),
            shown: Shown::with_room_for(clients.saturating_mul(SHOWN_PER_CLIENT)),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.organizations.len()
            + self.agents.len()
            + self.credentials.len()
            + self.tokens.len()
            + self.homes.len()
            + self.shown.len()
    }

    pub(super) fn client(&mut self, agent: AgentId, credential: CredentialId) -> Option<Parties> {
        let organization = *self.homes.get(&agent)?;
        self.parties(organization, agent, credential)
    }

    /// Whether a token was itself revoked.
    pub(super) fn is_revoked(&mut self, key: (OrganizationId, TokenId)) -> Option<bool> {
        self.tokens.get(&key).copied()
    }

    pub(super) fn agent(
        &mut self,
        organization: OrganizationId,
        agent: AgentId,
    ) -> Option<Arc<AgentBrief>> {
        self.agents.get(&(organization, agent)).cloned()
    }

    pub(super) fn details(
        &mut self,
        key: &(OrganizationId, AgentId),
        now: Timestamp,
    ) -> Option<AgentDetails> {
        let (details, kept_at) = self.shown.get(key)?;
        (kept_at <= now && now < kept_at.plus(SHOWN_FOR)).then_some(details)
    }

    /// All or nobody. A credential of another agent is none of this one's.
    pub(super) fn parties(
        &mut self,
        organization: OrganizationId,
        agent: AgentId,
        credential: CredentialId,
    ) -> Option<Parties> {
        let credential = self.credentials.get(&(organization, credential))?;
        if credential.agent() != agent {
            return None;
        }
        Some(Parties {
            credential: credential.clone(),
            agent: self.agents.get(&(organization, agent))?.clone(),
            organization: self.organizations.get(&organization)?.clone(),
        })
    }

    // A copy never gives way to an earlier one, which somebody may have read before and put in
    // later. Nobody need have been told of the change by then, and yet: whoever was told once that a
    // token is dead must not be told that it lives.

    pub(super) fn keep_organization(&mut self, key: OrganizationId, copy: Arc<Organization>) {
        let revision = copy.record().revision;
        if self.organizations.peek(&key).is_none_or(|kept| kept.record().revision <= revision) {
            self.organizations.insert(key, copy);
        }
    }

    pub(super) fn keep_agent(&mut self, key: (OrganizationId, AgentId), copy: Arc<AgentBrief>) {
        if self.agents.peek(&key).is_none_or(|kept| kept.revision <= copy.revision) {
            let weight = brief_weight(&copy);
            self.agents.insert(key, copy, weight);
        }
    }

    pub(super) fn keep_credential(
        &mut self,
        key: (OrganizationId, CredentialId),
        copy: Arc<Means>,
    ) {
        if self.credentials.peek(&key).is_none_or(|kept| kept.revision() <= copy.revision()) {
            let weight = means_weight(&copy);
            self.credentials.insert(key, copy, weight);
        }
    }

    /// A revocation is for good.
    pub(super) fn keep_token(&mut self, key: (OrganizationId, TokenId), revoked: bool) {
        let was_revoked = self.tokens.peek(&key).is_some_and(|kept| *kept);
        self.tokens.insert(key, revoked || was_revoked);
    }

    pub(super) fn keep_details(
        &mut self,
        key: (OrganizationId, AgentId),
        details: &AgentDetails,
        now: Timestamp,
    ) {
        self.shown.keep(key, details, now);
    }

    pub(super) fn keep_home(&mut self, (agent, organization): (AgentId, OrganizationId)) {
        self.homes.insert(agent, organization);
    }

    pub(super) fn forget(&mut self, subject: &Subject) {
        match subject {
            Subject::Organization(key) => drop(self.organizations.remove(key)),
            Subject::Agent(key) => {
                self.agents.remove(key);
                self.shown.forget(key);
            }
            Subject::LastUse(key) => self.shown.forget(key),
            Subject::Credential(key) => self.credentials.remove(key),
            Subject::Token(key) => drop(self.tokens.remove(key)),
        }
    }

    pub(super) fn forget_all(&mut self) {
        self.organizations.clear();
        self.agents.clear();
        self.credentials.clear();
        self.tokens.clear();
        self.homes.clear();
        self.shown.forget_all();
    }
}

// About how many bytes a copy takes, rather too many than too few.

fn brief_weight(brief: &AgentBrief) -> usize {
    let reach = match &brief.introspection_reach {
        IntrospectionReach::Nothing | IntrospectionReach::Everything => 0,
        // A set has places for eleven from its first one on.
        IntrospectionReach::For(own) => {
            5 * EACH + own.iter().map(|one| EACH + one.as_str().len()).sum::<usize>()
        }
    };
    PLACE + size_of::<AgentBrief>() + brief.grantable.as_str().len() + reach
}

fn means_weight(means: &Means) -> usize {
    let (name, rest) = match means {
        Means::Secret(credential) => (&credential.record().name, 0),
        Means::Key(key) => (&key.record().name, key_weight(key)),
    };
    let name = name.as_ref().map_or(0, |name| name.as_str().len());
    PLACE + size_of::<Means>() + name + rest
}

fn key_weight(key: &ClientKey) -> usize {
    let record = key.record();
    let material = match &record.material {
        KeyMaterial::Jwk(key) => key.to_raw().len(),
        KeyMaterial::Certificate(_) => 0,
        KeyMaterial::Subject(subject) => subject.text.as_str().len(),
    };
    size_of::<ClientKey>() + 2 * EACH + record.kid.as_str().len() + material
}
