//! What the event of each action holds: the one table that `docs/events.md` is made of, and that
//! the tests hold every event to.

use std::fmt;

use crate::{
    event::{Action, Outcome, ResourceKind},
    log::EventRecord,
};

/// A member of the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// What it tells, and where it is there if it is not always.
    pub meaning: &'static str,
}

/// What the event of an action holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Description {
    /// How it can end.
    pub outcome: Outcome,
    /// The kinds of things that it can be about.
    pub resources: &'static [ResourceKind],
    /// Where it is about nothing; `None` where it is always about something.
    pub nothing: Option<&'static str>,
    /// What the metadata can have.
    pub members: &'static [Member],
    /// Who acts.
    pub actor: &'static str,
    /// What causes it besides the routes of which a success leaves it, where anything does.
    pub causes: Option<&'static str>,
}

/// How an event differs from what is said of its action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contradiction(String);

impl fmt::Display for Contradiction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Action {
    /// What its event holds.
    #[must_use]
    pub const fn description(self) -> Description {
        match self {
            Self::AgentCreated => of_agent(&REGISTERED).caused_by(FOUNDING),
            Self::AgentUpdated
            | Self::AgentSuspended
            | Self::AgentReactivated
            | Self::AgentRevoked => of_agent(&CHANGED),
            Self::AgentDecommissioned => of_agent(&[]),
            Self::AgentArchived => by_itself(&[ResourceKind::Agent], &[]).caused_by(LATER),
            Self::CredentialGenerated => of_credential(&GENERATED).caused_by(FOUNDING),
            Self::CredentialRotated => of_credential(&ROTATED),
            Self::CredentialRevoked => of_credential(&[AGENT_ID]),
            Self::KeyAdded => of_key(&KEY_ADDED),
            Self::KeyRemoved => of_key(&KEY_REMOVED),
            Self::TokenIssued => of_token(&ISSUED),
            Self::TokenRefused => TOKEN_REFUSED,
            Self::TokenIntrospected => of_token(&INTROSPECTED).or_about_nothing(NO_TOKEN),
            Self::TokenRevoked => of_token(&REVOKED),
            Self::AuthFailed => AUTH_FAILED,
            Self::AccessDenied => ACCESS_DENIED,
            Self::OrganizationCreated => of_organization(&FOUNDED).caused_by(FIRST_START),
            Self::OrganizationSuspended | Self::OrganizationReactivated => {
                of_organization(&[]).caused_by(LATER)
            }
            Self::PepperAdopted => of_organization(&ADOPTED).caused_by(FIRST_PEPPER),
            Self::SigningKeyPublished | Self::SigningKeyActivated => {
                by_itself(&[ResourceKind::SigningKey], &SIGNING_KEY).caused_by(KEYS_FROM_THE_START)
            }
            Self::SigningKeyRetiring | Self::SigningKeyRetired => {
                by_itself(&[ResourceKind::SigningKey], &SIGNING_KEY).caused_by(KEYS_LATER)
            }
            Self::SigningKeyCompromised => {
                by_itself(&[ResourceKind::SigningKey], &COMPROMISED).caused_by(KEYS_IN_NEED)
            }
            Self::CheckpointKeyCreated => {
                by_itself(&[ResourceKind::CheckpointKey], &[]).caused_by(FIRST_START)
            }
            Self::LogTrimmed => of_log(&TRIMMED).caused_by(DAYS_OVER),
            Self::LogAcknowledged => of_log(&ACKNOWLEDGED).caused_by(OPERATOR),
        }
    }
}

const CALLER: &str = "the caller";
const SYSTEM: &str = "the installation itself: `agentId` is `null`";

const FOUNDING: &str = "the founding of the platform's organization, by the installation itself";
const FIRST_START: &str = "the first start of a server, or `idp bootstrap`";
const FIRST_PEPPER: &str =
    "the first start of a server, or `idp bootstrap`; the first start after a pepper was replaced";
const DAYS_OVER: &str = "the sequencer, once the days are over for more of the log";
const OPERATOR: &str = "`idp audit acknowledge`";
const KEYS_FROM_THE_START: &str =
    "the first start of a server; rotation; `idp keys rotate` and `idp keys compromise`";
const KEYS_LATER: &str = "rotation; `idp keys rotate`; an algorithm that is no longer configured";
const KEYS_IN_NEED: &str =
    "`idp keys compromise`; rotation, where the row of a key is damaged and in the way of another";
