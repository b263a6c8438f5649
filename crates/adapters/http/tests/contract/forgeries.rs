//! Tokens that are none: `{"active": false}` and nothing more at introspection, 401 as a bearer's.
//!
//! Many of them bear a signature of the server's own key: what is refused there is refused for its
//! form, which an attacker with a hold on any signer could choose.

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use ring::hmac;
use serde_json::{Value, json};
use tokens::{KeyId, Signer};

use crate::kit::{Server, server::ISSUER};

type Rows = Vec<(String, String)>;

/// A good token, taken apart, and the key to sign others with.
struct Forge<'a> {
    server: &'a Server,
    token: String,
    header: Value,
    claims: Value,
    key: KeyId,
}

fn part(token: &str, at: usize) -> &str {
    token.split('.').nth(at).unwrap()
}

fn read(token: &str, at: usize) -> Value {
    serde_json::from_slice(&BASE64URL_NOPAD.decode(part(token, at).as_bytes()).unwrap()).unwrap()
}

fn signed_part(header: &str, claims: &str) -> String {
    let encode = |text: &str| BASE64URL_NOPAD.encode(text.as_bytes());
    format!("{}.{}", encode(header), encode(claims))
}

impl<'a> Forge<'a> {
    async fn of(server: &'a Server) -> Self {
        let token = server.token("tokens:introspect agents:read").await;
        let (header, claims) = (read(&token, 0), read(&token, 1));
        let key = server.signer().active().unwrap().0;
        Self { server, token, header, claims, key }
    }

    /// These very texts, signed by the server's own key.
    async fn sign(&self, header: &str, claims: &str) -> String {
        let input = signed_part(header, claims);
        let signature = self.server.signer().sign(&self.key, input.as_bytes()).await.unwrap();
        format!("{input}.{}", BASE64URL_NOPAD.encode(&signature))
    }

    async fn with_header(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut header = self.header.clone();
        change(&mut header);
        self.sign(&header.to_string(), &self.claims.to_string()).await
    }

    async fn with_claims(&self, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims.clone();
        change(&mut claims);
        self.sign(&self.header.to_string(), &claims.to_string()).await
    }

    async fn check(&self, rows: Rows) {
        let (id, secret) = (&self.server.admin.id, &self.server.admin.secret);
        for (what, token) in rows {
            let call = self.server.post("/api/v1/token/introspect").basic(id, secret);
            let answer = call.form(&[("token", &token)]).send().await.expect(200);
            assert_eq!(answer.body, br#"{"active":false}"#, "{what}");
            if token.bytes().all(|byte| byte.is_ascii_graphic()) {
                let answer = self.server.get("/api/v1/agents").token(&token).send().await;
                assert_eq!(answer.refusal(), (401, "UNAUTHORIZED"), "{what}");
            }
        }
        // What was refused was not refused because everything is.
        let answer = self.server.get("/api/v1/agents").token(&self.token).send().await;
        answer.expect(200);
    }
}

#[tokio::test]
async fn the_forge_itself_makes_good_tokens() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let same = forge.sign(&forge.header.to_string(), &forge.claims.to_string()).await;
    server.get("/api/v1/agents").token(&same).send().await.expect(200);
}

#[tokio::test]
async fn jv_01_a_token_without_an_algorithm_or_with_another_is_none() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let mut rows = Vec::new();
    for alg in [
        json!("none"),
        json!("None"),
        json!("nOnE"),
        json!(""),
        json!(1),
        json!(null),
        json!("es256"),
        json!("ES384"),
        json!("HS256"),
        json!("RS256"),
    ] {
        let token = forge.with_header(|header| header["alg"] = alg.clone()).await;
        let unsigned = format!("{}.{}.", part(&token, 0), part(&token, 1));
        rows.extend([(format!("{alg} signed"), token), (format!("{alg} unsigned"), unsigned)]);
    }
    for name in ["alg", "typ", "kid"] {
        let without = forge.with_header(|header| {
            header.as_object_mut().unwrap().remove(name);
        });
        rows.push((format!("no {name}"), without.await));
    }
    for typ in [
        "JWT",
        "AT+JWT",
        "application/at+jwt",
        "at+jwt ",
        "token-introspection+jwt",
        "client-authentication+jwt",
        "dpop+jwt",
        "",
    ] {
        let token = forge.with_header(|header| header["typ"] = json!(typ)).await;
        rows.push((format!("typ {typ}"), token));
    }
    forge.check(rows).await;
}

