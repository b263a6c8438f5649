//! Tests of the tree, its tiles and its proofs, held against an implementation of others and against
//! the definitions of RFC 9162 written out.

mod paths;

use std::sync::OnceLock;

use data_encoding::HEXLOWER;
use proptest::prelude::*;

use super::{
    sample::{MemoryTiles, Oracle, UniformTiles, leaf, mth, ours, path, proof, theirs},
    *,
};
use crate::sample::now;

/// Up to which size everything is tried.
const SMALL: u64 = 130;

/// Up to which size something is: past the first stored hash of level 2.
const LARGE: u64 = 70_000;

/// Sizes around which a tile is full.
const EDGES: [u64; 9] = [255, 256, 257, 511, 512, 513, 600, 65_536, 65_793];

/// A tree of the greatest size that is tried, and that of others over the same leaves.
fn large() -> (&'static MemoryTiles, &'static Oracle) {
    static LARGEST: OnceLock<(MemoryTiles, Oracle)> = OnceLock::new();
    let make = || (MemoryTiles::of((0..LARGE).map(leaf)), Oracle::of((0..LARGE).map(leaf)));
    let (tiles, oracle) = LARGEST.get_or_init(make);
    (tiles, oracle)
}

/// Likewise, of a little more than two tiles.
fn small() -> (MemoryTiles, Oracle) {
    (MemoryTiles::of((0..600).map(leaf)), Oracle::of((0..600).map(leaf)))
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(leaf).collect()
}

