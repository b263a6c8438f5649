//! What is remembered of a token, and when it is not asked any more.

use std::sync::{
    Mutex as StdMutex,
    atomic::{AtomicUsize, Ordering},
};

use futures_util::FutureExt;
use jose::Jwk;
use proptest::prelude::*;

use super::*;
use crate::{
    Dead, Facts, TokenRequest,
    judge::judge,
    sample::{OneKey, at, client, issued, issuer, signed},
};

const ISSUED: i64 = 1_700_000_000_000;
const END: i64 = ISSUED + 900_000;

/// The one key, until it is given up; counts what it is asked to check.
struct Counting {
    key: StdMutex<Option<KeyId>>,
    checked: AtomicUsize,
}

impl Counting {
    fn new() -> Self {
        Self { key: StdMutex::new(Some(OneKey::id())), checked: AtomicUsize::new(0) }
    }

    fn give_up(&self) {
        *self.key.lock().unwrap() = None;
    }

    fn take_back(&self) {
        *self.key.lock().unwrap() = Some(OneKey::id());
    }

    fn checked(&self) -> usize {
        self.checked.load(Ordering::Relaxed)
    }
}

impl Signer for Counting {
    fn active(&self) -> Option<(KeyId, Algorithm)> {
        self.key.lock().unwrap().clone().map(|key| (key, Algorithm::Es256))
    }

    fn algorithm(&self, key: &KeyId) -> Option<Algorithm> {
        (self.key.lock().unwrap().as_ref() == Some(key)).then_some(Algorithm::Es256)
    }

    async fn sign(&self, key: &KeyId, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        OneKey.sign(key, message).await
    }

    fn verifies(&self, key: &KeyId, message: &[u8], signature: &[u8]) -> bool {
        self.checked.fetch_add(1, Ordering::Relaxed);
        OneKey.verifies(key, message, signature)
    }

    fn published(&self) -> Vec<Jwk> {
        Vec::new()
    }
}

/// A token of this moment.
fn token(millis: i64) -> String {
    signed(&issued(&client(), TokenRequest::default(), at(millis))).expose_secret().to_owned()
}

struct World {
    tokens: VerifiedTokens,
    signer: Counting,
}

impl World {
    fn holding(read: usize, signed: usize) -> Self {
        Self { tokens: VerifiedTokens::holding(read, signed), signer: Counting::new() }
    }

    fn verify(&self, token: &str, millis: i64) -> Result<Arc<VerifiedToken>, InvalidToken> {
        self.tokens.verify(token, &issuer(), (&self.signer, at(millis)))
    }

    fn sign(&self, millis: i64) -> String {
        let unsigned = issued(&client(), TokenRequest::default(), at(millis));
        let key = (&OneKey::id(), Algorithm::Es256);
        let token = self.tokens.sign(&unsigned, key, &self.signer).now_or_never().unwrap();
        token.unwrap().expose_secret().to_owned()
    }
}

#[test]
fn a_signature_is_checked_once_and_the_token_reads_as_before() {
    let world = World::holding(8, 8);
    let first = world.verify(&token(ISSUED), ISSUED).unwrap();
    for _ in 0..10 {
        assert_eq!(world.verify(&token(ISSUED), ISSUED), Ok(Arc::clone(&first)));
    }
    assert_eq!(world.signer.checked(), 1);
    assert_eq!(*first, jws::verify(&token(ISSUED), &issuer(), &OneKey).unwrap());
}

#[test]
fn what_was_signed_here_is_not_checked_here() {
    let world = World::holding(8, 8);
    let token = world.sign(ISSUED);
    let read = world.verify(&token, ISSUED).unwrap();
    assert_eq!(world.signer.checked(), 0);
    assert_eq!(*read, jws::verify(&token, &issuer(), &OneKey).unwrap());
}

#[test]
fn jv_09_a_token_of_which_one_character_differs_is_another() {
    let world = World::holding(8, 1_000);
    let good = world.sign(ISSUED);
    world.verify(&good, ISSUED).unwrap();
    for at in 0..good.len() {
        let mut bent = good.clone().into_bytes();
        bent[at] = if bent[at] == b'A' { b'B' } else { b'A' };
        let bent = String::from_utf8(bent).unwrap();
        assert!(world.verify(&bent, ISSUED).is_err(), "{at}");
    }
    for bent in
        [good.to_uppercase(), format!("{good} "), format!("{good}="), good.replacen("ey", "", 1)]
    {
        assert!(world.verify(&bent, ISSUED).is_err(), "{bent}");
    }
    assert_eq!(world.tokens.sizes(), (1, 1), "what does not hold takes no place");
}

#[test]
fn nothing_is_remembered_past_the_end_of_a_token() {
    let world = World::holding(8, 8);
    let token = world.sign(ISSUED);
    assert!(world.verify(&token, END - 1).is_ok());
    assert_eq!((world.signer.checked(), world.tokens.sizes()), (0, (1, 1)));
    for times in 1..4 {
        let read = world.verify(&token, END).unwrap();
        assert_eq!((world.signer.checked(), world.tokens.sizes()), (times, (0, 0)));
        let facts = Facts {
            standing: client().standing,
            revoked: false,
            key_ended: false,
            grantable: client().grantable,
        };
        assert_eq!(judge(&read, &facts, at(END)), Err(Dead::Expired));
    }
}

#[test]
fn a_token_that_was_never_read_is_forgotten_at_its_end_too() {
    let world = World::holding(8, 8);
    let token = world.sign(ISSUED);
    assert!(world.verify(&token, END).is_ok());
    assert_eq!((world.signer.checked(), world.tokens.sizes()), (1, (0, 0)));
}