#[tokio::test]
async fn jv_02_a_token_signed_with_the_public_key_as_a_secret_is_none() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let jwks = server.get("/.well-known/jwks.json").send().await.expect(200);
    let published = jwks.json["keys"].as_array().unwrap();
    let jwk = published.iter().find(|key| key["kid"] == forge.header["kid"]).unwrap();
    let coordinate =
        |name: &str| BASE64URL_NOPAD.decode(jwk[name].as_str().unwrap().as_bytes()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    // The header of a P-256 key in its DER form (RFC 5480).
    let prefix = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let der = [HEXLOWER.decode(prefix.as_bytes()).unwrap(), point.clone()].concat();
    let lines = data_encoding::BASE64.encode(&der);
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n");
    let mut header = forge.header.clone();
    header["alg"] = json!("HS256");
    let input = signed_part(&header.to_string(), &forge.claims.to_string());
    let secrets = [
        ("PEM", pem.into_bytes()),
        ("DER", der),
        ("the point", point),
        ("x", coordinate("x")),
        ("the JWK", jwk.to_string().into_bytes()),
        ("nothing", Vec::new()),
    ];
    let sign = |secret: &[u8]| {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
        format!("{input}.{}", BASE64URL_NOPAD.encode(tag.as_ref()))
    };
    let rows = secrets.iter().map(|(what, secret)| ((*what).to_owned(), sign(secret))).collect();
    forge.check(rows).await;
}

#[tokio::test]
async fn jv_03_jv_05_a_header_that_asks_for_more_is_not_read() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let mut rows = Vec::new();
    for (name, value) in [
        ("jwk", json!({ "kty": "EC", "crv": "P-256", "x": "a", "y": "b" })),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["MIIB"])),
        ("crit", json!(["exp"])),
        ("crit", json!(["unknown"])),
        ("crit", json!([])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("cty", json!("JWT")),
        ("p2c", json!(2_147_483_648_u32)),
        ("enc", json!("A256GCM")),
    ] {
        let token = forge.with_header(|header| header[name] = value.clone()).await;
        rows.push((format!("{name} {value}"), token));
    }
    forge.check(rows).await;
}

#[tokio::test]
async fn jv_04_a_key_that_is_not_published_verifies_nothing() {
    let server = Server::start().await;
    let other = Server::start().await;
    let forge = Forge::of(&server).await;
    let foreign = Forge::of(&other).await;
    let mut rows = vec![("another installation's token".to_owned(), foreign.token.clone())];
    let url = format!("{ISSUER}/.well-known/jwks.json");
    let long = "k".repeat(5_000);
    for kid in [
        "../../etc/passwd",
        "' OR '1'='1",
        "",
        "\u{0}",
        foreign.key.as_str(),
        url.as_str(),
        long.as_str(),
    ] {
        let token = forge.with_header(|header| header["kid"] = json!(kid)).await;
        rows.push((format!("kid {}", kid.chars().take(40).collect::<String>()), token));
    }
    // TN-14: the foreign key's signature under our key's name.
    let input = signed_part(&forge.header.to_string(), &forge.claims.to_string());
    let signature = other.signer().sign(&foreign.key, input.as_bytes()).await.unwrap();
    let renamed = format!("{input}.{}", BASE64URL_NOPAD.encode(&signature));
    rows.push(("a foreign signature".to_owned(), renamed));
    forge.check(rows).await;
}

