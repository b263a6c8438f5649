//! Readers, a writer and a feed in any order, against a model that remembers what was told.

use audit::{ChangeListener, Changed, News};
use proptest::prelude::*;

use super::{
    Known, Ticket,
    sample::{One, State, at},
};

/// What can change.
#[derive(Debug, Clone, Copy)]
enum Part {
    Organization,
    Agent,
    Credential,
    Token,
}

/// How it is told.
#[derive(Debug, Clone, Copy)]
enum Teller {
    Listener,
    Feed,
    FeedThatLostItsPlace,
}

#[derive(Debug, Clone, Copy)]
enum Step {
    /// A reader does the next thing that it does: look up, read, put in.
    Reader(usize),
    /// Something is committed.
    Commit(Part),
    /// What was committed is told.
    Tell(Teller),
}

fn step() -> impl Strategy<Value = Step> {
    let part = prop_oneof![
        Just(Part::Organization),
        Just(Part::Agent),
        Just(Part::Credential),
        Just(Part::Token)
    ];
    let teller = prop_oneof![
        3 => Just(Teller::Listener),
        3 => Just(Teller::Feed),
        1 => Just(Teller::FeedThatLostItsPlace)
    ];
    prop_oneof![
        6 => (0..3usize).prop_map(Step::Reader),
        2 => part.prop_map(Step::Commit),
        2 => teller.prop_map(Step::Tell),
    ]
}

#[derive(Debug, Clone, Copy)]
enum Reader {
    Idle,
    Missed(Ticket),
    Read(Ticket, State),
}

/// The store, and what must be known of it by now.
struct World {
    known: Known,
    one: One,
    store: State,
    untold: Vec<Changed>,
    /// No look-up may find what is older than this.
    told: State,
    readers: [Reader; 3],
}

impl World {
    fn new() -> Self {
        let known = Known::followed();
        known.learn(at(0), &News::Unknown);
        let one = One::numbered(1);
        let (store, told) = (State::FIRST, State::FIRST);
        Self { known, one, store, untold: Vec::new(), told, readers: [Reader::Idle; 3] }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Reader(number) => self.read(number),
            Step::Commit(part) => self.commit(part),
            Step::Tell(teller) => self.tell(teller),
        }
    }

    fn read(&mut self, number: usize) {
        self.readers[number] = match self.readers[number] {
            Reader::Idle => match self.one.look_up(&self.known) {
                Ok(found) => {
                    self.is_recent(found);
                    self.told = later(self.told, found);
                    Reader::Idle
                }
                Err(ticket) => Reader::Missed(ticket),
            },
            Reader::Missed(ticket) => Reader::Read(ticket, self.store),
            Reader::Read(ticket, state) => {
                self.one.keep(&self.known, ticket, state);
                Reader::Idle
            }
        };
    }

    fn is_recent(&self, found: State) {
        assert_eq!(later(found, self.told), found, "older than {:?}", self.told);
        assert_eq!(later(found, self.store), self.store, "never committed");
    }

    fn commit(&mut self, part: Part) {
        let one = &self.one;
        self.untold.push(match part {
            Part::Organization => {
                self.store.organization += 1;
                one.changed(one.organization)
            }
            Part::Agent => {
                self.store.agent += 1;
                one.changed(one.agent)
            }
            Part::Credential => {
                self.store.credential += 1;
                one.changed(one.credential)
            }
            Part::Token => {
                self.store.revoked = true;
                one.changed(one.token)
            }
        });
    }

    fn tell(&mut self, teller: Teller) {
        let changes = std::mem::take(&mut self.untold);
        match teller {
            Teller::Listener => self.known.changed(&changes),
            Teller::Feed => self.known.learn(at(0), &News::Changes(changes)),
            Teller::FeedThatLostItsPlace => self.known.learn(at(0), &News::Unknown),
        }
        self.told = self.store;
    }
}

fn later(one: State, other: State) -> State {
    State {
        organization: one.organization.max(other.organization),
        agent: one.agent.max(other.agent),
        credential: one.credential.max(other.credential),
        revoked: one.revoked || other.revoked,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_look_up_finds_what_was_before_a_change_that_was_told_or_found(
        steps in prop::collection::vec(step(), 1..60)
    ) {
        let mut world = World::new();
        for step in steps {
            world.take(step);
        }
    }
}
