//! Tests of checkpoints, held against an implementation of others.

use proptest::prelude::*;

use super::*;
use crate::sample::{KnownKey, organization, origin};

fn checkpoint(size: u64) -> Checkpoint {
    Checkpoint { origin: origin(), size, root: Hash::of(&size.to_be_bytes()) }
}

fn key(seed: u8) -> VerifierKey {
    VerifierKey::new(origin().name().clone(), KnownKey::new(seed).public_key())
}

/// A note of any text, signed by the log's key.
fn note_of(text: &str) -> String {
    key(7).note(text, &KnownKey::new(7).sign(text.as_bytes()).unwrap())
}

#[test]
fn a_checkpoint_that_was_signed_opens_with_its_key_alone() {
    let signed = sign(checkpoint(3), &KnownKey::new(7)).unwrap();
    assert_eq!(signed.checkpoint, checkpoint(3));
    assert_eq!(Checkpoint::open(&signed.note, &key(7)), Ok(checkpoint(3)));
    assert_eq!(Checkpoint::claimed(&signed.note), Ok(checkpoint(3)));
    let unsigned = Err(CheckpointError::Note(NoteError::Unsigned(key(8).id())));
    assert_eq!(Checkpoint::open(&signed.note, &key(8)), unsigned);
}

#[test]
fn au_04_a_checkpoint_with_another_size_or_root_does_not_open() {
    let note = sign(checkpoint(3), &KnownKey::new(7)).unwrap().note;
    let forged = Err(CheckpointError::Note(NoteError::Forged(key(7).id())));
    assert_eq!(Checkpoint::open(&note.replace("\n3\n", "\n2\n"), &key(7)), forged);
    let root = (checkpoint(3).root.to_string(), checkpoint(2).root.to_string());
    assert_eq!(Checkpoint::open(&note.replace(&root.0, &root.1), &key(7)), forged);
}

/// All logs of an installation have one key, and its name differs from log to log.
#[test]
fn tn_02_a_checkpoint_of_another_log_is_refused_though_its_key_is_the_same() {
    let other = OrganizationId::from_uuid(crate::sample::uuid(99));
    let other = LogOrigin::new("https://idp.example.com", other).unwrap();
    let theirs = Checkpoint { origin: other, ..checkpoint(3) };
    let note = sign(theirs.clone(), &KnownKey::new(7)).unwrap().note;
    assert!(matches!(
        Checkpoint::open(&note, &key(7)),
        Err(CheckpointError::Note(NoteError::Unsigned(_)))
    ));
    // Even where somebody had the key sign it under this log's name.
    assert_eq!(Checkpoint::open(&note_of(&theirs.text()), &key(7)), Err(CheckpointError::Origin));
}

#[test]
fn what_is_signed_and_no_checkpoint_is_refused() {
    let text = checkpoint(3).text();
    let root = checkpoint(3).root.to_string();
    let bad = [
        text.replace("\n3\n", "\n03\n"),
        text.replace("\n3\n", "\n+3\n"),
        text.replace("\n3\n", "\n-3\n"),
        text.replace("\n3\n", "\n\n"),
        text.replace("\n3\n", "\n18446744073709551616\n"),
        text.replace("\n3\n", "\n3 \n"),
        text.replace("\n3\n", "\n"),
        text.replace(&root, root.trim_end_matches('=')),
        text.replace(&root, ""),
        text.replace("/audit/", "/log/"),
        text.replace("idp.example.com", "idp example.com"),
        format!("{text}another line\n"),
        format!("{text}\n"),
        "x\n".to_owned(),
    ];
    for text in &bad {
        let opened = Checkpoint::open(&note_of(text), &key(7));
        assert_eq!(opened, Err(CheckpointError::Form), "{text:?}");
    }
    assert_eq!(Checkpoint::open(&note_of(&text), &key(7)), Ok(checkpoint(3)));
    assert_eq!(Checkpoint::open("", &key(7)), Err(CheckpointError::Note(NoteError::Form)));
}

#[test]
fn an_origin_is_an_issuer_without_scheme_and_an_organization() {
    let expected = format!("idp.example.com/audit/{}", organization());
    for issuer in ["https://idp.example.com", "https://idp.example.com/", "idp.example.com"] {
        assert_eq!(LogOrigin::new(issuer, organization()).unwrap().to_string(), expected);
    }
    let parsed: LogOrigin = expected.parse().unwrap();
    assert_eq!((parsed.organization(), &parsed), (organization(), &origin()));
    let below = LogOrigin::new("http://[::1]:8080/audit/x", organization()).unwrap();
    assert_eq!(below.to_string().parse(), Ok(below));
    for issuer in ["https://idp example.com", "https://idp.example.com/a+b"] {
        assert_eq!(LogOrigin::new(issuer, organization()), Err(InvalidOrigin), "{issuer}");
    }
    let upper = organization().to_string().to_uppercase();
    for bad in ["", "idp.example.com", "idp.example.com/audit/", &format!("x/audit/{upper}")] {
        assert_eq!(bad.parse::<LogOrigin>(), Err(InvalidOrigin), "{bad}");
    }
}

proptest! {
    #[test]
    fn the_text_of_a_checkpoint_is_that_of_others(size in any::<u64>(), root in any::<[u8; 32]>()) {
        let ours = Checkpoint { origin: origin(), size, root: Hash::from_bytes(root) };
        let name = origin().to_string();
        let hash = tlog_tiles::Hash(root);
        let theirs = tlog_tiles::Checkpoint::new(&name, size, hash, "").unwrap();
        prop_assert_eq!(ours.text().into_bytes(), theirs.to_bytes());
        prop_assert_eq!(Checkpoint::parse(&ours.text()), Ok(ours));
    }

    #[test]
    fn what_parses_here_parses_elsewhere_and_means_the_same(
        size in "[+0]?[0-9]{0,20}",
        root in "[A-Za-z0-9+/]{42}[A-Za-z0-9+/=]=?",
    ) {
        let text = format!("{}\n{size}\n{root}\n", origin());
        let theirs = tlog_tiles::Checkpoint::from_bytes(text.as_bytes()).ok();
        let theirs = theirs.map(|one| (one.size(), Hash::from_bytes(one.hash().0)));
        let ours = Checkpoint::parse(&text).ok().map(|one| (one.size, one.root));
        prop_assert_eq!(ours, theirs);
    }
}

#[test]
fn a_note_takes_in_the_signatures_of_others_and_none_under_its_own_name() {
    let signed = sign(checkpoint(3), &KnownKey::new(7)).unwrap();
    let witness = "\u{2014} witness.example.com AAAAAQI=\n";
    let own = format!("\u{2014} {} AAAAAQI=\n", signed.checkpoint.origin);
    let cosigned = signed.cosigned(&format!("{own}{witness}")).unwrap();
    assert_eq!(cosigned.note, format!("{}{witness}", signed.note));
    assert_eq!(Checkpoint::open(&cosigned.note, &key(7)), Ok(signed.checkpoint.clone()));
    assert_eq!(cosigned.cosigned(witness), None, "it has that one already");
    for nothing in [own.as_str(), "", "a line\n", &witness.repeat(200)] {
        assert_eq!(signed.cosigned(nothing), None, "{nothing}");
    }
}
