//! Somebody to keep copies of, at any revision.

use std::sync::Arc;

use ::credentials::{
    CertificateSubject, ClientKey, ClientKeyRecord, ClientKeyState, Credential, KeyMaterial,
    LiveCount, Means, NewCredential, Pepper, Peppers, PresentedSecret, SubjectKind,
};
use ::tokens::Claims;
use audit::Changed;
use kernel::{
    AgentId, CredentialId, OrganizationId, Resource, Revision, ScopeSet, ScopeToken, Secret,
    Standing, Timestamp, TokenId,
};
use registry::{Agent, IntrospectionReach, Metadata, NewAgent, Resources};
use tenancy::{Kind, Organization, Plan};

use super::{Known, Ticket};
use crate::{
    agents::AgentDetails,
    authenticate::{AgentBrief, Parties},
};

pub(super) const NOW: i64 = 1_700_000_000_000_000;

/// The instant so many milliseconds after the beginning of a test.
pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_micros(NOW + millis * 1_000).unwrap()
}

pub(super) fn id<T: std::str::FromStr<Err: std::fmt::Debug>>(number: u64) -> T {
    format!("018bcfe5-687b-7001-8203-{number:012x}").parse().unwrap()
}

/// One client with one credential and one token.
#[derive(Debug, Clone, Copy)]
pub(super) struct One {
    pub(super) organization: OrganizationId,
    pub(super) agent: AgentId,
    pub(super) credential: CredentialId,
    pub(super) token: TokenId,
}

/// The revisions of all of it, and whether the token is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) organization: u32,
    pub(super) agent: u32,
    pub(super) credential: u32,
    pub(super) revoked: bool,
}

impl State {
    pub(super) const FIRST: Self =
        Self { organization: 1, agent: 1, credential: 1, revoked: false };

    pub(super) fn of((parties, revoked): &(Parties, bool)) -> Self {
        Self {
            organization: parties.organization.record().revision.get(),
            agent: parties.agent.revision.get(),
            credential: parties.credential.revision().get(),
            revoked: *revoked,
        }
    }
}

impl One {
    pub(super) fn numbered(number: u64) -> Self {
        Self { organization: id(1), agent: id(number), credential: id(number), token: id(number) }
    }

    pub(super) fn claims(&self) -> Claims {
        Claims {
            issuer: "https://idp.example.com".to_owned(),
            agent: self.agent,
            audience: vec!["https://idp.example.com".to_owned()],
            organization: self.organization,
            agent_type: "custom".to_owned(),
            credential: self.credential,
            scope: ScopeSet::default(),
            issued_at: at(0),
            expires_at: at(900_000),
            id: self.token,
            confirmation: None,
        }
    }

    /// What a store that is in this state would say.
    pub(super) fn parties(&self, state: State) -> Parties {
        Parties {
            organization: Arc::new(self.organization(state.organization)),
            agent: Arc::new(self.brief(state)),
            credential: Arc::new(Means::Secret(self.credential(state.credential))),
        }
    }

    fn brief(&self, state: State) -> AgentBrief {
        AgentBrief {
            id: self.agent,
            agent_type: "custom",
            standing: Standing::GOOD,
            grantable: ScopeSet::default(),
            introspection_reach: IntrospectionReach::Nothing,
            dpop_bound: false,
            revision: revision(state.agent),
        }
    }

    /// The agent with these scopes and resources of its own.
    pub(super) fn large_agent(&self, texts: &(ScopeSet, Resources)) -> AgentBrief {
        let (scopes, resources) = texts.clone();
        AgentBrief {
            grantable: scopes,
            introspection_reach: IntrospectionReach::For(resources),
            ..self.brief(State::FIRST)
        }
    }

    /// A key of the agent's whose name is as long as may be: 4,000 bytes.
    pub(super) fn large_key(&self) -> Means {
        let text = "\u{1f511}".repeat(1_000).parse().unwrap();
        let subject = CertificateSubject { kind: SubjectKind::Dn, text };
        let material = KeyMaterial::Subject(subject);
        Means::Key(Box::new(ClientKey::from_record(ClientKeyRecord {
            id: self.credential,
            organization: self.organization,
            agent: self.agent,
            kid: material.thumbprint(),
            material,
            name: None,
            created_at: at(0),
            expires_at: None,
            state: ClientKeyState::Live,
            revision: revision(1),
        })))
    }

