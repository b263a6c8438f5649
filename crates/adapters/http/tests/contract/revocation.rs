//! Revocation: 200 whatever the token, and an effect only where the caller may have it.

use audit::{Action, Outcome};
use kernel::Secret;
use serde_json::json;
use tenancy::Origin;
use usecases::{authenticate::PresentedToken, tokens::RevokeError};

use crate::kit::{Answer, Client, Server, Settings, call::Call};

const PATH: &str = "/api/v1/token/revoke";

async fn is_active(server: &Server, token: &str) -> bool {
    let caller = server.client(&["operator"]).await;
    let call = server.post("/api/v1/token/introspect").basic(&caller.id, &caller.secret);
    let answer = call.form(&[("token", token)]).send().await.expect(200);
    answer.json["active"].as_bool().unwrap()
}

/// A client's call, and the same client's as a bearer.
async fn callers<'a>(server: &'a Server, client: &Client) -> [Call<'a>; 2] {
    let token = server.ask(client, &[]).await.expect(200).text("access_token");
    let call = || server.post(PATH);
    [call().basic(&client.id, &client.secret), call().token(&token)]
}

fn actions(events: &[audit::EventRecord]) -> Vec<Action> {
    events.iter().map(|event| event.action).collect()
}

fn assert_done(answer: Answer) {
    let answer = answer.expect(200);
    assert!(answer.body.is_empty());
    assert_eq!(answer.header("pragma"), Some("no-cache"));
}

#[tokio::test]
async fn a_token_is_revoked_by_its_own_agent_and_by_whoever_may_and_once() {
    let server = Server::start().await;
    let subject = server.client(&[]).await;
    let operator = server.client(&["operator"]).await;
    for who in [&subject, &operator] {
        for call in callers(&server, who).await {
            let token = server.token_of(&subject, "resume:read").await;
            assert!(is_active(&server, &token).await);
            let (answer, events) =
                server.events_of_doing(call.form(&[("token", &token)]).send()).await;
            assert_done(answer);
            assert_eq!(actions(&events), [Action::TokenRevoked]);
            assert_eq!(events[0].outcome, Outcome::Success);
            assert_eq!(events[0].agent.unwrap().to_string(), who.id);
            assert!(!is_active(&server, &token).await);

            let [again, _] = callers(&server, who).await;
            let (answer, events) =
                server.events_of_doing(again.form(&[("token", &token)]).send()).await;
            assert_done(answer);
            assert!(events.is_empty(), "{events:?}");
        }
    }
}

#[tokio::test]
async fn ir_03_anothers_token_is_200_without_effect_for_clients_and_bearers_alike() {
    let server = Server::start().await;
    let subject = server.client(&[]).await;
    let stranger = server.client(&["auditor"]).await;
    let token = server.token_of(&subject, "resume:read").await;
    for call in callers(&server, &stranger).await {
        let asked = call.form(&[("token", &token)]).send();
        let (answer, events) = server.events_of_doing(asked).await;
        assert_done(answer);
        assert_eq!(actions(&events), [Action::AccessDenied]);
        assert_eq!(events[0].outcome, Outcome::Failure);
        assert!(is_active(&server, &token).await);
    }
    for call in callers(&server, &server.other_admin).await {
        let asked = call.form(&[("token", &token)]).send();
        let (answer, events) = server.events_of_doing(asked).await;
        assert_done(answer);
        assert!(events.is_empty(), "{events:?}");
        assert!(is_active(&server, &token).await);
    }
}

