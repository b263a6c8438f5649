//! The Merkle tree over a log's entries (RFC 9162, section 2.1), kept in tiles of height 8 as C2SP
//! tlog-tiles has them.
//!
//! Nothing here reads or writes: what must be read is asked for through [`Tiles`].

mod frontier;
mod hash;
mod proof;
mod tile;

pub use frontier::{Frontier, StoredHash};
pub use hash::{Hash, InvalidHash, empty_root, leaf_hash, node_hash};
pub use proof::{
    InvalidProof, consistency_proof, inclusion_proof, root_at, verify_consistency, verify_inclusion,
};
pub use tile::{InvalidTilePath, Tile, TileLevel, TilePath, Tiles};

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;
