//! The scenarios: what is asked, which floor it is held against, and what it is to reach.

use super::figures::Goal;
use super::installation::{Algorithm, Store};

/// As many requests are in flight at a time where nothing else is said.
pub(crate) const CONNECTIONS: u32 = 64;

/// Where a request waits for a database on the other core, more of them must be in flight for the
/// server's core to be what is used up: a group of events is written while the next one gathers.
const CONNECTIONS_OF_REPLICAS: u32 = 256;

/// Where an organization's changes are made one after the other.
const CONNECTIONS_THAT_WAIT: u32 = 8;

/// What is asked again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A token, for a thousand agents in turns.
    Token,
    /// Likewise, of a server that logs warnings only: what its log costs.
    TokenLogWarn,
    /// Whether a token is good: the same again and again.
    IntrospectRepeated,
    /// Each token once, of those that this process has issued.
    IntrospectFresh,
    /// Each token once, of those that another process has issued.
    IntrospectForeign,
    /// The cheapest request that needs a token, with each token once; another process has issued them.
    BearerFresh,
    /// Likewise with the same token again and again.
    BearerRepeated,
    /// An agent, of a thousand in turns.
    Get,
    /// The first page of agents.
    List,
    /// A new agent.
    Register,
}

/// What it is held against: what the same stack does where nothing else is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Floor {
    Hello,
    Sign(Algorithm),
    Verify,
}

impl Floor {
    /// Its name, which is its path without the first slash.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Hello => "hello".to_owned(),
            Self::Sign(algorithm) => format!("sign/{}", algorithm.name()),
            Self::Verify => "verify".to_owned(),
        }
    }
}

/// One of them, on one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Scenario {
    pub(crate) kind: Kind,
    pub(crate) store: Store,
    pub(crate) algorithm: Algorithm,
}

/// In the order in which a server is asked: those that need one that has not seen their tokens come
/// late, since it is started anew for them.
const KINDS: [Kind; 10] = [
    Kind::Token,
    Kind::IntrospectFresh,
    Kind::IntrospectRepeated,
    Kind::Get,
    Kind::List,
    Kind::Register,
    Kind::IntrospectForeign,
    Kind::BearerFresh,
    Kind::BearerRepeated,
    Kind::TokenLogWarn,
];

/// Every scenario, those of one installation after one another.
pub(crate) fn all() -> Vec<Scenario> {
    let mut all = Vec::new();
    for store in [Store::Embedded, Store::Shared] {
        for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
            // What is not signed is the same whatever signs.
            let kinds = KINDS
                .into_iter()
                .filter(|kind| algorithm == Algorithm::Es256 || *kind == Kind::Token);
            all.extend(kinds.map(|kind| Scenario { kind, store, algorithm }));
        }
    }
    all
}

impl Scenario {
    /// What is measured, on which store; without a comma, since those tell names apart on the
    /// command line.
    pub(crate) fn name(self) -> String {
        let what = match self.kind {
            Kind::Token => format!("token {}", self.algorithm.name()),
            Kind::TokenLogWarn => format!("token {} log at warn", self.algorithm.name()),
            Kind::IntrospectRepeated => "introspect repeated".to_owned(),
            Kind::IntrospectFresh => "introspect fresh".to_owned(),
            Kind::IntrospectForeign => "introspect fresh and foreign".to_owned(),
            Kind::BearerFresh => "bearer fresh and foreign".to_owned(),
            Kind::BearerRepeated => "bearer repeated".to_owned(),
            Kind::Get => "get agent".to_owned(),
            Kind::List => "list agents".to_owned(),
            Kind::Register => "register agent".to_owned(),
        };
        format!("{what} on {}", self.store.name())
    }

    /// What it is held against.
    pub(crate) const fn floor(self) -> Floor {
        match self.kind {
            Kind::Token | Kind::TokenLogWarn => Floor::Sign(self.algorithm),
            Kind::IntrospectFresh | Kind::IntrospectForeign | Kind::BearerFresh => Floor::Verify,
            Kind::IntrospectRepeated
            | Kind::BearerRepeated
            | Kind::Get
            | Kind::List
            | Kind::Register => Floor::Hello,
        }
    }

