//! Tests of signed notes, held against an implementation of others.

use proptest::prelude::*;
use signed_note::{Note, Signer, StandardSigner, StandardVerifier, Verifier, VerifierList};

use super::*;
use crate::{checkpoint::CheckpointSigner, sample::KnownKey};

const NAME: &str = "idp.example.com/audit/log";
const TEXT: &str = "idp.example.com/audit/log\n3\nroot\n";

fn key(name: &str, seed: u8) -> VerifierKey {
    VerifierKey::new(name.parse().unwrap(), KnownKey::new(seed).public_key())
}

fn signed(name: &str, seed: u8, text: &str) -> String {
    key(name, seed).note(text, &KnownKey::new(seed).sign(text.as_bytes()).unwrap())
}

/// The last line of a note.
fn line(note: &str) -> &str {
    note.rsplit_once("\n\n").unwrap().1
}

/// The same key as others hold it.
fn their_signer(name: &str, seed: u8) -> StandardSigner {
    let private = BASE64.encode(&[&[ED25519_TYPE], [seed; 32].as_slice()].concat());
    StandardSigner::new(&format!("PRIVATE+KEY+{name}+{}+{private}", key(name, seed).id())).unwrap()
}

/// What others make of a note: the text, if the key has signed it.
fn opened_by_others(key: &VerifierKey, note: &str) -> Option<String> {
    let verifier = StandardVerifier::new(&key.to_string()).unwrap();
    let note = Note::from_bytes(note.as_bytes()).ok()?;
    note.verify(&VerifierList::new(vec![Box::new(verifier)])).ok()?;
    Some(String::from_utf8(note.text().to_vec()).unwrap())
}

/// The example of the specification's first implementation.
#[test]
fn a_known_note_opens_with_the_known_key() {
    let key: VerifierKey =
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW".parse().unwrap();
    let text = "If you think cryptography is the answer to your problem,\n\
                then you don't know what your problem is.\n";
    let note = format!(
        "{text}\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdng\
         otpRZb6KE6RyyBwJnAM=\n"
    );
    assert_eq!(key.open(&note), Ok(text));
}

#[test]
fn what_is_signed_here_is_what_others_sign() {
    let ours = signed(NAME, 7, TEXT);
    let mut theirs = Note::new(TEXT.as_bytes(), &[]).unwrap();
    theirs.add_sigs(&[&their_signer(NAME, 7)]).unwrap();
    assert_eq!(ours.as_bytes(), theirs.to_bytes());
    assert_eq!(key(NAME, 7).open(&ours), Ok(TEXT));
    assert_eq!(opened_by_others(&key(NAME, 7), &ours).as_deref(), Some(TEXT));
}

#[test]
fn a_verifier_key_is_that_of_others_and_reads_back() {
    let ours = key(NAME, 7);
    let theirs = StandardVerifier::new(&ours.to_string()).unwrap();
    assert_eq!((theirs.name(), format!("{:08x}", theirs.key_id())), (NAME, ours.id().to_string()));
    assert_eq!(their_signer(NAME, 7).key_id(), theirs.key_id());
    assert_eq!(ours.to_string().parse(), Ok(ours.clone()));
    assert_ne!(ours.id(), key("another.example.com/audit/log", 7).id(), "the name is hashed too");
    assert_ne!(ours.id(), key(NAME, 8).id());
}

#[test]
fn what_is_no_verifier_key_is_refused() {
    let good = key(NAME, 7).to_string();
    let (name_and_id, public) = good.rsplit_once('+').unwrap();
    let (_, id) = name_and_id.split_once('+').unwrap();
    let other_type = BASE64.encode(&[&[2_u8], [7; 32].as_slice()].concat());
    let bad = [
        String::new(),
        good.replace(id, "00000000"),
        good.replace(id, &id.to_uppercase()),
        good.replace(NAME, "another"),
        good.replace(NAME, ""),
        good.replace(NAME, "with space"),
        format!("{name_and_id}+"),
        format!("{name_and_id}+{}", public.trim_end_matches('=')),
        format!("{name_and_id}+{other_type}"),
        format!("{good}+"),
        format!("{good}\n"),
    ];
    for bad in bad.iter().filter(|bad| **bad != good) {
        assert_eq!(bad.parse::<VerifierKey>(), Err(InvalidVerifierKey), "{bad}");
    }
}

