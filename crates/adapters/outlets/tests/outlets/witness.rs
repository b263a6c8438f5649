//! A witness over HTTP, held against one that keeps the rules and one that does not.

use std::{error::Error, time::Duration};

use audit::{
    Hash, SignedCheckpoint,
    checkpoint::CheckpointSigner,
    delivery::{DeliveryFailed, Witness, WitnessAnswer, WitnessRequest},
    merkle::node_hash,
};
use contracts::witness::{Behaviour, Seen, WitnessServer};
use outlets::{HttpWitness, InvalidWitness, WitnessUrl};

use crate::kit::{ISSUER, Key, LONG, checkpoint, leaf, origin};

fn server() -> WitnessServer {
    WitnessServer::start(ISSUER, Key::new(1).public_key())
}

fn url(text: &str) -> WitnessUrl {
    text.parse().unwrap()
}

fn client(server: &WitnessServer) -> HttpWitness {
    HttpWitness::new(&url(&server.url())).unwrap().within(LONG)
}

async fn ask(
    witness: &HttpWitness,
    old_size: u64,
    proof: &[Hash],
    checkpoint: SignedCheckpoint,
) -> Result<WitnessAnswer, DeliveryFailed> {
    witness.add_checkpoint(&WitnessRequest { old_size, proof: proof.to_vec(), checkpoint }).await
}

/// That the log of four continues the one of two.
fn from_two_to_four(seed: &str) -> [Hash; 1] {
    [node_hash(leaf(seed, 2), leaf(seed, 3))]
}

fn is_cosigned(answer: &WitnessAnswer) -> bool {
    matches!(answer, WitnessAnswer::Cosigned(lines)
        if lines.starts_with("\u{2014} witness.example/tests ") && lines.lines().count() == 1)
}

fn is_refused(answer: &WitnessAnswer) -> bool {
    matches!(answer, WitnessAnswer::Refused(_))
}

