//! The tree as a verifier grows it: the perfect trees that it is made of, and nothing that was stored.

use std::collections::VecDeque;

use crate::merkle::{Hash, StoredHash, empty_root, node_hash};

/// How high a tree over a full tile is.
const TILE_HEIGHT: u8 = 8;

/// A Merkle tree that only grows (RFC 9162, section 2.1.1).
#[derive(Debug, Default)]
pub(super) struct Tree {
    size: u64,
    /// The perfect trees from left to right, each with its height; no two have the same.
    peaks: Vec<(u8, Hash)>,
}

impl Tree {
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf, and to `due` the stored hashes of higher levels that it completes.
    pub(super) fn push(&mut self, leaf: Hash, due: &mut VecDeque<StoredHash>) {
        let (mut height, mut hash) = (0, leaf);
        while let Some((_, left)) = self.peaks.pop_if(|(left, _)| *left == height) {
            hash = node_hash(left, hash);
            height += 1;
            if height.is_multiple_of(TILE_HEIGHT) {
                let level = height / TILE_HEIGHT;
                due.push_back(StoredHash { level, index: self.size >> height, hash });
            }
        }
        self.peaks.push((height, hash));
        self.size = self.size.saturating_add(1);
    }

    pub(super) fn root(&self) -> Hash {
        let peaks = self.peaks.iter().rev().map(|(_, hash)| *hash);
        peaks.reduce(|right, left| node_hash(left, right)).unwrap_or_else(empty_root)
    }
}

/// The position of the first leaf under a stored hash.
pub(super) fn first_leaf_under(stored: StoredHash) -> u64 {
    stored.index << (u32::from(stored.level) * u32::from(TILE_HEIGHT))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::Frontier;

    #[test]
    fn it_is_the_tree_that_is_stored() {
        let (mut tree, mut frontier) = (Tree::default(), Frontier::empty());
        assert_eq!(tree.root(), frontier.root());
        for position in 0..66_000_u64 {
            let leaf = Hash::of(&position.to_be_bytes());
            let (mut due, mut stored) = (VecDeque::new(), Vec::new());
            tree.push(leaf, &mut due);
            frontier.push(leaf, |one| stored.push(one));
            assert_eq!(due, stored.split_off(1), "{position}");
            if !(600..=65_500).contains(&position) {
                assert_eq!(tree.root(), frontier.root(), "{position}");
            }
        }
        assert_eq!(tree.size(), 66_000);
    }

    #[test]
    fn a_stored_hash_knows_its_first_leaf() {
        let stored = |level, index| StoredHash { level, index, hash: empty_root() };
        assert_eq!(first_leaf_under(stored(1, 3)), 768);
        assert_eq!(first_leaf_under(stored(2, 1)), 65_536);
    }
}
