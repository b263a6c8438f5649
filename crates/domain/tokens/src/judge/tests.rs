//! Every way in which a token can be dead, and issuing against the same facts.

use jose::CertificateThumbprint;
use std::collections::BTreeSet;

use kernel::ExposeSecret;
use proptest::prelude::*;

use super::*;
use crate::{
    Client, Confirmation, Refusal, Resource, TokenPolicy, TokenRequest,
    issue::{IssueError, issue},
    jws::verify,
    policy::Lifetime,
    sample::{Fixed, OneKey, at, client, issued, issuer, signed},
};

const ISSUED: i64 = 1_700_000_000_000;

fn token_of(client: &Client, now: i64) -> VerifiedToken {
    let token = signed(&issued(client, TokenRequest::default(), at(now)));
    verify(token.expose_secret(), &issuer(), &OneKey).unwrap()
}

fn facts() -> Facts {
    let grantable = client().grantable;
    Facts { standing: Standing::GOOD, revoked: false, key_ended: false, grantable }
}

fn good_from(millis: i64) -> Standing {
    Standing::Good { not_before: Some(at(millis)) }
}

#[test]
fn ck_03_a_token_is_good_from_its_second_to_the_one_before_its_end() {
    let token = token_of(&client(), ISSUED);
    assert!(judge(&token, &facts(), at(ISSUED)).is_ok());
    assert!(judge(&token, &facts(), at(ISSUED + 899_999)).is_ok());
    assert_eq!(judge(&token, &facts(), at(ISSUED + 900_000)), Err(Dead::Expired));
}

#[test]
fn ck_03_a_token_of_any_century_ends_at_its_end() {
    // The first seconds past 2038 and 2106, and one whose token ends with the year 9999.
    for seconds in [1_i64 << 31, 1 << 32, 253_402_300_799 - 900] {
        let begin = seconds * 1_000;
        let token = token_of(&client(), begin);
        assert_eq!(token.claims().expires_at, at(begin + 900_000));
        assert!(judge(&token, &facts(), at(begin + 899_999)).is_ok());
        assert_eq!(judge(&token, &facts(), at(begin + 900_000)), Err(Dead::Expired));
    }
}

#[test]
fn ck_01_a_replica_whose_clock_is_a_little_behind_takes_it() {
    let token = token_of(&client(), ISSUED);
    assert!(judge(&token, &facts(), at(ISSUED - 10_000)).is_ok());
    assert_eq!(judge(&token, &facts(), at(ISSUED - 10_001)), Err(Dead::NotYet));
}

#[test]
fn ir_05_whatever_ends_above_a_token_ends_the_token() {
    let token = token_of(&client(), ISSUED);
    let compromised = Facts { key_ended: true, ..facts() };
    assert_eq!(judge(&token_of(&client(), ISSUED), &compromised, at(ISSUED)), Err(Dead::Key));
    let ended = Facts { standing: Standing::Ended, ..facts() };
    assert_eq!(judge(&token, &ended, at(ISSUED)), Err(Dead::Ended));
    let revoked = Facts { revoked: true, ..facts() };
    assert_eq!(judge(&token, &revoked, at(ISSUED)), Err(Dead::Revoked));
    let before = Facts { standing: good_from(ISSUED), ..facts() };
    assert_eq!(judge(&token, &before, at(ISSUED + 1_000)), Err(Dead::BeforeWatermark));
}

#[test]
fn a_token_issued_in_the_very_millisecond_of_the_watermark_is_good() {
    let back = Client { standing: good_from(ISSUED), ..client() };
    let token = token_of(&back, ISSUED);
    let facts = Facts { standing: good_from(ISSUED), ..facts() };
    assert!(judge(&token, &facts, at(ISSUED)).is_ok());
}

#[test]
fn ck_01_who_comes_back_gets_tokens_that_are_good_by_the_slowest_clock_and_the_old_stay_dead() {
    let watermark = kernel::standing::broken(None, at(ISSUED));
    let standing = Standing::Good { not_before: Some(watermark) };
    // Made by a replica whose clock is ahead, just before the break.
    let old = token_of(&client(), ISSUED + 10_000);
    let facts = Facts { standing, ..facts() };
    assert_eq!(judge(&old, &facts, at(ISSUED + 11_000)), Err(Dead::BeforeWatermark));
    let fresh = token_of(&Client { standing, ..client() }, ISSUED);
    assert!(judge(&fresh, &facts, at(ISSUED)).is_ok());
    assert!(judge(&fresh, &facts, at(ISSUED - 10_000)).is_ok());
    // What is made for it to begin with is made for nobody to wait for.
    assert_eq!(fresh.claims().issued_at, at(ISSUED));
}