    /// What the ratio to the floor is to be, where somebody has said.
    pub(crate) const fn goal(self) -> Option<Goal> {
        let least = match (self.kind, self.store, self.algorithm) {
            (Kind::Token, Store::Shared, Algorithm::Es256) => 0.6,
            (Kind::Token, Store::Embedded, Algorithm::Es256) => 0.5,
            (Kind::IntrospectRepeated, _, _) => 0.3,
            (Kind::IntrospectFresh | Kind::IntrospectForeign, _, _) => 0.9,
            (Kind::Get, Store::Embedded, _) => 0.25,
            (
                Kind::Token
                | Kind::TokenLogWarn
                | Kind::BearerFresh
                | Kind::BearerRepeated
                | Kind::Get
                | Kind::List
                | Kind::Register,
                _,
                _,
            ) => return None,
        };
        Some(Goal::RatioAtLeast(least))
    }

    /// How many requests are in flight at a time.
    pub(crate) const fn connections(self) -> u32 {
        match (self.kind, self.store) {
            (Kind::Register, _) => CONNECTIONS_THAT_WAIT,
            (_, Store::Embedded) => CONNECTIONS,
            (_, Store::Shared) => CONNECTIONS_OF_REPLICAS,
        }
    }

    /// Whether its latency is taken at a fixed rate too.
    pub(crate) fn is_paced(self) -> bool {
        self.latency_goal().is_some() || self.kind == Kind::IntrospectRepeated
    }

    /// The milliseconds within which 99 of 100 answers are to come, where somebody has said.
    pub(crate) fn latency_goal(self) -> Option<Goal> {
        let is_asked = self.kind == Kind::Token && self.algorithm == Algorithm::Es256;
        is_asked.then_some(Goal::AtMost(10.0))
    }

    /// Whether each of its requests leaves an event in the log.
    pub(crate) const fn leaves_events(self) -> bool {
        match self.kind {
            Kind::Token
            | Kind::TokenLogWarn
            | Kind::IntrospectRepeated
            | Kind::IntrospectFresh
            | Kind::IntrospectForeign
            | Kind::Register => true,
            Kind::BearerFresh | Kind::BearerRepeated | Kind::Get | Kind::List => false,
        }
    }

    /// Whether it asks about tokens that are used once.
    pub(crate) const fn needs_a_pool(self) -> bool {
        matches!(self.floor(), Floor::Verify)
    }

    /// Whether it needs a server that has not seen those tokens.
    pub(crate) const fn needs_another_process(self) -> bool {
        match self.kind {
            Kind::IntrospectForeign | Kind::BearerFresh | Kind::TokenLogWarn => true,
            Kind::Token
            | Kind::IntrospectRepeated
            | Kind::IntrospectFresh
            | Kind::BearerRepeated
            | Kind::Get
            | Kind::List
            | Kind::Register => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_scenario_has_a_name_of_its_own_that_can_be_asked_for() {
        let all = all();
        let names: BTreeSet<String> = all.iter().map(|one| one.name()).collect();
        assert_eq!(names.len(), all.len());
        assert!(names.iter().all(|name| !name.contains(',')), "{names:?}");
    }

    #[test]
    fn the_goals_are_those_that_were_set() {
        let goals: Vec<(String, Goal)> =
            all().into_iter().filter_map(|one| Some((one.name(), one.goal()?))).collect();
        let goals: Vec<String> =
            goals.into_iter().map(|(name, goal)| format!("{name}: {goal:?}")).collect();
        let expected = [
            "token ES256 on sqlite: RatioAtLeast(0.5)",
            "introspect fresh on sqlite: RatioAtLeast(0.9)",
            "introspect repeated on sqlite: RatioAtLeast(0.3)",
            "get agent on sqlite: RatioAtLeast(0.25)",
            "introspect fresh and foreign on sqlite: RatioAtLeast(0.9)",
            "token ES256 on postgres: RatioAtLeast(0.6)",
            "introspect fresh on postgres: RatioAtLeast(0.9)",
            "introspect repeated on postgres: RatioAtLeast(0.3)",
            "introspect fresh and foreign on postgres: RatioAtLeast(0.9)",
        ];
        assert_eq!(goals, expected);
    }
}
