//! The key of a client and its life. What is registered is public, so that there is nothing to hide.

use kernel::{AgentId, CredentialId, OrganizationId, Revision, Standing, Timestamp};

use crate::{
    change::{ClientKeyChange, KeyCause},
    credential::{CredentialName, CredentialStatus},
    material::{ClientKeyId, KeyMaterial},
};

/// Where a key stands, its expiry apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKeyState {
    /// In use. One that has expired is too, until it is removed: its id is taken.
    Live,
    /// Dead, and every token that was obtained with it.
    Removed {
        /// Since when.
        at: Timestamp,
    },
}

/// What somebody gives to register a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the contract")]
pub struct NewClientKey {
    pub id: CredentialId,
    pub organization: OrganizationId,
    pub agent: AgentId,
    /// What the client calls it; its thumbprint where it says nothing.
    pub kid: Option<ClientKeyId>,
    pub material: KeyMaterial,
    pub name: Option<CredentialName>,
    pub expires_at: Option<Timestamp>,
}

/// Everything that a store keeps of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of the contract")]
pub struct ClientKeyRecord {
    pub id: CredentialId,
    pub organization: OrganizationId,
    pub agent: AgentId,
    pub kid: ClientKeyId,
    pub material: KeyMaterial,
    pub name: Option<CredentialName>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub state: ClientKeyState,
    pub revision: Revision,
}

/// A key of a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientKey(ClientKeyRecord);

impl ClientKey {
    /// Registers a key. Whether the agent may have it, [`Ways::add`](crate::Ways::add) has asked.
    pub(crate) fn add(new: NewClientKey, now: Timestamp) -> ClientKeyChange {
        let kid = new.kid.unwrap_or_else(|| new.material.thumbprint());
        let after = Self(ClientKeyRecord {
            id: new.id,
            organization: new.organization,
            agent: new.agent,
            kid,
            material: new.material,
            name: new.name,
            created_at: now,
            expires_at: new.expires_at,
            state: ClientKeyState::Live,
            revision: Revision::FIRST,
        });
        ClientKeyChange::new(None, after, KeyCause::Added)
    }

    /// Takes back what a store kept. A record is whole by its type.
    #[must_use]
    pub const fn from_record(record: ClientKeyRecord) -> Self {
        Self(record)
    }

    /// What a store must keep.
    #[must_use]
    pub const fn record(&self) -> &ClientKeyRecord {
        &self.0
    }

    /// Its id, which a token's claim `credential_id` names.
    #[must_use]
    pub const fn id(&self) -> CredentialId {
        self.0.id
    }

    /// The agent that it belongs to.
    #[must_use]
    pub const fn agent(&self) -> AgentId {
        self.0.agent
    }

    /// What its client calls it.
    #[must_use]
    pub const fn kid(&self) -> &ClientKeyId {
        &self.0.kid
    }

    /// What it is.
    #[must_use]
    pub const fn material(&self) -> &KeyMaterial {
        &self.0.material
    }

    /// Whether it lets anybody in at this instant.
    #[must_use]
    pub fn authenticates(&self, now: Timestamp) -> Standing {
        let is_expired = self.0.expires_at.is_some_and(|end| end <= now);
        if is_expired { Standing::Ended } else { self.standing() }
    }

    /// Whether the tokens that were obtained with it may be good. Its expiry does not end them.
    #[must_use]
    pub const fn standing(&self) -> Standing {
        match self.0.state {
            ClientKeyState::Live => Standing::GOOD,
            ClientKeyState::Removed { .. } => Standing::Ended,
        }
    }

    /// How it looks to people, given when its agent ended for good, if it did: then all of its keys
    /// count as revoked.
    #[must_use]
    pub fn status(&self, agent_ended_at: Option<Timestamp>, now: Timestamp) -> CredentialStatus {
        CredentialStatus::of(self.removed_at(agent_ended_at), self.0.expires_at, now)
    }

    /// When it was removed, by itself or with its agent.
    #[must_use]
    pub const fn removed_at(&self, agent_ended_at: Option<Timestamp>) -> Option<Timestamp> {
        match self.0.state {
            ClientKeyState::Removed { at } => Some(at),
            ClientKeyState::Live => agent_ended_at,
        }
    }

    /// Ends it, and its tokens with it. `None` where it is removed already.
    #[must_use]
    pub fn remove(self, now: Timestamp) -> Option<ClientKeyChange> {
        match self.0.state {
            ClientKeyState::Removed { .. } => None,
            ClientKeyState::Live => {
                let expected = Some(self.0.revision);
                let mut after = self;
                after.0.state = ClientKeyState::Removed { at: now };
                after.0.revision = after.0.revision.next();
                Some(ClientKeyChange::new(expected, after, KeyCause::Removed))
            }
        }
    }
}
