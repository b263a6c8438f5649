//! What replicas have acknowledged, and what they may have done besides.

use std::collections::BTreeMap;

use crate::caller::{Issued, Secret};

/// Something that was done, or that somebody is about to ask for.
#[derive(Debug, Clone)]
pub(crate) enum Deed {
    /// An agent is registered.
    Register(String),
    /// Its version is set.
    Version(String, String),
    Suspend(String),
    Reactivate(String),
    Decommission(String),
    /// A credential is made.
    Generate(Secret),
    /// A credential is replaced by another; none as long as nobody knows which.
    Rotate(String, Option<Secret>),
    RevokeCredential(String),
    /// A token is issued.
    Issue(Issued),
    RevokeToken(String),
}

/// What a worker tells.
#[derive(Debug, Clone)]
pub(crate) enum Report {
    /// From here on it may or may not be done.
    Asked(Deed),
    /// It was acknowledged.
    Done(Deed),
}

impl Report {
    pub(crate) fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Done(_))
    }
}

/// How many events there must be, and how many more there may be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Count {
    pub(crate) acknowledged: u64,
    pub(crate) unknown: u64,
}

/// None stands for what nobody knows.
#[derive(Debug, Clone)]
pub(crate) struct Agent {
    pub(crate) version: Option<String>,
    pub(crate) status: Option<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) secret: Secret,
    pub(crate) works: Option<bool>,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) token: Issued,
    pub(crate) active: Option<bool>,
}

/// Everything by its id.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) agents: BTreeMap<String, Agent>,
    pub(crate) credentials: BTreeMap<String, Credential>,
    pub(crate) tokens: BTreeMap<String, Token>,
    /// By action and resource.
    pub(crate) events: BTreeMap<(&'static str, String), Count>,
    /// How many reports were acknowledged.
    pub(crate) acknowledged: u64,
}

impl Deed {
    fn event(&self) -> (&'static str, &str) {
        match self {
            Self::Register(agent) => ("agent.created", agent),
            Self::Version(agent, _) => ("agent.updated", agent),
            Self::Suspend(agent) => ("agent.suspended", agent),
            Self::Reactivate(agent) => ("agent.reactivated", agent),
            Self::Decommission(agent) => ("agent.decommissioned", agent),
            Self::Generate(secret) => ("credential.generated", &secret.id),
            Self::Rotate(old, _) => ("credential.rotated", old),
            Self::RevokeCredential(id) => ("credential.revoked", id),
            Self::Issue(token) => ("token.issued", &token.id),
            Self::RevokeToken(id) => ("token.revoked", id),
        }
    }
}

impl Ledger {
    /// Writes down a report. Those on one agent come in their order.
    pub(crate) fn take(&mut self, report: Report) {
        match report {
            Report::Asked(deed) => {
                self.count(&deed).unknown += 1;
                self.apply(&deed, false);
            }
            Report::Done(deed) => {
                self.acknowledged += 1;
                let count = self.count(&deed);
                count.unknown = count.unknown.saturating_sub(1);
                count.acknowledged += 1;
                self.apply(&deed, true);
                self.add(deed);
            }
        }
    }

    fn count(&mut self, deed: &Deed) -> &mut Count {
        let (action, id) = deed.event();
        self.events.entry((action, id.to_owned())).or_default()
    }

    /// What it does to what is there, if it is done.
    fn apply(&mut self, deed: &Deed, done: bool) {
        let ended = done.then_some(false);
        match deed {
            Deed::Version(agent, version) => {
                self.agent(agent).version = done.then(|| version.clone());
            }
            Deed::Suspend(agent) => {
                self.agent(agent).status = done.then_some("suspended");
                self.end_tokens(ended, |token| token.agent == *agent);
            }
            Deed::Reactivate(agent) => self.agent(agent).status = done.then_some("active"),
            Deed::Decommission(agent) => {
                self.agent(agent).status = done.then_some("decommissioned");
                self.end_tokens(ended, |token| token.agent == *agent);
                let all = self.credentials.values_mut();
                all.filter(|one| one.secret.client.id == *agent)
                    .filter(|one| one.works != Some(false))
                    .for_each(|one| one.works = ended);
            }
            Deed::Rotate(old, _) => self.credential(old).works = ended,
            Deed::RevokeCredential(id) => {
                self.credential(id).works = ended;
                self.end_tokens(ended, |token| token.credential == *id);
            }
            Deed::RevokeToken(id) => self.end_tokens(ended, |token| token.id == *id),
            Deed::Register(_) | Deed::Generate(_) | Deed::Issue(_) => {}
        }
    }

    /// What it adds.
    fn add(&mut self, deed: Deed) {
        match deed {
            Deed::Register(agent) => {
                let fresh = Agent { version: Some("1.0.0".to_owned()), status: Some("active") };
                self.agents.insert(agent, fresh);
            }
            Deed::Generate(secret) | Deed::Rotate(_, Some(secret)) => {
                let fresh = Credential { secret, works: Some(true) };
                self.credentials.insert(fresh.secret.id.clone(), fresh);
            }
            Deed::Issue(token) => {
                self.tokens.insert(token.id.clone(), Token { token, active: Some(true) });
            }
            Deed::Version(..)
            | Deed::Suspend(_)
            | Deed::Reactivate(_)
            | Deed::Decommission(_)
            | Deed::Rotate(_, None)
            | Deed::RevokeCredential(_)
            | Deed::RevokeToken(_) => {}
        }
    }

    fn agent(&mut self, id: &str) -> &mut Agent {
        self.agents.get_mut(id).unwrap()
    }

    fn credential(&mut self, id: &str) -> &mut Credential {
        self.credentials.get_mut(id).unwrap()
    }

    /// What is dead stays dead.
    fn end_tokens(&mut self, active: Option<bool>, which: impl Fn(&Issued) -> bool) {
        let which = |token: &&mut Token| token.active != Some(false) && which(&token.token);
        self.tokens.values_mut().filter(which).for_each(|token| token.active = active);
    }
}
