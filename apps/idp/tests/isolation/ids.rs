//! Whose each id is: that of the organization in whose answers it stood first.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

const SHARDS: usize = 64;
const LENGTH: usize = 36;

/// Every id that was seen, with its organization. An id is told to one organization only, of
/// whatever kind it is: of an agent, a credential, an event, a token, a request.
#[derive(Debug)]
pub(crate) struct Ids(Vec<Mutex<HashMap<u128, usize>>>);

impl Ids {
    pub(crate) fn new() -> Self {
        Self((0..SHARDS).map(|_| Mutex::default()).collect())
    }

    /// Whose the id is. One that nobody was told of becomes the listener's, if there is one.
    pub(crate) fn owner(&self, id: u128, listener: Option<usize>) -> Option<usize> {
        let shard = usize::try_from(id % 64).unwrap();
        let mut shard = self.0[shard].lock().unwrap_or_else(PoisonError::into_inner);
        match (shard.get(&id), listener) {
            (Some(owner), _) => Some(*owner),
            (None, Some(listener)) => {
                shard.insert(id, listener);
                Some(listener)
            }
            (None, None) => None,
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.0.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }
}

/// The id that stands in a text of 36 characters.
pub(crate) fn parse(text: &str) -> Option<u128> {
    let dashes = |(at, byte): (usize, u8)| matches!(at, 8 | 13 | 18 | 23) == (byte == b'-');
    let is_id = text.len() == LENGTH && text.bytes().enumerate().all(dashes);
    is_id.then(|| u128::from_str_radix(&text.replace('-', ""), 16).ok())?
}

/// Every id that stands anywhere in a text.
pub(crate) fn within(text: &str) -> Vec<u128> {
    let first_dashes = text.match_indices('-').filter_map(|(at, _)| at.checked_sub(8));
    first_dashes.filter_map(|at| parse(text.get(at..at + LENGTH)?)).collect()
}

#[test]
fn ids_are_found_wherever_they_stand() {
    let id = "018bcfe5-687b-7001-8203-040506070809";
    let number = 0x018b_cfe5_687b_7001_8203_0405_0607_0809;
    assert_eq!(within(&format!("a-b {id},{id}-{id}")), [number; 3]);
    assert_eq!(within("018bcfe5-687b-7001-8203-04050607080g 018bcfe5-687b"), []);
}