const LATER: &str = "nothing yet: no route and no command of this release does it";
const NO_TOKEN: &str = "the text is no token that the caller may know of";

const TOKEN_REFUSED: Description = refusal(&[ResourceKind::Agent], &REFUSED).caused_by(
    "`POST /api/v1/token`, where the client has authenticated and may not have what it asks for",
);
const ACCESS_DENIED: Description = refusal(
    &[ResourceKind::Agent, ResourceKind::Route, ResourceKind::Token],
    &DENIED,
)
.caused_by(
    "any route that takes a token, where its scope does not suffice, or where the target is not \
         of the caller's organization, does not exist, or may do more than the caller; \
         `POST /api/v1/token/revoke` for a token of another agent",
);
const AUTH_FAILED: Description = Description {
    actor: "nobody: `agentId` is the agent that was named, if there is such a one",
    ..refusal(&[ResourceKind::Agent, ResourceKind::Organization], &FAILED).caused_by(
        "any route that takes a token or a credential, where none is brought, or one that is not \
             good",
    )
};

const fn of_agent(members: &'static [Member]) -> Description {
    Description { actor: CALLER, ..by_itself(&[ResourceKind::Agent], members) }
}

const fn of_credential(members: &'static [Member]) -> Description {
    Description { actor: CALLER, ..by_itself(&[ResourceKind::Credential], members) }
}

const fn of_key(members: &'static [Member]) -> Description {
    Description { actor: CALLER, ..by_itself(&[ResourceKind::Key], members) }
}

const fn of_token(members: &'static [Member]) -> Description {
    Description { actor: CALLER, ..by_itself(&[ResourceKind::Token], members) }
}

const fn of_organization(members: &'static [Member]) -> Description {
    by_itself(&[ResourceKind::Organization], members)
}

const fn of_log(members: &'static [Member]) -> Description {
    by_itself(&[ResourceKind::Log], members)
}

/// A refusal, be it of one or of many.
const fn refusal(resources: &'static [ResourceKind], members: &'static [Member]) -> Description {
    let refused =
        Description { outcome: Outcome::Failure, actor: CALLER, ..by_itself(resources, members) };
    refused.or_about_nothing("it counts refusals of different things")
}

/// What the installation does.
const fn by_itself(resources: &'static [ResourceKind], members: &'static [Member]) -> Description {
    let outcome = Outcome::Success;
    Description { outcome, resources, nothing: None, members, actor: SYSTEM, causes: None }
}

impl Description {
    const fn caused_by(self, causes: &'static str) -> Self {
        Self { causes: Some(causes), ..self }
    }

    const fn or_about_nothing(self, case: &'static str) -> Self {
        Self { nothing: Some(case), ..self }
    }
}

const fn member(name: &'static str, meaning: &'static str) -> Member {
    Member { name, meaning }
}

const AGENT_ID: Member = member("agentId", "the agent whose it is");
const ROLES: Member =
    member("roles", "the agent's roles; of a change only where it is one of roles");
const TOKEN_ENDS: Member = member("expiresAt", "when the token ends by itself");
const COUNT: Member =
    member("count", "how many refusals this event stands for, where it is more than itself");
const FROM: Member = member("from", "when the first of them was; there with `count`");
const UNTIL: Member = member("until", "when the last of them was; there with `count`");

const RESOURCES: Member = member(
    "resources",
    "what it answers to as a resource server, where it does; of a change only where it is one of that",
);
const DPOP_BOUND: Member = member(
    "dpopBoundAccessTokens",
    "whether it gets tokens with a proof of possession alone, where it does; of a change only where it is one of that",
);

const REGISTERED: [Member; 6] = [
    member("email", "the agent's address"),
    member("agentType", "its type"),
    ROLES,
    member("capabilities", "what it may be given"),
    RESOURCES,
    DPOP_BOUND,
];
const CHANGED: [Member; 4] = [
    member("changed", "the names of the fields that differ, where any do"),
    ROLES,
    RESOURCES,
    DPOP_BOUND,
];
const GENERATED: [Member; 2] =
    [AGENT_ID, member("expiresAt", "when it ends by itself, where it does")];