/// Why nothing was answered, with its causes.
fn told(failed: &DeliveryFailed) -> String {
    let mut text = failed.to_string();
    let mut cause = failed.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn a_first_checkpoint_is_cosigned_and_one_that_continues_it() {
    let server = server();
    let witness = client(&server);
    let first = ask(&witness, 0, &[], checkpoint(1, 2, "a")).await.unwrap();
    assert!(is_cosigned(&first), "{first:?}");
    let again = ask(&witness, 2, &[], checkpoint(1, 2, "a")).await.unwrap();
    assert!(is_cosigned(&again), "{again:?}");
    let grown = checkpoint(1, 4, "a");
    let second = ask(&witness, 2, &from_two_to_four("a"), grown.clone()).await.unwrap();
    assert!(is_cosigned(&second), "{second:?}");
    let root = grown.checkpoint.root;
    assert_eq!(server.seen(&origin(1)), Some(Seen { size: 4, root }));
    assert_eq!(server.requests(), 3);
}

#[tokio::test]
async fn a_witness_that_saw_more_says_how_much_and_signs_once_that_is_known() {
    let server = server();
    let witness = client(&server);
    ask(&witness, 0, &[], checkpoint(1, 2, "a")).await.unwrap();
    let stale = ask(&witness, 0, &[], checkpoint(1, 4, "a")).await.unwrap();
    assert_eq!(stale, WitnessAnswer::OtherSize(2));
    let answer = ask(&witness, 2, &from_two_to_four("a"), checkpoint(1, 4, "a")).await.unwrap();
    assert!(is_cosigned(&answer), "{answer:?}");
}

#[tokio::test]
async fn au_11_two_checkpoints_of_one_size_are_refused_by_the_witness() {
    let server = server();
    let witness = client(&server);
    let first = checkpoint(1, 4, "a");
    ask(&witness, 0, &[], first.clone()).await.unwrap();
    let forked = ask(&witness, 4, &[], checkpoint(1, 4, "another")).await.unwrap();
    assert!(is_refused(&forked), "{forked:?}");
    let root = first.checkpoint.root;
    assert_eq!(server.seen(&origin(1)), Some(Seen { size: 4, root }));
}

#[tokio::test]
async fn au_11_a_log_that_went_back_is_refused_by_the_witness() {
    let server = server();
    let witness = client(&server);
    ask(&witness, 0, &[], checkpoint(1, 4, "a")).await.unwrap();
    let smaller = ask(&witness, 0, &[], checkpoint(1, 2, "a")).await.unwrap();
    assert_eq!(smaller, WitnessAnswer::OtherSize(4));
    let smaller = ask(&witness, 4, &[], checkpoint(1, 2, "a")).await.unwrap();
    assert!(is_refused(&smaller), "{smaller:?}");
}

#[tokio::test]
async fn a_log_that_grew_from_another_past_is_refused() {
    let server = server();
    let witness = client(&server);
    ask(&witness, 0, &[], checkpoint(1, 2, "a")).await.unwrap();
    let grown = checkpoint(1, 4, "b");
    for proof in [&from_two_to_four("b")[..], &from_two_to_four("a"), &[]] {
        let answer = ask(&witness, 2, proof, grown.clone()).await.unwrap();
        assert!(is_refused(&answer), "{answer:?}");
    }
}

#[tokio::test]
async fn a_witness_that_does_not_know_the_log_or_its_key_refuses() {
    let stranger = WitnessServer::start("https://other.example", Key::new(1).public_key());
    let other_key = WitnessServer::start(ISSUER, Key::new(2).public_key());
    for server in [stranger, other_key] {
        let answer = ask(&client(&server), 0, &[], checkpoint(1, 2, "a")).await.unwrap();
        assert!(is_refused(&answer), "{answer:?}");
        assert_eq!(server.seen(&origin(1)), None);
    }
}

#[tokio::test]
async fn a_witness_that_does_not_answer_holds_nobody_up() {
    let server = server();
    server.behave(Behaviour::Silent);
    let witness = client(&server).within(Duration::from_millis(50));
    let failed = ask(&witness, 0, &[], checkpoint(1, 2, "a")).await.unwrap_err();
    assert!(told(&failed).contains("in time"), "{}", told(&failed));
    // It was no lasting harm.
    server.behave(Behaviour::Honest);
    let witness = witness.within(LONG);
    assert!(is_cosigned(&ask(&witness, 0, &[], checkpoint(1, 2, "a")).await.unwrap()));
}

#[tokio::test]
async fn a_witness_that_is_not_there_is_a_failed_delivery() {
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let witness = HttpWitness::new(&url(&format!("http://{closed}/w"))).unwrap();
    let failed = ask(&witness, 0, &[], checkpoint(1, 2, "a")).await.unwrap_err();
    assert_eq!(failed.sink, "witness");
}

#[tokio::test]
async fn an_answer_without_an_end_is_given_up() {
    let server = server();
    server.behave(Behaviour::Endless);
    let witness = client(&server);
    let failed = ask(&witness, 0, &[], checkpoint(1, 2, "a")).await.unwrap_err();
    assert!(told(&failed).contains("longer than 65536 bytes"), "{}", told(&failed));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let (server, elsewhere) = (server(), server());
    server.behave(Behaviour::Redirecting { to: format!("{}/add-checkpoint", elsewhere.url()) });
    let failed = ask(&client(&server), 0, &[], checkpoint(1, 2, "a")).await.unwrap_err();
    assert!(told(&failed).contains("status 307"), "{}", told(&failed));
    assert_eq!((server.requests(), elsewhere.requests()), (1, 0));
}

#[tokio::test]
async fn an_answer_that_means_nothing_is_a_failed_delivery() {
    let server = server();
    let witness = client(&server);
    let size = "text/x.tlog.size";
    for (status, kind, body) in [
        (200, "text/plain", ""),
        (200, "text/plain", "\n"),
        (200, "text/plain", "signed\n"),
        (200, "text/plain", "\u{2014} name AAAAAAAA"),
        (200, "text/plain", "\u{2014} na+me AAAAAAAA\n"),
        (200, "text/plain", "\u{2014} name AAAA\n"),
        (200, "text/plain", "\u{2014} name AAAAAAAA\n\n"),
        (200, "text/plain", "\u{2014} name AAAAAAAA\nidp.example.com/audit/another\n"),
        (409, size, ""),
        (409, size, "4"),
        (409, size, "-4\n"),
        (409, size, "+4\n"),
        (409, size, "18446744073709551616\n"),
        (204, "text/plain", ""),
        (500, "text/plain", "no\n"),
        (503, "text/plain", "no\n"),
        (401, "text/plain", "no\n"),
    ] {
        server.behave(Behaviour::Answering { status, kind, body: body.to_owned() });
        let answer = ask(&witness, 3, &[], checkpoint(1, 4, "a")).await;
        assert!(answer.is_err(), "{status} {body:?}: {answer:?}");
    }
}

#[tokio::test]
async fn what_a_witness_says_of_sizes_is_read_as_the_specification_has_it() {
    let server = server();
    let witness = client(&server);
    for (kind, body, expected) in [
        ("text/x.tlog.size", "7\n", Some(7)),
        ("Text/X.TLog.Size; charset=utf-8", "0\n", Some(0)),
        // The size that was asked with: it is no other one, and to ask again would never end.
        ("text/x.tlog.size", "3\n", None),
        ("text/plain", "7\n", None),
    ] {
        server.behave(Behaviour::Answering { status: 409, kind, body: body.to_owned() });
        let answer = ask(&witness, 3, &[], checkpoint(1, 4, "a")).await.unwrap();
        match expected {
            Some(size) => assert_eq!(answer, WitnessAnswer::OtherSize(size)),
            None => assert!(is_refused(&answer), "{answer:?}"),
        }
    }
}

#[tokio::test]
async fn many_signature_lines_are_passed_on_as_they_are() {
    let server = server();
    let lines = "\u{2014} one AAAAAAAA\n\u{2014} two AAAAAAAA\n".to_owned();
    let (status, kind) = (200, "text/plain");
    server.behave(Behaviour::Answering { status, kind, body: lines.clone() });
    let answer = ask(&client(&server), 0, &[], checkpoint(1, 4, "a")).await.unwrap();
    assert_eq!(answer, WitnessAnswer::Cosigned(lines));
}

#[test]
fn a_url_that_no_witness_has_is_refused_and_nothing_of_it_is_told() {
    for bad in [
        "",
        "witness.example",
        "ftp://witness.example",
        "file:///etc/passwd",
        "https://witness.example/?token=secret",
        "https://witness.example/#secret",
        "https://user:secret@witness.example/",
        "https://secret@witness.example/",
        "http://:secret@witness.example/",
    ] {
        let error = bad.parse::<WitnessUrl>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
    let refused = "https://user:secret@witness.example/".parse::<WitnessUrl>().unwrap_err();
    assert!(matches!(refused, InvalidWitness::Credentials), "{refused:?}");
}

#[tokio::test]
async fn a_prefix_with_a_path_may_end_in_a_slash() {
    let server = server();
    for prefix in [server.url(), format!("{}/", server.url())] {
        let witness = HttpWitness::new(&url(&prefix)).unwrap().within(LONG);
        let (old, proof) = (server.seen(&origin(1)).map_or(0, |seen| seen.size), []);
        assert!(is_cosigned(&ask(&witness, old, &proof, checkpoint(1, 4, "a")).await.unwrap()));
    }
}

#[tokio::test]
async fn a_witness_over_tls_that_nobody_vouches_for_is_not_asked() {
    let server = server();
    let secure = server.url().replace("http://", "https://");
    // Where the machine trusts nobody at all it is refused sooner.
    let Ok(witness) = HttpWitness::new(&url(&secure)) else { return };
    let witness = witness.within(Duration::from_secs(5));
    assert!(ask(&witness, 0, &[], checkpoint(1, 4, "a")).await.is_err());
    assert_eq!(server.seen(&origin(1)), None);
}