#[test]
fn te_05_a_token_permits_no_more_than_its_agent_may_ask_for_now() {
    let token = token_of(&client(), ISSUED);
    let narrowed = Facts { grantable: "resume:read".parse().unwrap(), ..facts() };
    let permitted = judge(&token, &narrowed, at(ISSUED)).unwrap();
    assert_eq!(permitted.to_string(), "resume:read");
}

fn try_issue(client: &Client, request: TokenRequest) -> Result<String, Refusal> {
    let registered = request.resources.iter().cloned().collect();
    try_issue_where(&registered, client, request)
}

fn try_issue_where(
    registered: &BTreeSet<Resource>,
    client: &Client,
    request: TokenRequest,
) -> Result<String, Refusal> {
    let policy = TokenPolicy { issuer: issuer(), lifetime: Lifetime::default() };
    match issue(request, client, registered, &policy, at(ISSUED), &Fixed(7)) {
        Ok(token) => Ok(format!("{} for {:?}", token.claims().scope, token.claims().audience)),
        Err(IssueError::Refused(refusal)) => Err(refusal),
        Err(IssueError::Entropy(error)) => panic!("{error}"),
    }
}

#[test]
fn te_04_a_scope_is_never_widened_nor_silently_narrowed() {
    let ask = |scope: &str| TokenRequest { scope: scope.parse().ok(), ..TokenRequest::default() };
    let own = r#"resume:read for ["https://idp.example.com"]"#;
    assert_eq!(try_issue(&client(), ask("resume:read")).as_deref(), Ok(own));
    assert_eq!(try_issue(&client(), ask("resume:read audit:read")), Err(Refusal::Scope));
    assert_eq!(try_issue(&client(), ask("resume:*")), Err(Refusal::Scope));
}

#[test]
fn te_06_the_audience_is_what_was_asked_for_within_bounds() {
    let resource = |text: String| -> Resource { text.parse().unwrap() };
    let of = |n: usize| (0..n).map(|i| resource(format!("https://api{i}.example"))).collect();
    let ask = |resources| TokenRequest {
        scope: "resume:read".parse().ok(),
        resources,
        ..TokenRequest::default()
    };
    let two = r#"resume:read for ["https://api0.example", "https://api1.example"]"#;
    assert_eq!(try_issue(&client(), ask(of(2))).as_deref(), Ok(two));
    assert_eq!(try_issue(&client(), ask(of(8))).map(|_| ()), Ok(()));
    assert_eq!(try_issue(&client(), ask(of(9))), Err(Refusal::Target));
}

#[test]
fn te_06_a_token_is_for_nothing_that_nobody_answers_to() {
    let registered = BTreeSet::from(["https://api.example".parse().unwrap()]);
    let issue_for = |resources: &[&str]| {
        let resources = resources.iter().map(|one| one.parse().unwrap()).collect();
        let scope = "resume:read".parse().ok();
        let request = TokenRequest { scope, resources, ..TokenRequest::default() };
        try_issue_where(&registered, &client(), request)
    };
    let both = r#"resume:read for ["https://api.example", "https://idp.example.com"]"#;
    let asked = ["https://idp.example.com", "https://api.example", "https://api.example"];
    assert_eq!(issue_for(&asked).as_deref(), Ok(both));
    assert!(issue_for(&[]).is_ok());
    for unknown in ["https://evil.example", "https://api.example/", "https://idp.example.com/"] {
        assert_eq!(issue_for(&[unknown]), Err(Refusal::Target), "{unknown}");
        let beside = issue_for(&["https://api.example", unknown]);
        assert_eq!(beside, Err(Refusal::Target), "{unknown}");
    }
}

