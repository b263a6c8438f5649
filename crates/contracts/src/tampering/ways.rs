//! The ways in which a log is tampered with.

mod content;
mod erasure;
mod leaves;
mod order;
mod rewrites;
mod rows;
mod whole;

use audit::CheckpointSigner;

use super::{Dice, Expected, Log, Statement};

/// A way to tamper with a log.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    /// What is done, in words.
    pub name: &'static str,
    /// Draws one. `None` where this log has nothing to do it with.
    pub draw: fn(&mut Draw<'_>) -> Option<Tampering>,
}

/// What a tampering is drawn from.
#[derive(Clone)]
pub struct Draw<'a> {
    /// Chance.
    pub dice: Dice,
    /// The log that it happens to.
    pub log: &'a Log,
    /// Another log of the same database.
    pub other: &'a Log,
    /// The log's own key: whoever owns the database may own the server.
    pub signer: &'a dyn CheckpointSigner,
}

impl std::fmt::Debug for Draw<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draw").field("dice", &self.dice).finish_non_exhaustive()
    }
}

/// Which copy of the database is tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The database as it is.
    Newest,
    /// An older copy, which is put back.
    Older,
}

/// What is done to a database, and what must be found then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tampering {
    /// To which copy.
    pub stage: Stage,
    /// What is done.
    pub statements: Vec<Statement>,
    /// What must be found.
    pub expected: Expected,
}

/// All of them.
pub const WAYS: &[Way] = &[
    Way { name: "another action", draw: content::action },
    Way { name: "an action that nobody knows", draw: content::unknown_action },
    Way { name: "another outcome", draw: content::outcome },
    Way { name: "another agent, or none", draw: content::agent },
    Way { name: "another kind of resource", draw: content::resource_kind },
    Way { name: "another resource", draw: content::resource },
    Way { name: "no resource, or one where there was none", draw: content::no_resource },
    Way { name: "another request", draw: content::request },
    Way { name: "another address", draw: content::address },
    Way { name: "another user agent", draw: content::user_agent },
    Way { name: "another credential, or none", draw: content::credential },
    Way { name: "another value in the metadata", draw: content::metadata_value },
    Way { name: "a member more in the metadata", draw: content::metadata_more },
    Way { name: "a member less in the metadata", draw: content::metadata_less },
    Way { name: "metadata that cannot be read", draw: content::metadata_unreadable },
    Way { name: "another time", draw: content::time },
    Way { name: "a bit of a salt", draw: content::salt },
    Way { name: "an event's id, in its row and its leaf", draw: content::id },
    Way { name: "an event's id, in its row alone", draw: content::id_alone },
    Way { name: "a second row for an event", draw: content::second_row },
    Way { name: "a bit of a leaf's hash", draw: leaves::hash },
    Way { name: "a bit of a commitment", draw: leaves::commitment },
    Way { name: "a flag of order", draw: leaves::flag },
    Way { name: "a leaf of another event", draw: leaves::event },
    Way { name: "a bit of a stored hash", draw: leaves::stored },
    Way { name: "a stored hash less", draw: leaves::stored_less },
    Way { name: "two stored hashes swapped", draw: leaves::stored_swapped },
    Way { name: "an event less", draw: order::event_less },
    Way { name: "a leaf less", draw: order::leaf_less },
    Way { name: "an event and its leaf less, and no gap", draw: order::closed_gap },
    Way { name: "the same, and signed anew", draw: order::closed_gap_signed },
    Way { name: "an event in another organization", draw: order::event_moved },
    Way { name: "a leaf in another organization", draw: order::leaf_moved },
    Way { name: "the contents of two events swapped", draw: order::contents_swapped },
    Way { name: "the positions of two leaves swapped", draw: order::positions_swapped },
    Way { name: "the event ids of two leaves swapped", draw: order::ids_swapped },
    Way { name: "an event doubled under a new id", draw: order::doubled },
    Way { name: "an event doubled under its own id", draw: order::doubled_id },
    Way { name: "a forged event in between", draw: order::forged },
    Way { name: "a forged event in between, and signed anew", draw: order::forged_signed },
    Way { name: "content and leaf", draw: rewrites::leaf },
    Way { name: "content, leaf and stored hashes", draw: rewrites::tree },
    Way { name: "content, leaf, stored hashes and checkpoint", draw: rewrites::signed },
    Way { name: "everything from one event on", draw: rewrites::everything },
    Way { name: "a flag of order and its leaf", draw: rewrites::flag },
    Way { name: "another event id, and its leaf", draw: rewrites::id },
    Way { name: "content erased in the midst", draw: erasure::content_in_the_midst },
    Way { name: "content erased early", draw: erasure::content_early },
    Way { name: "personal data erased in the midst", draw: erasure::personal_in_the_midst },
    Way { name: "personal data erased early", draw: erasure::personal_early },
    Way { name: "an event called erased", draw: erasure::called_erased },
    Way { name: "a salt erased alone", draw: erasure::salt },
    Way { name: "what says what was erased, gone", draw: erasure::announcement_gone },
    Way { name: "what says what was erased, edited", draw: erasure::announcement_edited },
    Way { name: "what says what was erased, rewritten", draw: erasure::announcement_rewritten },
    Way { name: "content where it was erased", draw: erasure::content_put_back },
    Way { name: "personal data where it was erased", draw: erasure::personal_put_back },
    Way { name: "a tail less", draw: whole::tail_less },
    Way { name: "leaves of a tail less", draw: whole::leaves_less },
    Way { name: "an older checkpoint", draw: whole::older_checkpoint },
    Way { name: "another tail, signed anew", draw: whole::another_tail },
    Way { name: "an older copy of the database", draw: whole::older_copy },
    Way { name: "an older copy, and another tail behind it", draw: whole::older_copy_continued },
];

impl Tampering {
    /// One of the database as it is.
    fn new(expected: Expected, statements: impl IntoIterator<Item = Statement>) -> Option<Self> {
        let statements = statements.into_iter().collect();
        Some(Self { stage: Stage::Newest, statements, expected })
    }
}

impl Draw<'_> {
    /// A position at which content is there.
    fn with_content(&mut self) -> u64 {
        self.dice.within(self.log.content_from()..self.log.size())
    }

    /// A position at which personal data is there.
    fn with_personal(&mut self) -> u64 {
        self.dice.within(self.log.personal_from()..self.log.size())
    }
}
