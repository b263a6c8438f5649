//! Trees in memory: ours, one of leaves that are all alike, and those of others to compare with.

use kernel::StoreError;
use tlog_tiles::{HashReader, stored_hash_index, stored_hashes_for_record_hash};

use super::{Frontier, Hash, Tile, Tiles, leaf_hash, node_hash};

/// The hash of the leaf of this number.
pub(crate) fn leaf(number: u64) -> Hash {
    leaf_hash(&number.to_be_bytes())
}

/// The stored hashes of a tree.
#[derive(Debug, Clone, Default)]
pub(crate) struct MemoryTiles {
    pub(crate) levels: Vec<Vec<Hash>>,
    pub(crate) frontier: Frontier,
}

impl MemoryTiles {
    /// A tree over these leaves.
    pub(crate) fn of(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut tiles = Self::default();
        leaves.into_iter().for_each(|leaf| tiles.push(leaf));
        tiles
    }

    pub(crate) fn push(&mut self, leaf: Hash) {
        let levels = &mut self.levels;
        self.frontier.push(leaf, |stored| {
            let level = usize::from(stored.level);
            levels.resize_with(levels.len().max(level + 1), Vec::new);
            assert_eq!(levels[level].len() as u64, stored.index, "a stored hash has another place");
            levels[level].push(stored.hash);
        });
    }
}

impl Tiles for &MemoryTiles {
    async fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        let first = usize::try_from(tile.first()).unwrap();
        let row = self.levels.get(usize::from(tile.level())).and_then(|row| row.get(first..));
        let hashes = row.and_then(|row| row.get(..usize::from(tile.width())));
        hashes.map(<[Hash]>::to_vec).ok_or(StoreError::Corrupt { table: "tiles", column: "hash" })
    }
}

impl Tiles for MemoryTiles {
    async fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        (&*self).tile(tile).await
    }
}

/// A tree of any size whose leaves are all alike: all hashes of a level are.
#[derive(Debug)]
pub(crate) struct UniformTiles {
    perfect: Vec<Hash>,
}

impl UniformTiles {
    pub(crate) fn new() -> Self {
        let hashes = std::iter::successors(Some(leaf(0)), |hash| Some(node_hash(*hash, *hash)));
        Self { perfect: hashes.take(64).collect() }
    }

    pub(crate) fn leaf(&self) -> Hash {
        self.perfect[0]
    }

    /// The root, by the binary form of the size alone.
    pub(crate) fn root(&self, size: u64) -> Hash {
        let powers = (0..64).filter(|power| size >> power & 1 == 1);
        powers
            .map(|power| self.perfect[power])
            .reduce(|right, left| node_hash(left, right))
            .unwrap()
    }
}

impl Tiles for UniformTiles {
    async fn tile(&mut self, tile: Tile) -> Result<Vec<Hash>, StoreError> {
        let hash = self.perfect[8 * usize::from(tile.level())];
        Ok(vec![hash; usize::from(tile.width())])
    }
}

/// A tree as others keep it.
#[derive(Default)]
pub(crate) struct Oracle {
    stored: Vec<tlog_tiles::Hash>,
    size: u64,
}

impl Oracle {
    pub(crate) fn of(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut oracle = Self::default();
        for leaf in leaves {
            let leaf = tlog_tiles::Hash(*leaf.as_bytes());
            let stored = stored_hashes_for_record_hash(oracle.size, leaf, &oracle).unwrap();
            assert_eq!(oracle.stored.len() as u64, stored_hash_index(0, oracle.size));
            oracle.stored.extend(stored);
            oracle.size += 1;
        }
        oracle
    }

    pub(crate) fn root(&self, size: u64) -> Hash {
        ours(tlog_tiles::tree_hash(size, self).unwrap())
    }

    pub(crate) fn inclusion_proof(&self, position: u64, size: u64) -> Vec<Hash> {
        let proof = tlog_tiles::prove_record(size, position, self).unwrap();
        proof.into_iter().map(ours).collect()
    }

    pub(crate) fn consistency_proof(&self, from: u64, to: u64) -> Vec<Hash> {
        let proof = tlog_tiles::prove_tree(to, from, self).unwrap();
        proof.into_iter().map(ours).collect()
    }
}

impl HashReader for Oracle {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|index| self.stored[usize::try_from(*index).unwrap()]).collect())
    }
}

pub(crate) fn ours(hash: tlog_tiles::Hash) -> Hash {
    Hash::from_bytes(hash.0)
}

pub(crate) fn theirs(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

/// RFC 9162, section 2.1.1: `MTH(D_n)`, over the hashes of leaves.
pub(crate) fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::of(&[]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(k(leaves.len()));
            node_hash(mth(left), mth(right))
        }
    }
}

/// The greatest power of two that is smaller than `n`.
fn k(n: usize) -> usize {
    let mut k = 1;
    while 2 * k < n {
        k *= 2;
    }
    k
}

/// RFC 9162, section 2.1.3.1: `PATH(m, D_n)`.
pub(crate) fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = k(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) =
        if m < k { (path(m, left), mth(right)) } else { (path(m - k, right), mth(left)) };
    path.push(sibling);
    path
}

/// RFC 9162, section 2.1.4.1: `PROOF(m, D_n)`.
pub(crate) fn proof(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(m, leaves, true)
}

fn subproof(m: usize, leaves: &[Hash], is_known: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if is_known { Vec::new() } else { vec![mth(leaves)] };
    }
    let k = k(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut proof, sibling) = if m <= k {
        (subproof(m, left, is_known), mth(right))
    } else {
        (subproof(m - k, right, false), mth(left))
    };
    proof.push(sibling);
    proof
}
