//! Copies of one kind, up to a number of them and up to a number of bytes: one may be a hundred times
//! as large as another.

use std::hash::Hash;

use hashlink::LruCache;

/// What each text takes beside its letters.
pub(super) const EACH: usize = 64;

/// Whichever was used least recently goes, where there are too many or they are too large.
pub(super) struct Bounded<K, V> {
    most: usize,
    room: usize,
    taken: usize,
    copies: LruCache<K, Weighed<V>>,
}

struct Weighed<V> {
    copy: V,
    weight: usize,
}

impl<K: Eq + Hash, V> Bounded<K, V> {
    pub(super) fn holding(most: usize, room: usize) -> Self {
        Self { most, room, taken: 0, copies: LruCache::new_unbounded() }
    }

    pub(super) fn len(&self) -> usize {
        self.copies.len()
    }

    pub(super) fn get(&mut self, key: &K) -> Option<&V> {
        self.copies.get(key).map(|weighed| &weighed.copy)
    }

    /// The same, which counts as no use.
    pub(super) fn peek(&self, key: &K) -> Option<&V> {
        self.copies.peek(key).map(|weighed| &weighed.copy)
    }

    /// Puts a copy of about so many bytes in the place of the one there was. One that is larger than
    /// all the room leaves none: what it was to replace is out of date.
    pub(super) fn insert(&mut self, key: K, copy: V, weight: usize) {
        self.remove(&key);
        if weight > self.room {
            return;
        }
        while self.len() >= self.most || self.taken + weight > self.room {
            let Some((_, oldest)) = self.copies.remove_lru() else { break };
            self.taken = self.taken.saturating_sub(oldest.weight);
        }
        self.copies.insert(key, Weighed { copy, weight });
        self.taken += weight;
    }

    pub(super) fn remove(&mut self, key: &K) {
        if let Some(removed) = self.copies.remove(key) {
            self.taken = self.taken.saturating_sub(removed.weight);
        }
    }

    pub(super) fn clear(&mut self) {
        self.copies.clear();
        self.taken = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whichever_was_used_least_recently_makes_room() {
        let mut copies = Bounded::holding(10, 100);
        for key in 0..4 {
            copies.insert(key, (), 25);
        }
        assert!(copies.get(&0).is_some());
        copies.insert(4, (), 26);
        let kept = [0, 1, 2, 3, 4].map(|key| copies.peek(&key).is_some());
        assert_eq!(kept, [true, false, false, true, true]);
        assert_eq!((copies.len(), copies.taken), (3, 76));
    }

    #[test]
    fn what_takes_the_place_of_another_counts_once_and_what_goes_not_at_all() {
        let mut copies = Bounded::holding(3, 100);
        for weight in [90, 40, 60, 100] {
            copies.insert(1, weight, weight);
            assert_eq!((copies.peek(&1), copies.taken), (Some(&weight), weight));
        }
        copies.remove(&1);
        assert_eq!((copies.len(), copies.taken), (0, 0));
        for key in 0..10 {
            copies.insert(key, 10, 10);
            assert!(copies.len() <= 3 && copies.taken <= 30);
        }
        copies.clear();
        assert_eq!((copies.len(), copies.taken), (0, 0));
    }

    #[test]
    fn what_is_larger_than_the_room_drives_nobody_out_and_leaves_no_earlier_copy() {
        let mut copies = Bounded::holding(10, 100);
        copies.insert(1, (), 10);
        copies.insert(2, (), 10);
        copies.insert(2, (), 101);
        assert!(copies.peek(&1).is_some() && copies.peek(&2).is_none());
        assert_eq!(copies.taken, 10);
    }
}
