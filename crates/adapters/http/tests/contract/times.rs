//! CK-03: times far ahead, and seconds that only some minutes have, wherever a request names a time.

use serde_json::json;

use crate::kit::{Server, Settings};

/// What is read, and how it is told.
const TIMES: [(&str, &str); 5] = [
    ("2038-01-19T03:14:08Z", "2038-01-19T03:14:08.000000Z"),
    ("2106-02-07T06:28:16Z", "2106-02-07T06:28:16.000000Z"),
    ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"),
    ("2099-12-31T23:59:60Z", "2099-12-31T23:59:59.999999Z"),
    ("2100-01-01T00:59:60.5+01:00", "2099-12-31T23:59:59.999999Z"),
];

/// What is no time, or none that can be told.
const NONE: [&str; 5] = [
    "10000-01-01T00:00:00Z",
    "9999-12-31T23:59:59.9-00:01",
    "2099-12-30T23:59:60Z",
    "2099-12-31T12:00:60Z",
    "4102444800",
];

#[tokio::test]
async fn ck_03_a_credential_may_expire_at_any_time_there_is_and_works_until_then() {
    let server = Server::start().await;
    let client = server.client(&[]).await;
    let path = format!("/api/v1/agents/{}/credentials", client.id);
    let token = server.token("credentials:write").await;
    let give = async |time: &str| {
        server.post(&path).token(&token).json(&json!({ "expiresAt": time })).send().await
    };
    for (time, told) in TIMES {
        let made = give(time).await.expect(201);
        assert_eq!(made.json["expiresAt"], told, "{time}");
        let again = format!("{path}/{}/rotate", made.text("credentialId"));
        // Its successor lives as long from now, and never past the last time that there is.
        let next = server.post(&again).token(&token).json(&json!({})).send().await.expect(201);
        assert!(next.text("expiresAt").as_str() >= told, "{time}: {}", next.json);
    }
    for time in NONE {
        assert_eq!(give(time).await.bad_fields(), ["expiresAt"], "{time}");
    }
}

#[tokio::test]
async fn ck_03_a_log_is_filtered_by_any_time_there_is() {
    let server = Server::start().await;
    let token = server.token("audit:read").await;
    let list = async |field: &str, time: &str| {
        let time = time.replace('+', "%2B");
        server.get(format!("/api/v1/audit?{field}={time}")).token(&token).send().await
    };
    for (time, _) in TIMES {
        assert_eq!(list("fromDate", time).await.expect(200).json["total"], 0, "{time}");
        assert_ne!(list("toDate", time).await.expect(200).json["total"], 0, "{time}");
    }
    for field in ["fromDate", "toDate"] {
        for time in NONE {
            assert_eq!(list(field, time).await.bad_fields(), [field], "{time}");
        }
    }
}

/// As on a machine that runs in another century.
#[tokio::test]
async fn ck_03_tokens_and_credentials_work_past_2038_and_2106() {
    for year in ["2038-01-19T03:14:07.9Z", "2106-02-07T06:28:15.9Z", "9998-12-31T23:59:59Z"] {
        let settings = Settings { starts_at: year.parse().unwrap(), ..Settings::default() };
        let server = Server::with(settings).await;
        let client = server.client(&[]).await;
        let token = server.ask(&client, &[]).await.expect(200).text("access_token");
        let (id, secret) = (&server.admin.id, &server.admin.secret);
        let judge = async || {
            let form = [("token", token.as_str())];
            let call = server.post("/api/v1/token/introspect").basic(id, secret).form(&form);
            call.send().await.expect(200).json["active"] == true
        };
        assert!(judge().await, "{year}");
        server.clock.advance(std::time::Duration::from_secs(900));
        assert!(!judge().await, "{year}");
    }
}