#[tokio::test]
async fn jv_08_json_that_two_readers_would_read_differently_is_no_token() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let (header, claims) = (forge.header.to_string(), forge.claims.to_string());
    let with = |text: &str, more: &str| text.replacen('{', &format!("{{{more},"), 1);
    let other = format!(r#""sub":"{}""#, server.other_admin.id);
    let texts = [
        ("sub twice", header.clone(), with(&claims, &other)),
        ("alg twice", with(&header, r#""alg":"none""#), claims.clone()),
        ("a BOM", header.clone(), format!("\u{feff}{claims}")),
        ("a BOM before the header", format!("\u{feff}{header}"), claims.clone()),
        ("trailing bytes", header.clone(), format!("{claims}x")),
        ("a second object", header.clone(), format!("{claims}{claims}")),
        ("trailing bytes in the header", format!("{header}{{}}"), claims.clone()),
        ("no object", header.clone(), "[]".to_owned()),
        ("nothing", header.clone(), String::new()),
        ("depth", header.clone(), with(&claims, &format!("\"a\":{}", "[".repeat(3_000)))),
    ];
    let mut rows = Vec::new();
    for (what, header, claims) in texts {
        rows.push((what.to_owned(), forge.sign(&header, &claims).await));
    }
    forge.check(rows).await;
}

#[tokio::test]
async fn jv_09_jv_10_jv_12_text_that_is_not_the_one_spelling_is_no_token() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let token = &forge.token;
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let raw = BASE64URL_NOPAD.decode(signature.as_bytes()).unwrap();
    let under = |bytes: &[u8]| format!("{signed}.{}", BASE64URL_NOPAD.encode(bytes));
    // 64 bytes leave four bits over in the last character; another one with the same two first.
    let last = signature.chars().last().unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = alphabet.find(last).unwrap();
    let next = alphabet.chars().nth(at + 1).unwrap();
    let bits = format!("{}{next}", token.strip_suffix(last).unwrap());
    let mut der = vec![0x30, 68, 2, 32];
    der.extend_from_slice(raw.get(..32).unwrap());
    der.extend([2, 32]);
    der.extend_from_slice(raw.get(32..).unwrap());
    let mut rows: Rows = vec![
        ("padding".to_owned(), format!("{token}==")),
        ("a space".to_owned(), format!(" {token}")),
        ("the other alphabet".to_owned(), token.replace(['-', '_'], "+")),
        ("trailing bits".to_owned(), bits),
        ("r = s = 0".to_owned(), under(&[0; 64])),
        ("63 bytes".to_owned(), under(raw.get(..63).unwrap())),
        ("65 bytes".to_owned(), under(&[raw.clone(), vec![0]].concat())),
        ("DER".to_owned(), under(&der)),
        ("no signature".to_owned(), format!("{signed}.")),
        ("dots".to_owned(), ".".repeat(10_000)),
        ("five parts".to_owned(), format!("{token}.a.b")),
        ("four parts".to_owned(), format!("{token}.a")),
        ("8 KiB and more".to_owned(), format!("{token}{}", "A".repeat(8_192))),
    ];
    if !token.contains(['-', '_']) {
        rows.retain(|(what, _)| what != "the other alphabet");
    }
    rows.extend(
        (1..token.len())
            .step_by(7)
            .map(|length| (format!("cut to {length}"), token.get(..length).unwrap().to_owned())),
    );
    forge.check(rows).await;
    // A line's end never comes as far as that: no parameter holds one.
    let call = server.post("/api/v1/token/introspect").token(token);
    let answer = call.form(&[("token", &format!("{token}\n"))]).send().await;
    assert_eq!(answer.refusal(), (400, "invalid_request"));
}

#[tokio::test]
async fn claims_that_this_server_would_not_make_are_no_token_whoever_signed_them() {
    let server = Server::start().await;
    let forge = Forge::of(&server).await;
    let neighbour = server.client(&[]).await;
    let iat = forge.claims["iat"].as_i64().unwrap();
    let mut rows = Vec::new();
    for (name, value) in [
        ("iss", json!("https://evil.example")),
        ("iss", json!(format!("{ISSUER}/"))),
        ("iss", json!([ISSUER])),
        ("sub", json!(server.other_admin.id)),
        ("client_id", json!(server.other_admin.id)),
        ("sub", json!("admin")),
        ("organization_id", json!(server.other.to_string())),
        ("credential_id", json!(server.other_admin.credential)),
        ("credential_id", json!(neighbour.credential)),
        ("exp", json!(iat)),
        ("exp", json!("never")),
        ("exp", json!(1e18)),
        ("exp", json!(-1)),
        ("iat", json!(iat + 3_600)),
        ("nbf", json!(iat + 1)),
        ("jti", json!("1")),
        ("scope", json!("agents:read  agents:read")),
        ("scope", json!(["agents:read"])),
        ("aud", json!({})),
        ("admin", json!(true)),
        ("act", json!({ "sub": server.admin.id })),
    ] {
        let token = forge.with_claims(|claims| claims[name] = value.clone()).await;
        rows.push((format!("{name} {value}"), token));
    }
    let both = json!(iat + 3_600);
    let later = forge.with_claims(|claims| {
        claims["iat"] = both.clone();
        claims["nbf"] = both.clone();
        claims["exp"] = json!(iat + 7_200);
    });
    rows.push(("made in an hour".to_owned(), later.await));
    for name in forge.claims.as_object().unwrap().keys() {
        let without = forge.with_claims(|claims| {
            claims.as_object_mut().unwrap().remove(name);
        });
        rows.push((format!("no {name}"), without.await));
    }
    forge.check(rows).await;
}
