//! The right edge of a tree: all that is needed to make it longer.

use kernel::StoreError;

use super::{
    Hash, Tile, Tiles, empty_root, node_hash,
    tile::{LEVELS, WIDTH, hashes_of_level},
};

/// A hash as it is stored: of level 0 is a leaf's, of a higher one the root over a full tile of the
/// level below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoredHash {
    /// How high it lies.
    pub level: u8,
    /// Which of its level.
    pub index: u64,
    /// The hash.
    pub hash: Hash,
}

/// The right edge of a tree: on each level the hashes of the tile that is not full yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Frontier {
    /// The edge of a tree without leaves.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads the edge of a tree of this size.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn load(tiles: &mut impl Tiles, size: u64) -> Result<Self, StoreError> {
        let mut levels = Vec::new();
        for level in 0..LEVELS {
            let hashes = hashes_of_level(size, level);
            if hashes == 0 {
                break;
            }
            // There is none where the last full tile is the last one.
            let last = Tile::of_tree(size, level, hashes / WIDTH);
            levels.push(match last {
                Some(tile) => tiles.tile(tile).await?,
                None => Vec::new(),
            });
        }
        Ok(Self { size, levels })
    }

    /// How many leaves the tree has.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf. `stored` is told of each hash that is to be kept, the leaf's own first.
    pub fn push(&mut self, leaf: Hash, mut stored: impl FnMut(StoredHash)) {
        let mut next = StoredHash { level: 0, index: self.size, hash: leaf };
        self.size = self.size.saturating_add(1);
        for level in 0..LEVELS {
            stored(next);
            let Some(row) = self.row(level) else { return };
            row.push(next.hash);
            if row.len() < 256 {
                return;
            }
            let hash = root_of_full(row);
            row.clear();
            next = StoredHash { level: level.saturating_add(1), index: next.index / WIDTH, hash };
        }
    }

    fn row(&mut self, level: u8) -> Option<&mut Vec<Hash>> {
        let at = usize::from(level);
        if self.levels.len() == at {
            self.levels.push(Vec::with_capacity(256));
        }
        self.levels.get_mut(at)
    }

    /// The root of the tree (RFC 9162, section 2.1.1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let peaks = self.levels.iter().flat_map(|row| peaks(row));
        peaks.reduce(|right, left| node_hash(left, right)).unwrap_or_else(empty_root)
    }
}

/// The root over a row that is full: a power of two of hashes.
pub(super) fn root_of_full(row: &[Hash]) -> Hash {
    let mut row = row.to_vec();
    while row.len() > 1 {
        row = row
            .chunks(2)
            .filter_map(|pair| Some(node_hash(*pair.first()?, *pair.get(1)?)))
            .collect();
    }
    row.first().copied().unwrap_or_else(empty_root)
}

/// The roots of the perfect trees that a row is made of, the rightmost and smallest first.
fn peaks(row: &[Hash]) -> Vec<Hash> {
    let mut peaks = Vec::new();
    let mut rest = row;
    while let Some(length) = rest.len().checked_ilog2().map(|power| 1_usize << power) {
        let (left, right) = rest.split_at(length);
        peaks.push(root_of_full(left));
        rest = right;
    }
    peaks.reverse();
    peaks
}
