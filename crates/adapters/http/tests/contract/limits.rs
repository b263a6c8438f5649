//! Limits: of a client by its plan, and of an address for whatever does not authenticate.

use std::time::Duration;

use audit::Action;

use crate::kit::{Answer, Client, Server, Settings, call::Call};

const FORM: &str = "application/x-www-form-urlencoded";
const MINUTE: Duration = Duration::from_secs(60);

async fn list(server: &Server, token: &str) -> Answer {
    server.get("/api/v1/agents").token(token).send().await
}

async fn limited(per_client: u64) -> Server {
    Server::with(Settings { per_client, per_other_client: per_client, ..Settings::default() }).await
}

#[tokio::test]
async fn a_client_over_its_rate_waits_and_nobody_else_does() {
    let server = limited(20).await;
    let second = server.client(&["operator"]).await;
    let seconds = server.token_of(&second, "agents:read").await;
    server.clock.advance(MINUTE);
    let token = server.token("agents:read").await;
    for left in (0..19).rev() {
        let answer = list(&server, &token).await.expect(200);
        assert_eq!(answer.number("x-ratelimit-limit"), 20);
        assert_eq!(answer.number("x-ratelimit-remaining"), left);
    }
    let calls = [server.get("/api/v1/agents").token(&token), server.get("/nowhere").token(&token)];
    for (call, expected) in calls.into_iter().zip([429, 404]) {
        let (answer, events) = server.events_of_doing(call.send()).await;
        assert_eq!((answer.status, events.len()), (expected, 0));
    }
    let refused = list(&server, &token).await;
    assert_eq!(refused.refusal(), (429, "RATE_LIMIT_EXCEEDED"));
    assert_eq!(refused.number("x-ratelimit-remaining"), 0);
    let wait = refused.number("retry-after");
    assert!((1..=60).contains(&wait), "{wait}");
    // The token endpoint counts the same requests, and says so in its own words.
    let refused = server.ask(&server.admin, &[]).await;
    assert_eq!(refused.refusal(), (429, "temporarily_unavailable"));
    assert!((1..=60).contains(&refused.number("retry-after")));

    list(&server, &seconds).await.expect(200);
    server.ask(&second, &[]).await.expect(200);
    let elsewhere = server.token_of(&server.other_admin, "agents:read").await;
    list(&server, &elsewhere).await.expect(200);

    server.clock.advance(Duration::from_secs(u64::try_from(wait).unwrap()));
    assert_eq!(list(&server, &token).await.expect(200).number("x-ratelimit-remaining"), 19);
}

/// The number behind a parameter of a structured field.
fn parameter(field: &str, name: &str) -> i64 {
    let mut parameters = field.split(';').skip(1).filter_map(|one| one.split_once('='));
    parameters.find(|(given, _)| *given == name).unwrap().1.parse().unwrap()
}

#[tokio::test]
async fn the_structured_fields_say_what_the_older_ones_say_and_retry_after_wins() {
    let server = limited(6).await;
    let token = server.token("agents:read").await;
    let unknown = "/api/v1/agents/01a1fd23-1fe0-7a10-9b21-4c5d6e7f8091";
    let form = [("token", token.as_str())];
    let answers = [
        list(&server, &token).await.expect(200),
        server.get(unknown).token(&token).send().await.expect(403),
        server.post("/api/v1/agents").token(&token).json(&serde_json::json!({})).send().await,
        server.post("/api/v1/token/introspect").token(&token).form(&form).send().await.expect(403),
        server.ask(&server.admin, &[("scope", "a:b")]).await.expect(400),
        list(&server, &token).await.expect(429),
        server.ask(&server.admin, &[]).await.expect(429),
        server.get("/api/v1/agents").send().await.expect(401),
        server.post("/api/v1/token").untyped("x").send().await.expect(415),
    ];
    for answer in answers {
        let (policy, limit) = (answer.header("ratelimit-policy"), answer.header("ratelimit"));
        let (policy, limit) = (policy.unwrap(), limit.unwrap());
        assert!(policy.starts_with("\"default\";") && limit.starts_with("\"default\";"));
        assert_eq!(parameter(policy, "q"), answer.number("x-ratelimit-limit"));
        assert_eq!(parameter(policy, "w"), 60);
        assert_eq!(parameter(limit, "r"), answer.number("x-ratelimit-remaining"));
        let window = parameter(limit, "t");
        assert!((0..=60).contains(&window), "{limit}");
        if answer.status == 429 {
            assert!(window <= answer.number("retry-after"), "{limit}");
            assert!(window > 0, "{limit}");
        }
    }
}

#[tokio::test]
async fn each_organization_has_the_rate_of_its_plan() {
    let settings = Settings { per_client: 7, per_other_client: 3, ..Settings::default() };
    let server = Server::with(settings).await;
    for (client, limit) in [(&server.admin, 7), (&server.other_admin, 3)] {
        for left in (0..limit).rev() {
            let answer = server.ask(client, &[]).await.expect(200);
            let shown =
                (answer.number("x-ratelimit-limit"), answer.number("x-ratelimit-remaining"));
            assert_eq!(shown, (limit, left));
        }
        server.ask(client, &[]).await.expect(429);
    }
}

