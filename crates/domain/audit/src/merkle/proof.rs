//! Inclusion and consistency proofs (RFC 9162, sections 2.1.3 and 2.1.4).

use std::collections::BTreeMap;

use kernel::StoreError;
use thiserror::Error;

use super::{
    Hash, Tile, Tiles, empty_root,
    frontier::root_of_full,
    node_hash,
    tile::{HEIGHT, WIDTH},
};

/// A proof that does not prove what it is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the proof does not lead to the root")]
pub struct InvalidProof;

/// The inclusion proof of the leaf at `position` in the tree of this size; `position` must be lower
/// than `size`, or else the proof is empty.
///
/// # Errors
/// [`StoreError`]
pub async fn inclusion_proof(
    tiles: &mut impl Tiles,
    position: u64,
    size: u64,
) -> Result<Vec<Hash>, StoreError> {
    let mut reader = Reader { tiles, size, seen: BTreeMap::new() };
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while position < size && end - start > 1 {
        let middle = start + split(end - start);
        if position < middle {
            proof.push(reader.root(middle, end).await?);
            end = middle;
        } else {
            proof.push(reader.root(start, middle).await?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// The proof that the tree of size `to` continues that of size `from`; `from` must be at most `to`, or
/// else the proof is empty, as it is for equal sizes and from nothing.
///
/// # Errors
/// [`StoreError`]
pub async fn consistency_proof(
    tiles: &mut impl Tiles,
    from: u64,
    to: u64,
) -> Result<Vec<Hash>, StoreError> {
    let mut reader = Reader { tiles, size: to, seen: BTreeMap::new() };
    let mut proof = Vec::new();
    if from == 0 || from >= to {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, to);
    while end != from {
        let middle = start + split(end - start);
        if from <= middle {
            proof.push(reader.root(middle, end).await?);
            end = middle;
        } else {
            proof.push(reader.root(start, middle).await?);
            start = middle;
        }
    }
    // Where the older tree is the whole left half its root is known to whoever verifies.
    if start > 0 {
        proof.push(reader.root(start, end).await?);
    }
    proof.reverse();
    Ok(proof)
}

/// The root that the tree had at this size.
///
/// # Errors
/// [`StoreError`]
pub async fn root_at(tiles: &mut impl Tiles, size: u64) -> Result<Hash, StoreError> {
    if size == 0 {
        return Ok(empty_root());
    }
    Reader { tiles, size, seen: BTreeMap::new() }.root(0, size).await
}

/// Verifies an inclusion proof (RFC 9162, section 2.1.3.2).
///
/// # Errors
/// [`InvalidProof`]
pub fn verify_inclusion(
    (leaf, position): (Hash, u64),
    (size, root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), InvalidProof> {
    if position >= size {
        return Err(InvalidProof);
    }
    let (mut node, mut last) = (position, size - 1);
    let mut hash = leaf;
    for sibling in proof {
        if last == 0 {
            return Err(InvalidProof);
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(*sibling, hash);
            while node.is_multiple_of(2) && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            hash = node_hash(hash, *sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && hash == root { Ok(()) } else { Err(InvalidProof) }
}

/// Verifies a consistency proof (RFC 9162, section 2.1.4.2).
///
/// # Errors
/// [`InvalidProof`]
pub fn verify_consistency(
    (from, from_root): (u64, Hash),
    (to, to_root): (u64, Hash),
    proof: &[Hash],
) -> Result<(), InvalidProof> {
    if from > to || (from == to || from == 0) && !proof.is_empty() {
        return Err(InvalidProof);
    }
    if from == to || from == 0 {
        let holds = if from == to { from_root == to_root } else { from_root == empty_root() };
        return if holds { Ok(()) } else { Err(InvalidProof) };
    }
    let (mut node, mut last) = (from - 1, to - 1);
    while node % 2 == 1 {
        (node, last) = (node >> 1, last >> 1);
    }
    let mut path = proof.iter().copied();
    let first = if node == 0 { from_root } else { path.next().ok_or(InvalidProof)? };
    let (mut old, mut new) = (first, first);
    for sibling in path {
        if last == 0 {
            return Err(InvalidProof);
        }
        if node % 2 == 1 || node == last {
            (old, new) = (node_hash(sibling, old), node_hash(sibling, new));
            while node.is_multiple_of(2) && node != 0 {
                (node, last) = (node >> 1, last >> 1);
            }
        } else {
            new = node_hash(new, sibling);
        }
        (node, last) = (node >> 1, last >> 1);
    }
    if last == 0 && old == from_root && new == to_root { Ok(()) } else { Err(InvalidProof) }
}

/// The greatest power of two below the length: where a tree of more than one leaf is split.
const fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// Computes the roots of parts of a tree, and reads each tile once.
struct Reader<'a, T> {
    tiles: &'a mut T,
    size: u64,
    seen: BTreeMap<Tile, Vec<Hash>>,
}

impl<T: Tiles> Reader<'_, T> {
    /// The root over the leaves from `start` up to `end`, which is a node of the tree: `start` is a
    /// multiple of the least power of two that the length fits in.
    async fn root(&mut self, start: u64, end: u64) -> Result<Hash, StoreError> {
        let mut perfect = Vec::new();
        let mut at = start;
        while at < end {
            let height = (end - at).ilog2();
            perfect.push(self.perfect(at, height).await?);
            at += 1 << height;
        }
        let root = perfect.into_iter().rev().reduce(|right, left| node_hash(left, right));
        Ok(root.unwrap_or_else(empty_root))
    }

    /// The root over 2^`height` leaves from `start`, a multiple of that, on.
    async fn perfect(&mut self, start: u64, height: u32) -> Result<Hash, StoreError> {
        // Trees of more than 2^63 leaves do not exist, so that the level fits.
        let level = u8::try_from(height / HEIGHT).unwrap_or(u8::MAX);
        let first = start >> (u32::from(level) * HEIGHT);
        let hashes = self.tile(level, first / WIDTH).await?;
        let within = usize::try_from(first % WIDTH).unwrap_or(usize::MAX);
        let row = hashes.get(within..).and_then(|row| row.get(..1 << (height % HEIGHT)));
        row.map(root_of_full).ok_or(MISSING)
    }

    async fn tile(&mut self, level: u8, index: u64) -> Result<&[Hash], StoreError> {
        let tile = Tile::of_tree(self.size, level, index).ok_or(MISSING)?;
        let hashes = match self.seen.remove(&tile) {
            Some(hashes) => hashes,
            None => self.tiles.tile(tile).await?,
        };
        Ok(self.seen.entry(tile).or_insert(hashes))
    }
}

const MISSING: StoreError = StoreError::Corrupt { table: "log", column: "hash" };