#[tokio::test]
async fn ir_03_an_unknown_token_and_a_wrong_hint_are_200_too() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let expired = server.token_of(&client, "resume:read").await;
    server.clock.advance(std::time::Duration::from_secs(901));
    let good = server.token_of(&client, "resume:read").await;
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", signature.chars().rev().collect::<String>());
    let mut answers = Vec::new();
    for token in ["garbage", "a.b.c", &client.secret, &expired, &forged] {
        for call in callers(&server, &client).await {
            let asked = call.form(&[("token", token)]).send();
            let (answer, events) = server.events_of_doing(asked).await;
            assert!(events.is_empty(), "{token}: {events:?}");
            answers.push(answer.bare());
            assert_done(answer);
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "revocation tells tokens apart");
    assert!(is_active(&server, &good).await);
    let [call, _] = callers(&server, &client).await;
    let form = [("token", good.as_str()), ("token_type_hint", "refresh_token")];
    assert_done(call.form(&form).send().await);
    assert!(!is_active(&server, &good).await);
}

#[tokio::test]
async fn ir_03_no_hint_changes_what_happens_and_none_is_refused() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let other = server.client(&[]).await;
    let long = "x".repeat(4_000);
    for hint in [
        "access_token",
        "refresh_token",
        "id_token",
        "urn:ietf:params:oauth:token-type:jwt",
        "ACCESS_TOKEN",
        "\u{0430}ccess_token",
        "",
        &long,
    ] {
        let [own, others] = [
            server.token_of(&client, "resume:read").await,
            server.token_of(&other, "resume:read").await,
        ];
        for (token, active) in
            [(&own, false), (&own, false), (&others, true), (&"x".to_owned(), false)]
        {
            let [call, _] = callers(&server, &client).await;
            let form = [("token", token.as_str()), ("token_type_hint", hint)];
            assert_done(call.form(&form).send().await);
            assert_eq!(is_active(&server, token).await, active, "{hint}");
        }
    }
}

#[tokio::test]
async fn a_revocation_without_a_token_or_a_caller_is_refused() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let token = server.token_of(&client, "resume:read").await;
    for call in callers(&server, &client).await {
        let answer = call.form(&[("token_type_hint", "access_token")]).send().await;
        assert_eq!(answer.refusal(), (400, "invalid_request"));
    }
    let twice = [("token", token.as_str()), ("token", token.as_str())];
    let [call, _] = callers(&server, &client).await;
    assert_eq!(call.form(&twice).send().await.refusal(), (400, "invalid_request"));
    let nobody = server.post(PATH).form(&[("token", token.as_str())]).send().await;
    assert_eq!(nobody.refusal(), (401, "invalid_client"));
    assert!(is_active(&server, &token).await);
}

#[tokio::test]
async fn ir_04_a_token_that_many_revoke_at_once_is_revoked_once() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let token = server.token_of(&client, "resume:read").await;
    let call = || {
        let call = server.post(PATH).basic(&client.id, &client.secret);
        call.form(&[("token", token.as_str())]).send()
    };
    let asked = futures_util::future::join_all((0..20).map(|_| call()));
    let (answers, events) = server.events_of_doing(asked).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    assert_eq!(actions(&events), [Action::TokenRevoked]);
}

#[tokio::test]
async fn whoever_loses_the_right_to_revoke_after_it_was_let_in_revokes_nothing() {
    let mut kept = None;
    let server = Server::altered(Settings::default(), |ports| {
        kept = Some(ports.clone());
        ports
    })
    .await;
    let ports = kept.unwrap();
    let operator = server.client(&["operator"]).await;
    let victim = server.client(&[]).await;
    let token = server.token_of(&victim, "resume:read").await;
    let token_of_its_own = Secret::from(server.token_of(&operator, "tokens:revoke").await);
    let own = PresentedToken { token: token_of_its_own, proof: None, certificate: None };
    let caller = ports.authenticator.bearer(&own, &Origin::internal()).await.unwrap().caller;

    let admin = server.token("agents:write").await;
    let demoted = server.patch(format!("/api/v1/agents/{}", operator.id));
    demoted.token(&admin).json(&json!({ "roles": [] })).send().await.expect(200);
    let refused = ports.authorization_server.revoke(&caller, &token).await;
    assert!(matches!(refused, Err(RevokeError::CallerEnded(_))), "{refused:?}");
    assert!(is_active(&server, &token).await);
}