fn with_a_bit_flipped(hash: Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

/// The same proof with a bit of each of its hashes flipped, one at a time; one hash shorter; and one
/// hash longer.
fn altered(proof: &[Hash], bit: usize) -> Vec<Vec<Hash>> {
    let flipped = (0..proof.len()).map(|at| {
        let mut altered = proof.to_vec();
        altered[at] = with_a_bit_flipped(altered[at], bit);
        altered
    });
    let shorter = (0..proof.len()).map(|at| {
        let mut altered = proof.to_vec();
        altered.remove(at);
        altered
    });
    let longer = (0..=proof.len()).map(|at| {
        let mut altered = proof.to_vec();
        altered.insert(at, *proof.first().unwrap_or(&leaf(0)));
        altered
    });
    flipped.chain(shorter).chain(longer).collect()
}

/// The tree that RFC 6962 was first tried with.
#[test]
fn the_roots_of_a_known_tree_are_those_that_are_known() {
    let entries: [&[u8]; 8] = [
        b"",
        b"\x00",
        b"\x10",
        b"\x20\x21",
        b"\x30\x31",
        b"\x40\x41\x42\x43",
        b"\x50\x51\x52\x53\x54\x55\x56\x57",
        b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
    ];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let mut frontier = Frontier::empty();
    let mut seen = vec![HEXLOWER.encode(frontier.root().as_bytes())];
    for entry in entries {
        frontier.push(leaf_hash(entry), |_| ());
        seen.push(HEXLOWER.encode(frontier.root().as_bytes()));
    }
    assert_eq!(seen, roots);
}

#[test]
fn a_tree_that_was_pushed_and_one_that_was_read_have_the_root_of_the_definition() {
    let oracle = Oracle::of((0..600).map(leaf));
    let all = leaves(600);
    let mut tiles = MemoryTiles::default();
    for size in 0..=600 {
        let read = now(Frontier::load(&mut tiles, size)).unwrap();
        assert_eq!(read, tiles.frontier, "at {size}");
        assert_eq!(read.root(), oracle.root(size), "at {size}");
        assert_eq!(now(root_at(&mut tiles, size)).unwrap(), read.root(), "at {size}");
        assert_eq!(read.root(), mth(&all[..usize::try_from(size).unwrap()]), "at {size}");
        tiles.push(leaf(size));
    }
}

#[test]
fn a_tree_that_was_read_grows_as_the_one_that_was_not() {
    let (mut tiles, _) = large();
    for size in [0, 1, 255, 256, 511, 65_535, 65_536, 69_000] {
        let mut frontier = now(Frontier::load(&mut tiles, size)).unwrap();
        for next in size..size + 600 {
            frontier.push(leaf(next), |stored| {
                let row = &tiles.levels[usize::from(stored.level)];
                assert_eq!(row[usize::try_from(stored.index).unwrap()], stored.hash);
            });
        }
        assert_eq!(frontier, now(Frontier::load(&mut tiles, size + 600)).unwrap());
    }
}

#[test]
fn each_tile_is_that_of_others() {
    let (mut tiles, oracle) = large();
    for size in (1..=SMALL).chain(EDGES).chain([LARGE]) {
        let mut count = 0;
        for their in tlog_tiles::Tile::new_tiles(8, 0, size) {
            let our = Tile::of_tree(size, their.level(), their.level_index()).unwrap();
            assert_eq!(u32::from(our.width()), their.width(), "{their:?} at {size}");
            let hashes = now(tiles.tile(our)).unwrap();
            let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            assert_eq!(bytes, their.read_data(oracle).unwrap(), "{their:?} at {size}");
            count += 1;
        }
        let every = (0..=u8::MAX).flat_map(|level| (0..=size / 256 + 1).map(move |at| (level, at)));
        let ours = every.filter(|(level, at)| Tile::of_tree(size, *level, *at).is_some());
        assert_eq!(ours.count(), count, "there are other tiles at {size}");
    }
}

#[test]
fn every_inclusion_proof_is_that_of_others_and_verifies() {
    let (mut tiles, oracle) = small();
    let edges = EDGES.iter().filter(|size| **size <= 600);
    for size in (1..=SMALL).chain(edges.copied()) {
        let (all, root) = (leaves(size), oracle.root(size));
        for position in (0..size).step_by(if size <= SMALL { 1 } else { 5 }) {
            let proof = now(inclusion_proof(&mut tiles, position, size)).unwrap();
            assert_eq!(proof, oracle.inclusion_proof(position, size), "{position} of {size}");
            assert_eq!(verify_inclusion((leaf(position), position), (size, root), &proof), Ok(()));
            let their = proof.iter().copied().map(theirs).collect();
            let (root, leaf) = (theirs(root), theirs(leaf(position)));
            tlog_tiles::check_record(&their, size, root, position, leaf).unwrap();
            if size <= 40 {
                let m = usize::try_from(position).unwrap();
                assert_eq!(proof, path(m, &all), "{position} of {size}");
            }
        }
    }
}

#[test]
fn every_consistency_proof_is_that_of_others_and_verifies() {
    let (mut tiles, oracle) = small();
    for to in 1..=SMALL {
        let (all, new) = (leaves(to), (to, oracle.root(to)));
        for from in 1..=to {
            let ours = now(consistency_proof(&mut tiles, from, to)).unwrap();
            assert_eq!(ours, oracle.consistency_proof(from, to), "from {from} to {to}");
            let old = (from, oracle.root(from));
            assert_eq!(verify_consistency(old, new, &ours), Ok(()));
            let their = ours.iter().copied().map(theirs).collect();
            tlog_tiles::check_tree(&their, to, theirs(new.1), from, theirs(old.1)).unwrap();
            if to <= 40 {
                assert_eq!(ours, proof(usize::try_from(from).unwrap(), &all), "{from} to {to}");
            }
        }
    }
}

#[test]
fn au_04_an_altered_inclusion_proof_verifies_nowhere() {
    let tiles = &mut MemoryTiles::of((0..40).map(leaf));
    let roots: Vec<Hash> = (0..=40).map(|size| now(root_at(tiles, size)).unwrap()).collect();
    for size in 1..=40 {
        for position in 0..size {
            let proof = now(inclusion_proof(tiles, position, size)).unwrap();
            let root = (size, roots[usize::try_from(size).unwrap()]);
            let mine = (leaf(position), position);
            for other in (0..size + 2).filter(|other| *other != position) {
                assert!(verify_inclusion((leaf(position), other), root, &proof).is_err());
                assert!(verify_inclusion((leaf(other), position), root, &proof).is_err());
            }
            for other in (0..=40).filter(|other| *other != size) {
                let root = (other, roots[usize::try_from(other).unwrap()]);
                assert!(verify_inclusion(mine, root, &proof).is_err(), "{position} of {other}");
            }
            let bit = usize::try_from(position * 7 % 256).unwrap();
            for altered in altered(&proof, bit) {
                assert!(verify_inclusion(mine, root, &altered).is_err(), "{position} of {size}");
            }
            let other = (size, with_a_bit_flipped(root.1, bit));
            assert!(verify_inclusion(mine, other, &proof).is_err());
        }
    }
}

#[test]
fn au_04_an_altered_consistency_proof_verifies_nowhere() {
    let tiles = &mut MemoryTiles::of((0..40).map(leaf));
    let roots: Vec<Hash> = (0..=40).map(|size| now(root_at(tiles, size)).unwrap()).collect();
    let of = |size: u64| (size, roots[usize::try_from(size).unwrap()]);
    for to in 1..=40 {
        for from in 1..=to {
            let proof = now(consistency_proof(tiles, from, to)).unwrap();
            for other in (1..=40).filter(|other| *other != from && *other != to) {
                assert!(verify_consistency(of(other), of(to), &proof).is_err());
                assert!(verify_consistency(of(from), of(other), &proof).is_err());
            }
            let bit = usize::try_from(from * 7 % 256).unwrap();
            for altered in altered(&proof, bit) {
                assert!(verify_consistency(of(from), of(to), &altered).is_err(), "{from} to {to}");
            }
            let flipped = |(size, root)| (size, with_a_bit_flipped(root, bit));
            assert!(verify_consistency(flipped(of(from)), of(to), &proof).is_err());
            assert!(verify_consistency(of(from), flipped(of(to)), &proof).is_err());
            assert!(from == to || verify_consistency(of(to), of(from), &proof).is_err());
        }
    }
}

#[test]
fn au_11_one_size_with_two_roots_is_not_consistent() {
    let (one, other) = ((3, leaf(1)), (3, leaf(2)));
    assert_eq!(verify_consistency(one, one, &[]), Ok(()));
    assert_eq!(verify_consistency(one, other, &[]), Err(InvalidProof));
    assert_eq!(verify_consistency(one, one, &[leaf(1)]), Err(InvalidProof));
}

#[test]
fn every_tree_continues_the_one_without_leaves() {
    let mut tiles = MemoryTiles::of((0..9).map(leaf));
    assert_eq!(now(consistency_proof(&mut tiles, 0, 9)).unwrap(), []);
    let new = (9, tiles.frontier.root());
    assert_eq!(verify_consistency((0, empty_root()), new, &[]), Ok(()));
    assert_eq!(verify_consistency((0, leaf(0)), new, &[]), Err(InvalidProof));
    assert_eq!(verify_consistency((0, empty_root()), new, &[leaf(0)]), Err(InvalidProof));
}

#[test]
fn what_does_not_exist_has_no_proof() {
    let mut tiles = MemoryTiles::of((0..9).map(leaf));
    assert_eq!(now(inclusion_proof(&mut tiles, 9, 9)).unwrap(), []);
    assert_eq!(now(inclusion_proof(&mut tiles, 0, 0)).unwrap(), []);
    assert_eq!(now(consistency_proof(&mut tiles, 9, 3)).unwrap(), []);
    assert_eq!(verify_inclusion((leaf(0), 0), (0, empty_root()), &[]), Err(InvalidProof));
    // A tree of which the store holds less than it says.
    now(inclusion_proof(&mut tiles, 0, 12)).unwrap_err();
    now(consistency_proof(&mut tiles, 3, 12)).unwrap_err();
    now(Frontier::load(&mut tiles, 12)).unwrap_err();
}

#[test]
fn a_hash_has_one_text() {
    let text = leaf(7).to_string();
    assert_eq!(text.parse(), Ok(leaf(7)));
    let unpadded = text.trim_end_matches('=');
    for bad in ["", unpadded, &format!("{text}="), &format!(" {text}"), "AAAA"] {
        assert_eq!(bad.parse::<Hash>(), Err(InvalidHash), "{bad}");
    }
    // The last digit has two bits that mean nothing; they must be zero.
    let mut digits = unpadded.to_owned();
    let last = digits.pop().unwrap();
    let other = format!("{digits}{}=", char::from(last as u8 + 1));
    assert_eq!(other.parse::<Hash>(), Err(InvalidHash));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn trees_of_any_size_have_the_root_of_others(size in 0..=LARGE) {
        let (mut tiles, oracle) = large();
        let frontier = now(Frontier::load(&mut tiles, size)).unwrap();
        prop_assert_eq!(frontier.root(), oracle.root(size));
        prop_assert_eq!(now(root_at(&mut tiles, size)).unwrap(), oracle.root(size));
    }

    #[test]
    fn proofs_in_trees_of_any_size_are_those_of_others(
        (size, one) in (1..=LARGE).prop_flat_map(|size| (Just(size), 0..size)),
        bit in 0_usize..256,
    ) {
        let (mut tiles, oracle) = large();
        let root = (size, oracle.root(size));
        let included = now(inclusion_proof(&mut tiles, one, size)).unwrap();
        prop_assert_eq!(&included, &oracle.inclusion_proof(one, size));
        prop_assert_eq!(verify_inclusion((leaf(one), one), root, &included), Ok(()));
        for altered in altered(&included, bit) {
            prop_assert!(verify_inclusion((leaf(one), one), root, &altered).is_err());
        }
        let old = (one + 1, oracle.root(one + 1));
        let consistent = now(consistency_proof(&mut tiles, old.0, size)).unwrap();
        prop_assert_eq!(&consistent, &oracle.consistency_proof(old.0, size));
        prop_assert_eq!(verify_consistency(old, root, &consistent), Ok(()));
        for altered in altered(&consistent, bit) {
            prop_assert!(verify_consistency(old, root, &altered).is_err());
        }
    }

    #[test]
    fn proofs_in_a_tree_larger_than_any_memory_verify(
        (size, one) in (1..1_u64 << 63).prop_flat_map(|size| (Just(size), 0..size)),
    ) {
        let mut tiles = UniformTiles::new();
        let root = (size, tiles.root(size));
        prop_assert_eq!(now(root_at(&mut tiles, size)).unwrap(), root.1);
        prop_assert_eq!(now(Frontier::load(&mut tiles, size)).unwrap().root(), root.1);
        let proof = now(inclusion_proof(&mut tiles, one, size)).unwrap();
        prop_assert_eq!(verify_inclusion((tiles.leaf(), one), root, &proof), Ok(()));
        let old = (one + 1, tiles.root(one + 1));
        let proof = now(consistency_proof(&mut tiles, old.0, size)).unwrap();
        prop_assert_eq!(verify_consistency(old, root, &proof), Ok(()));
    }

    #[test]
    fn no_numbers_bring_a_verifier_down(
        one in prop_oneof![any::<u64>(), 0..3_u64],
        two in prop_oneof![any::<u64>(), 0..3_u64],
        length in 0_usize..80,
    ) {
        let proof = vec![leaf(1); length];
        prop_assert!(verify_inclusion((leaf(0), one), (two, leaf(2)), &proof).is_err());
        prop_assert!(verify_consistency((one, leaf(0)), (two, leaf(2)), &proof).is_err());
        let _ = Tile::of_tree(one, u8::try_from(length).unwrap(), two);
    }

}

#[test]
fn a_root_of_others_is_one_of_ours() {
    assert_eq!(ours(tlog_tiles::record_hash(b"entry")), leaf_hash(b"entry"));
    let (left, right) = (theirs(leaf(1)), theirs(leaf(2)));
    assert_eq!(ours(tlog_tiles::node_hash(left, right)), node_hash(leaf(1), leaf(2)));
    assert_eq!(ours(tlog_tiles::EMPTY_HASH), empty_root());
}