#[test]
fn lines_of_others_are_ignored() {
    let witness = signed("witness.example.net", 9, TEXT);
    let (ours, theirs) = (signed(NAME, 7, TEXT), line(&witness));
    let both = [format!("{ours}{theirs}"), ours.replace("\n\n", &format!("\n\n{theirs}"))];
    for both in &both {
        assert_eq!(key(NAME, 7).open(both), Ok(TEXT));
        assert_eq!(opened_by_others(&key(NAME, 7), both).as_deref(), Some(TEXT));
    }
    let unsigned = NoteError::Unsigned(key(NAME, 7).id());
    assert_eq!(key(NAME, 7).open(&witness), Err(unsigned));
    // One of the same name and another key is another's as well.
    assert_eq!(key(NAME, 7).open(&signed(NAME, 8, TEXT)), Err(unsigned));
    assert_eq!(key(NAME, 7).open(&signed("another", 7, TEXT)), Err(unsigned));
}

#[test]
fn au_04_a_line_of_the_key_that_does_not_verify_is_refused_whatever_stands_beside_it() {
    let good = signed(NAME, 7, TEXT);
    let forged_line = line(&signed(NAME, 7, "another text\n")).to_owned();
    let forged = NoteError::Forged(key(NAME, 7).id());
    let notes = [
        good.replace("\n3\n", "\n4\n"),
        format!("{good}{forged_line}"),
        good.replace("\n\n", &format!("\n\n{forged_line}")),
    ];
    for note in &notes {
        assert_eq!(key(NAME, 7).open(note), Err(forged), "{note}");
    }
}

#[test]
fn what_is_no_note_is_refused() {
    let good = signed(NAME, 7, TEXT);
    let (_, line) = good.split_once("\n\n").unwrap();
    let bad = [
        String::new(),
        TEXT.to_owned(),
        good.trim_end().to_owned(),
        format!("{good}\n"),
        format!("{TEXT}{line}"),
        format!("{TEXT}\n"),
        good.replace('\u{2014}', "-"),
        good.replace('\n', "\r\n"),
        good.replace(TEXT, "a\tb\n"),
        good.replace('=', ""),
        format!("{good}\u{2014} x  AAAAAAA=\n"),
        format!("{good}\u{2014} x+y AAAAAAA=\n"),
        format!("{good}\u{2014} x AAAA\n"),
        format!("{good}\u{2014} x AAAAAA==\n"),
        format!("{}{good}", "x".repeat(MAX_LENGTH)),
    ];
    for note in &bad {
        assert_eq!(key(NAME, 7).open(note), Err(NoteError::Form), "{note:?}");
        let is_long = note.len() > MAX_LENGTH;
        assert!(is_long || opened_by_others(&key(NAME, 7), note).is_none(), "{note:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn texts_of_any_kind_are_signed_as_others_do(lines in prop::collection::vec("[^\u{0}-\u{1f}]{0,9}", 1..5)) {
        let text = lines.join("\n") + "\n";
        let note = signed(NAME, 7, &text);
        prop_assert_eq!(key(NAME, 7).open(&note), Ok(text.as_str()));
        prop_assert_eq!(opened_by_others(&key(NAME, 7), &note), Some(text));
    }

    #[test]
    fn au_04_a_note_with_a_changed_character_does_not_open(
        at in any::<prop::sample::Index>(),
        to in "[ -~\n\u{2014}]",
    ) {
        let note = signed(NAME, 7, TEXT);
        let mut characters: Vec<char> = note.chars().collect();
        let at = at.index(characters.len());
        characters[at] = to.chars().next().unwrap();
        let changed: String = characters.into_iter().collect();
        let opened = key(NAME, 7).open(&changed).ok().map(str::to_owned);
        prop_assert_eq!(opened.is_some(), changed == note);
        prop_assert_eq!(opened, opened_by_others(&key(NAME, 7), &changed));
    }

    #[test]
    fn no_text_brings_the_parsers_down(text in ".{0,40}") {
        let _ = key(NAME, 7).open(&text);
        let _ = text.parse::<VerifierKey>();
    }
}