const ROTATED: [Member; 3] = [
    AGENT_ID,
    member("successorId", "the credential that takes its place"),
    member("worksUntil", "until when the old one works"),
];
const KID: Member = member("kid", "what the client calls it");
const METHOD: Member = member("method", "how the client authenticates by it (RFC 7591, RFC 8705)");
const KEY_ALGORITHM: Member =
    member("algorithm", "what it signs with, where it is a public key and no certificate");
const KEY_ADDED: [Member; 5] = [
    AGENT_ID,
    KID,
    METHOD,
    KEY_ALGORITHM,
    member("expiresAt", "when it ends by itself, where it does"),
];
const KEY_REMOVED: [Member; 4] = [AGENT_ID, KID, METHOD, KEY_ALGORITHM];
const ISSUED: [Member; 4] = [
    member("credentialId", "the credential that the client authenticated with"),
    member("scope", "what the token permits, separated by spaces"),
    member("audience", "for whom it is"),
    TOKEN_ENDS,
];
const REFUSED: [Member; 5] = [
    member("error", "the error code of RFC 6749 or RFC 8707 that was answered"),
    member("credentialId", "the credential that the client authenticated with"),
    COUNT,
    FROM,
    UNTIL,
];
const INTROSPECTED: [Member; 1] = [member("active", "whether the answer was that it is good")];
const REVOKED: [Member; 2] = [AGENT_ID, TOKEN_ENDS];
const FAILED: [Member; 4] = [
    member("reason", "why, for the operator alone; of the last one where it counts"),
    COUNT,
    FROM,
    UNTIL,
];
const DENIED: [Member; 5] = [
    member("required", "the scope that is missing, where one is"),
    member(
        "target",
        "the id that the path names last, where a target is refused; `null` where it names none",
    ),
    COUNT,
    FROM,
    UNTIL,
];
const FOUNDED: [Member; 3] =
    [member("name", "its name"), member("slug", "its short name"), member("plan", "its plan")];
const ADOPTED: [Member; 1] =
    [member("fingerprint", "tells the pepper from every other, and nothing else of it")];
const SIGNING_KEY: [Member; 1] = [member("algorithm", "what it signs with")];
const COMPROMISED: [Member; 2] = [
    member("algorithm", "what it signs with; not of a damaged row that does not say it"),
    member("reason", "`damaged` where the row of the key could not be read; else it is not there"),
];
const TRIMMED: [Member; 2] = [
    member("contentBefore", "below this position the content of events may be erased"),
    member("personalDataBefore", "below this position personal data may be erased"),
];
const ACKNOWLEDGED: [Member; 2] = [
    member("found", "what was wrong with the log"),
    member("reason", "why it goes on, as the operator put it"),
];

/// Metadata that was too large has this instead of its largest members.
const CUT: &str = "cut";

impl Description {
    /// Holds an event of this action to what is said here.
    ///
    /// # Errors
    /// [`Contradiction`] with the first difference.
    pub fn check(&self, event: &EventRecord) -> Result<(), Contradiction> {
        let action = event.action.name();
        let differs =
            |what: String| Err(Contradiction(format!("{what} of an event of `{action}`")));
        if event.outcome != self.outcome {
            return differs(format!("outcome `{}`", event.outcome.name()));
        }
        match &event.resource {
            Some(resource) if !self.resources.contains(&resource.kind) => {
                return differs(format!("resource kind `{}`", resource.kind.name()));
            }
            None if self.nothing.is_none() => return differs("missing resource".to_owned()),
            Some(_) | None => {}
        }
        let is_known = |name: &str| name == CUT || self.members.iter().any(|one| one.name == name);
        match event.metadata.keys().find(|name| !is_known(name)) {
            Some(unknown) => differs(format!("metadata member `{unknown}`")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_action_is_about_something_and_names_no_member_twice() {
        for action in Action::ALL {
            let description = action.description();
            assert!(!description.resources.is_empty(), "{action:?}");
            let names: BTreeSet<_> = description.members.iter().map(|one| one.name).collect();
            assert_eq!(names.len(), description.members.len(), "{action:?}");
        }
    }

    #[test]
    fn what_can_be_counted_says_so() {
        for action in [Action::AuthFailed, Action::AccessDenied, Action::TokenRefused] {
            let description = action.description();
            for name in ["count", "from", "until"] {
                assert!(description.members.iter().any(|one| one.name == name), "{action:?}");
            }
            assert_eq!(description.outcome, Outcome::Failure);
        }
    }
}