#[test]
fn jr_04_a_key_that_is_given_up_ends_what_is_remembered_at_once() {
    let world = World::holding(8, 8);
    let (read, only_signed) = (world.sign(ISSUED), world.sign(ISSUED + 1_000));
    world.verify(&read, ISSUED).unwrap();
    world.signer.give_up();
    for token in [&read, &only_signed] {
        assert_eq!(world.verify(token, ISSUED), Err(InvalidToken::UnknownKey));
    }
    // A key is what its id is the hash of, so that its signatures hold again if it is back.
    world.signer.take_back();
    assert!(world.verify(&read, ISSUED).is_ok() && world.verify(&only_signed, ISSUED).is_ok());
}

#[test]
fn another_issuer_is_not_told_what_is_remembered() {
    let world = World::holding(8, 8);
    let (read, only_signed) = (world.sign(ISSUED), world.sign(ISSUED + 1_000));
    world.verify(&read, ISSUED).unwrap();
    let other: Issuer = "https://other.example.com".parse().unwrap();
    for token in [&read, &only_signed] {
        let told = world.tokens.verify(token, &other, (&world.signer, at(ISSUED)));
        assert_eq!(told, Err(InvalidToken::Issuer));
    }
}

#[test]
fn ds_09_any_number_of_tokens_leave_no_more_than_the_bound() {
    let world = World::holding(4, 16);
    let tokens: Vec<_> = (0..1_000).map(|second| token(ISSUED + second * 100)).collect();
    for token in &tokens {
        world.verify(token, ISSUED).unwrap();
        let (read, signed) = world.tokens.sizes();
        assert!(read <= 4 && signed <= 32, "{read} {signed}");
    }
    assert_eq!(world.signer.checked(), 1_000);
    for token in tokens.iter().rev().take(16) {
        world.verify(token, ISSUED).unwrap();
    }
    assert_eq!(world.signer.checked(), 1_000, "the last ones are remembered");
    world.verify(&tokens[0], ISSUED).unwrap();
    assert_eq!(world.signer.checked(), 1_001);
}

#[test]
fn what_is_used_stays_while_others_come_and_go() {
    let world = World::holding(4, 16);
    let used = token(ISSUED);
    for second in 1..1_000 {
        world.verify(&used, ISSUED).unwrap();
        world.verify(&token(ISSUED + second * 100), ISSUED).unwrap();
    }
    assert_eq!(world.signer.checked(), 1_000);
}

#[test]
fn ds_09_garbage_takes_no_place_and_no_long_text_is_hashed() {
    let world = World::holding(8, 8);
    let long = "a".repeat(MAX_LENGTH + 1);
    for garbage in ["", ".", "..", "a.b.c", &long] {
        assert_eq!(world.verify(garbage, ISSUED), Err(InvalidToken::Malformed));
    }
    assert_eq!(world.tokens.sizes(), (0, 0));
}

#[test]
fn ds_09_a_long_token_is_read_each_time_and_its_signature_is_checked_once() {
    let world = World::holding(8, 8);
    let lengths = [1, 4].map(|resources| {
        let resource = |name| format!("https://{name}.example.com/{}", "a".repeat(400));
        let resources = (0..resources).map(|name| resource(name).parse().unwrap()).collect();
        let request = TokenRequest { resources, ..TokenRequest::default() };
        let unsigned = issued(&client(), request, at(ISSUED));
        let token = signed(&unsigned).expose_secret().to_owned();
        let first = world.verify(&token, ISSUED).unwrap();
        assert_eq!(world.verify(&token, ISSUED), Ok(first));
        token.len()
    });
    assert!(lengths[0] <= SHORT && SHORT < lengths[1], "{lengths:?}");
    assert_eq!((world.signer.checked(), world.tokens.sizes()), (2, (1, 2)));
}

#[test]
fn nothing_of_a_token_is_shown() {
    let world = World::holding(8, 8);
    world.sign(ISSUED);
    assert_eq!(format!("{:?}", world.tokens), "VerifiedTokens { read: 0, signed: 1 }");
}

/// Something that happens to one of a few tokens.
#[derive(Debug, Clone, Copy)]
enum Step {
    Sign(i64),
    Verify(i64),
    Bend(i64),
    Wait(i64),
    GiveUp,
    TakeBack,
}

fn step() -> impl Strategy<Value = Step> {
    let which = 0..6_i64;
    prop_oneof![
        which.clone().prop_map(Step::Sign),
        which.clone().prop_map(Step::Verify),
        which.clone().prop_map(Step::Verify),
        which.prop_map(Step::Bend),
        (1..400_i64).prop_map(Step::Wait),
        Just(Step::GiveUp),
        Just(Step::TakeBack),
    ]
}

proptest! {
    #[test]
    fn whatever_happened_before_it_says_what_a_check_says(
        steps in proptest::collection::vec(step(), 1..60)
    ) {
        let (world, mut now) = (World::holding(2, 2), ISSUED);
        for step in steps {
            match step {
                Step::Sign(which) => drop(world.sign(ISSUED + which * 100_000)),
                Step::Verify(which) => {
                    let token = token(ISSUED + which * 100_000);
                    let plain = jws::verify(&token, &issuer(), &world.signer).map(Arc::new);
                    prop_assert_eq!(world.verify(&token, now), plain);
                }
                Step::Bend(which) => {
                    let bent = format!("{}A", token(ISSUED + which * 100_000));
                    prop_assert!(world.verify(&bent, now).is_err());
                }
                Step::Wait(seconds) => now += seconds * 1_000,
                Step::GiveUp => world.signer.give_up(),
                Step::TakeBack => world.signer.take_back(),
            }
        }
    }
}