#[test]
fn te_06_only_what_is_not_the_issuer_has_to_be_found() {
    let found = |resources: &[&'static str]| {
        let request =
            TokenRequest::parse("client_credentials", None, resources.iter().copied()).unwrap();
        let found = request.resources_to_find(&issuer());
        found.iter().map(|one| one.as_str().to_owned()).collect::<Vec<_>>()
    };
    assert!(found(&[]).is_empty());
    assert!(found(&["https://idp.example.com"]).is_empty());
    assert_eq!(found(&["urn:a", "https://idp.example.com", "urn:a"]), ["urn:a"]);
    assert!(found(&["urn:a"; 9]).is_empty(), "it is refused without a look");
}

#[test]
fn te_03_a_request_is_read_whole_or_refused() {
    let read = |grant, scope, resources: &[&'static str]| {
        TokenRequest::parse(grant, scope, resources.iter().copied()).err()
    };
    assert_eq!(read("client_credentials", Some("a b"), &["https://a.example"]), None);
    assert_eq!(read("password", None, &[]), Some(Refusal::GrantType));
    assert_eq!(read("client_credentials", Some("a  b"), &[]), Some(Refusal::Scope));
    assert_eq!(read("client_credentials", None, &["/a"]), Some(Refusal::Target));
}

#[test]
fn nothing_is_issued_to_a_client_that_is_not_good() {
    let ended = Client { standing: Standing::Ended, ..client() };
    assert_eq!(try_issue(&ended, TokenRequest::default()), Err(Refusal::Client));
}

#[test]
fn a_token_that_others_hold_too_is_not_only_for_the_issuer() {
    let ask = |resources: &[&str]| TokenRequest {
        resources: resources.iter().map(|one| one.parse().unwrap()).collect(),
        ..TokenRequest::default()
    };
    let only =
        |resources| issued(&client(), ask(resources), at(ISSUED)).claims().is_only_for(&issuer());
    assert!(only(&[]));
    assert!(only(&["https://idp.example.com"]));
    assert!(!only(&["https://api.example"]));
    assert!(!only(&["https://api.example", "https://idp.example.com"]));
}

proptest! {
    #[test]
    fn whatever_is_issued_can_be_read_back(
        tokens in 1_usize..65, length in 3_usize..129, resources in 0_usize..9, path in 0_usize..480,
    ) {
        let scope = |at| format!("r:{at:02}{}", "x".repeat(length.saturating_sub(4)));
        let grantable: ScopeSet = (0..tokens).map(|at| scope(at).parse().unwrap()).collect();
        let resources = (0..resources)
            .map(|at| format!("https://a{at}.example/{}", "p".repeat(path)).parse().unwrap())
            .collect();
        let client = Client { grantable, ..client() };
        let policy = TokenPolicy { issuer: issuer(), lifetime: Lifetime::default() };
        let request = TokenRequest { resources, ..TokenRequest::default() };
        let registered = request.resources.iter().cloned().collect();
        match issue(request, &client, &registered, &policy, at(ISSUED), &Fixed(7)) {
            Ok(unsigned) => {
                let token = signed(&unsigned);
                prop_assert!(verify(token.expose_secret(), &issuer(), &OneKey).is_ok());
            }
            Err(error) => {
                prop_assert!(matches!(error, IssueError::Refused(Refusal::TooLong)), "{error}");
            }
        }
    }

    /// The model: a token lives exactly while it is within its time and after the watermark.
    #[test]
    fn watermarks_agree_with_a_naive_model(
        issued_after in 0_i64..2_000, watermark in 0_i64..2_000, probe in 0_i64..2_000,
    ) {
        let token = token_of(&client(), ISSUED + issued_after);
        let facts = Facts { standing: good_from(ISSUED + watermark), ..facts() };
        let good = judge(&token, &facts, at(ISSUED + probe)).is_ok();
        prop_assert_eq!(good, issued_after > watermark);
    }
}

#[test]
fn dp_09_a_client_that_takes_only_bound_tokens_gets_no_other() {
    let careful = Client { dpop_bound: true, ..client() };
    assert_eq!(try_issue(&careful, TokenRequest::default()), Err(Refusal::Proof));
    let by_certificate = Confirmation::Certificate(CertificateThumbprint::of(b"one"));
    let by_key = Confirmation::Key(OneKey::id());
    let ask = |bound_to| TokenRequest { confirmation: Some(bound_to), ..TokenRequest::default() };
    assert_eq!(try_issue(&careful, ask(by_certificate)), Err(Refusal::Proof));
    assert!(try_issue(&careful, ask(by_key)).is_ok());
}
