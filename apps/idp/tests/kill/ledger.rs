//! What the server has acknowledged, and what it may have done besides.

use std::collections::BTreeMap;

/// What a worker tells of its work: what it is about to end, and what was acknowledged.
#[derive(Debug, Clone)]
pub(crate) enum Report {
    /// An agent was registered.
    Agent(String),
    /// A credential was made.
    Credential { id: String, agent: String, secret: String },
    /// A token was issued.
    Token { id: String, text: String, credential: String },
    /// The token is about to be revoked: from here on it may or may not be.
    RevokingToken(String),
    /// It was revoked.
    TokenRevoked(String),
    /// The credential is about to be revoked, and its tokens with it.
    RevokingCredential(String),
    /// It was revoked.
    CredentialRevoked(String),
}

impl Report {
    /// Whether the server has said so.
    pub(crate) fn is_acknowledged(&self) -> bool {
        !matches!(self, Self::RevokingToken(_) | Self::RevokingCredential(_))
    }
}

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Made, and nobody has touched it since.
    Alive,
    /// Somebody asked to end it, and was not answered.
    Unknown,
    /// Ended by a request of its own.
    Revoked,
    /// Ended with its credential: there is no event of its own.
    DiedWithCredential,
}

#[derive(Debug, Clone)]
pub(crate) struct Credential {
    pub(crate) agent: String,
    pub(crate) secret: String,
    pub(crate) fate: Fate,
}

#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) credential: String,
    pub(crate) fate: Fate,
}

/// Everything by its id.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) agents: Vec<String>,
    pub(crate) credentials: BTreeMap<String, Credential>,
    pub(crate) tokens: BTreeMap<String, Token>,
}

impl Ledger {
    /// Writes down a report. Those of one worker come in their order, and workers share nothing.
    pub(crate) fn take(&mut self, report: Report) {
        match report {
            Report::Agent(id) => self.agents.push(id),
            Report::Credential { id, agent, secret } => {
                self.credentials.insert(id, Credential { agent, secret, fate: Fate::Alive });
            }
            Report::Token { id, text, credential } => {
                self.tokens.insert(id, Token { text, credential, fate: Fate::Alive });
            }
            Report::RevokingToken(id) => self.token(&id).fate = Fate::Unknown,
            Report::TokenRevoked(id) => self.token(&id).fate = Fate::Revoked,
            Report::RevokingCredential(id) => self.end(&id, Fate::Unknown, Fate::Unknown),
            Report::CredentialRevoked(id) => {
                self.end(&id, Fate::Revoked, Fate::DiedWithCredential);
            }
        }
    }

    fn token(&mut self, id: &str) -> &mut Token {
        self.tokens.get_mut(id).unwrap()
    }

    fn end(&mut self, credential: &str, fate: Fate, of_its_tokens: Fate) {
        self.credentials.get_mut(credential).unwrap().fate = fate;
        let its = self.tokens.values_mut().filter(|token| token.credential == credential);
        its.filter(|token| token.fate != Fate::Revoked)
            .for_each(|token| token.fate = of_its_tokens);
    }

    /// Takes over another's content.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.agents.extend(other.agents);
        self.credentials.extend(other.credentials);
        self.tokens.extend(other.tokens);
    }

    /// Whether there is something of every kind whose fate is known.
    pub(crate) fn has_every_kind(&self) -> bool {
        let token = |fate| self.tokens.values().any(|token| token.fate == fate);
        let credential = |fate| self.credentials.values().any(|one| one.fate == fate);
        token(Fate::Alive)
            && token(Fate::Revoked)
            && token(Fate::DiedWithCredential)
            && credential(Fate::Alive)
            && credential(Fate::Revoked)
            && !self.agents.is_empty()
    }
}
