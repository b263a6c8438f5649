//! A little of what the fuzzer does, at each run of the tests: the corpus, and a few thousand changes
//! of it, which are the same each time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use fuzzing::TARGETS;

/// How many changed inputs each target is fed.
const CHANGED: usize = 20_000;

/// What often decides: ends, escapes, numbers out of range, and what may not stand twice.
const TOKENS: [&[u8]; 20] = [
    b"\"",
    b"\\",
    b"\\u0000",
    b"{",
    b"}",
    b"[",
    b",",
    b":",
    b"&",
    b"=",
    b"%",
    b"%00",
    b"+",
    b".",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"18446744073709551616",
    b"-1",
    b"1e999",
];

/// Dice that fall alike each time (a linear congruential generator).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % end.max(1)
    }
}

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// One to four changes: a byte is another, something is cut, doubled, put in, or taken from another.
fn changed(corpus: &[Vec<u8>], dice: &mut Dice) -> Vec<u8> {
    let pick = |dice: &mut Dice| corpus.get(dice.below(corpus.len())).unwrap().clone();
    let mut input = pick(dice);
    for _ in 0..=dice.below(4) {
        let (place, end) = (dice.below(input.len()), dice.below(input.len() + 1));
        let (from, to) = (place.min(end), place.max(end));
        match dice.below(6) {
            0 if !input.is_empty() => {
                let byte = u8::try_from(dice.below(256)).unwrap();
                *input.get_mut(place).unwrap() = byte;
            }
            1 => drop(input.drain(from..to)),
            2 => {
                let part = input.get(from..to).unwrap().to_vec();
                input.splice(to..to, part);
            }
            3 => input.truncate(from),
            4 => {
                let other = pick(dice);
                let part = other.get(dice.below(other.len())..).unwrap().to_vec();
                input.splice(from..to, part);
            }
            _ => {
                let token = TOKENS.get(dice.below(TOKENS.len())).unwrap();
                input.splice(from..from, token.iter().copied());
            }
        }
    }
    input
}

#[test]
fn whatever_a_caller_sends_is_read_or_refused() {
    for (name, target) in TARGETS {
        let corpus = corpus(name);
        assert!(corpus.len() >= 3, "the corpus of {name} is poor");
        corpus.iter().for_each(|input| target(input));
        let mut dice = Dice(7);
        for _ in 0..CHANGED {
            target(&changed(&corpus, &mut dice));
        }
    }
}

#[test]
fn ds_05_great_lengths_and_depths_are_refused_as_quickly_as_anything() {
    for (_, target) in TARGETS {
        for (unit, times) in [("[", 100_000), ("{\"a\":", 100_000), (".", 10_000), ("a&", 65_000)] {
            target(unit.repeat(times).as_bytes());
        }
        target(&[b'a'; 1_000_000]);
        target(&[0xff; 10_000]);
        target(b"");
    }
}

#[test]
fn every_corpus_has_a_target_and_a_fuzzer() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    names.sort();
    for (folder, end) in [("corpus", ""), ("../../fuzz/fuzz_targets", ".rs")] {
        let entries = fs::read_dir(root.join(folder)).unwrap();
        let found = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut found: Vec<_> =
            found.map(|name| name.strip_suffix(end).unwrap().to_owned()).collect();
        found.sort();
        assert_eq!(found, names, "{folder}");
    }
}