#[tokio::test]
async fn rl_04_failures_in_a_clients_name_do_not_keep_it_out_wherever_it_calls_from() {
    let settings = Settings { per_client: 50, per_address: 40, ..Settings::default() };
    let server = Server::with(settings).await;
    let victim = server.client(&[]).await;
    let attack = Client { secret: server.other_admin.secret.clone(), ..victim.clone() };
    let fail = || async {
        let call = server.post("/api/v1/token").basic(&attack.id, &attack.secret);
        let form = [("grant_type", "client_credentials")];
        call.form(&form).from("203.0.113.7").send().await.status
    };
    let mut statuses = Vec::new();
    let before = server.events().await.len();
    for _ in 0..2_000 {
        statuses.push(fail().await);
    }
    let failures = statuses.iter().filter(|status| **status == 401).count();
    assert_eq!((failures, statuses.len()), (40, 2_000));
    assert!(statuses.iter().skip(40).all(|status| *status == 429));
    let events = server.events().await.split_off(before);
    assert_eq!(events.len(), 40);
    assert!(events.iter().all(|event| event.action == Action::AuthFailed));

    for peer in ["192.0.2.1", "203.0.113.7"] {
        let call = server.post("/api/v1/token").basic(&victim.id, &victim.secret).from(peer);
        let answer = call.form(&[("grant_type", "client_credentials")]).send().await.expect(200);
        let token = answer.text("access_token");
        let own = format!("/api/v1/agents/{}", victim.id);
        server.get(own).token(&token).from(peer).send().await.expect(200);
    }
}

/// A kind of request that nobody authenticates for, and what it gets.
type Kind<'a> = (&'static str, Box<dyn Fn() -> Call<'a> + 'a>, u16);

#[tokio::test]
async fn whatever_does_not_authenticate_counts_against_its_address() {
    let settings = Settings { per_address: 5, ..Settings::default() };
    let server = Server::with(settings).await;
    let form = [("grant_type", "client_credentials")];
    let jwks = "/.well-known/jwks.json";
    let token = || server.post("/api/v1/token");
    let kinds: Vec<Kind<'_>> = vec![
        ("no token", Box::new(|| server.get("/api/v1/agents")), 401),
        ("a bad token", Box::new(|| server.get("/api/v1/agents").token("bad")), 401),
        ("no client", Box::new(|| token().form(&form)), 401),
        ("no form", Box::new(|| token().untyped("x")), 415),
        ("a parameter twice", Box::new(|| token().form(&[("a", "1"), ("a", "2")])), 400),
        ("too much", Box::new(|| token().bytes(FORM, "x".repeat(16_385))), 413),
        ("keys", Box::new(|| server.get(jwks)), 200),
        ("documents", Box::new(|| server.get("/api-docs")), 200),
    ];
    for (at, (what, call, status)) in kinds.iter().enumerate() {
        let peer = format!("203.0.113.{at}");
        for _ in 0..5 {
            call().from(&peer).send().await.expect(*status);
        }
        let before = server.events().await.len();
        let refused = call().from(&peer).send().await.expect(429);
        assert!((1..=60).contains(&refused.number("retry-after")), "{what}");
        assert_eq!(refused.number("x-ratelimit-limit"), 5, "{what}");
        assert_eq!(server.events().await.len(), before, "{what}");
        call().from("198.51.100.1").send().await.expect(*status);
        server.clock.advance(MINUTE);
        call().from(&peer).send().await.expect(*status);
    }
}

#[tokio::test]
async fn rl_06_no_header_changes_whose_request_it_is() {
    let settings = Settings { per_address: 5, ..Settings::default() };
    let server = Server::with(settings).await;
    let headers =
        ["x-forwarded-for", "forwarded", "x-real-ip", "cf-connecting-ip", "true-client-ip", "via"];
    let mut statuses = Vec::new();
    for round in 0..3 {
        for name in headers {
            let spoofed = format!("198.51.100.{round}");
            let call = server.get("/api/v1/agents").header(name, &spoofed).from("203.0.113.9");
            statuses.push(call.send().await.status);
        }
    }
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5);
    let seen = server.events().await;
    let addresses = seen.iter().filter(|event| event.action == Action::AuthFailed);
    assert!(addresses.clone().all(|event| event.origin.address == "203.0.113.9".parse().ok()));
    assert_eq!(addresses.count(), 5);
}

#[tokio::test]
async fn probes_are_never_limited() {
    let settings = Settings { per_address: 1, per_client: 1, ..Settings::default() };
    let server = Server::with(settings).await;
    for _ in 0..20 {
        for path in ["/health", "/health/detailed", "/health/ready"] {
            let answer = server.get(path).send().await.expect(200);
            assert_eq!(answer.header("x-ratelimit-limit"), None);
            assert_eq!(answer.header("ratelimit"), None);
        }
    }
}