    fn organization(&self, number: u32) -> Organization {
        let names = ("One".parse().unwrap(), "one".parse().unwrap());
        let change =
            Organization::found(self.organization, names, (Kind::Tenant, Plan::Free), at(0));
        let mut record = change.into_after().record().clone();
        record.revision = revision(number);
        Organization::from_record(record)
    }

    fn credential(&self, number: u32) -> Credential {
        let new = NewCredential {
            id: self.credential,
            agent: self.agent,
            organization: self.organization,
            name: None,
            expires_at: None,
            hash: Peppers::single(Pepper::new(&[7; 32])).hash(&secret()),
        };
        let change = Credential::generate(new, LiveCount(0), at(0)).unwrap();
        let mut record = change.into_after().record().clone();
        record.revision = revision(number);
        Credential::from_record(record)
    }

    /// The agent as it is shown, with this beside its other fields.
    pub(super) fn details(&self, metadata: serde_json::Value) -> AgentDetails {
        let serde_json::Value::Object(metadata) = metadata else { panic!("no object") };
        let capability: registry::Capability = "resume:read".parse().unwrap();
        let new = NewAgent {
            email: "one@example.com".parse().unwrap(),
            agent_type: registry::AgentType::Custom,
            version: "1.0.0".parse().unwrap(),
            capabilities: registry::Capabilities::from(capability),
            owner: "one".parse().unwrap(),
            deployment_env: registry::DeploymentEnv::Production,
            roles: registry::Roles::default(),
            is_public: false,
            metadata: Metadata::new(metadata).unwrap(),
            resources: Resources::default(),
            dpop_bound_access_tokens: false,
        };
        let registered = Agent::register(self.agent, self.organization, new, None, at(0));
        AgentDetails { agent: registered.into_after(), last_auth_at: None }
    }

    pub(super) fn is_shown(&self, known: &Known, millis: i64) -> bool {
        known.details(self.organization, self.agent, at(millis)).is_ok()
    }

    /// Read and kept as it is shown.
    pub(super) fn shown(&self, known: &Known) {
        let ticket = known.details(self.organization, self.agent, at(0)).unwrap_err().unwrap();
        known.keep_details(ticket, &self.details(serde_json::json!({})), at(0));
    }

    /// What is told where this of it changed.
    pub(super) fn changed(&self, resource: impl Into<audit::Resource>) -> Changed {
        Changed { organization: self.organization, resource: resource.into() }
    }

    pub(super) fn look_up(&self, known: &Known) -> Result<State, Ticket> {
        let found = known.token(&self.claims(), at(0));
        found.map(|found| State::of(&found)).map_err(|missing| missing.ticket)
    }

    pub(super) fn keep(&self, known: &Known, ticket: Ticket, state: State) {
        let parties = self.parties(state);
        known.keep_client(ticket, &parties);
        known.keep_token(ticket, self.token, &parties, state.revoked);
    }

    /// Copied as a reader does it, in its first state.
    pub(super) fn copied(&self, known: &Known) {
        let ticket = self.look_up(known).unwrap_err();
        self.keep(known, ticket, State::FIRST);
    }

    pub(super) fn is_copied(&self, known: &Known) -> bool {
        self.look_up(known).is_ok()
    }
}

/// As many and as long scopes and resources as an agent may have: 16,000 bytes.
pub(super) fn large_texts() -> (ScopeSet, Resources) {
    let scope = |number| format!("{number:0>128}").parse::<ScopeToken>().unwrap();
    let resource = |number| format!("urn:a:{number:0>506}").parse::<Resource>().unwrap();
    ((0..64).map(scope).collect(), Resources::new((0..16).map(resource)).unwrap())
}

fn revision(number: u32) -> Revision {
    Revision::new(number.into()).unwrap()
}

fn secret() -> PresentedSecret {
    let entropy = Seven;
    let made = ::credentials::ClientSecret::generate(id(1), &entropy).unwrap();
    let text: Secret = made.into_text();
    PresentedSecret::try_from(&text).unwrap()
}

struct Seven;

impl kernel::Entropy for Seven {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), kernel::EntropyUnavailable> {
        buffer.fill(7);
        Ok(())
    }
}
