//! Starts against servers that are not as configured: each ends with a text that says what to do, and
//! never with a password.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::cluster::{Ground, Plan};
use crate::process::run;

/// A password that must be found nowhere.
const CANARY: &str = "canary-of-a-password";

/// Lets this role in by its password alone, and all others as before.
const HBA: &str = "host all locked 127.0.0.1/32 scram-sha-256\n";

/// What is said by a start with these variables, on top of the usual ones.
#[track_caller]
fn refused(ground: &Ground, variables: &[(&str, &str)]) -> String {
    let said = run(ground.server(0).envs(variables.iter().copied())).refused();
    assert!(!said.contains(CANARY), "{said}");
    said
}

fn closed_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

#[test]
fn a_database_that_cannot_be_used_ends_the_start_with_what_to_do() {
    let ground = Ground::lay(&Plan { replicas: 1, redis: false, ..Plan::default() });
    ground.sql("CREATE ROLE idp_server LOGIN");
    let says = |url: &str, expected: &[&str]| {
        let said = refused(&ground, &[("DATABASE_URL", url)]);
        assert!(expected.iter().all(|it| said.contains(it)), "{url}: {said}");
    };
    let place =
        |user: &str| format!("postgres://{user}:{CANARY}@127.0.0.1:{}/idp", ground.postgres.port());
    says(&place("idp_server"), &["no role `idp_app`", "run `idp migrate`"]);
    ground.sql("DROP ROLE idp_server");
    ground.migrate();
    says(&ground.url_of_login(), &["run `idp bootstrap --organization NAME`"]);
    let closed = format!("postgres://idp_server:{CANARY}@127.0.0.1:{}/idp", closed_port());
    says(&closed, &["127.0.0.1", "DATABASE_URL"]);
    let encrypted = format!("{}?sslmode=require", place("idp_server"));
    says(&encrypted, &["sslmode"]);
    let other = place("idp_server").replace("/idp", "/other");
    says(&other, &["other"]);

    ground.sql("CREATE ROLE locked LOGIN PASSWORD 'another one' IN ROLE idp_app");
    let file = ground.postgres.folder().join("data/pg_hba.conf");
    let rules = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{HBA}{rules}")).unwrap();
    ground.sql("SELECT pg_reload_conf()");
    says(&place("locked"), &["locked", "password"]);
}

#[test]
fn sm_02_production_refuses_a_role_that_could_pass_isolation_and_a_way_that_can_be_listened_to() {
    let ground = Ground::lay(&Plan { replicas: 1, redis: false, ..Plan::default() });
    ground.migrate();
    ground.found();
    let production = |url: &str| {
        let issuer = ("IDP_ISSUER", "https://idp.example.com");
        refused(&ground, &[("IDP_MODE", "production"), issuer, ("DATABASE_URL", url)])
    };
    let said = production(&ground.postgres.url_for("idp"));
    assert!(said.contains("is a superuser") && said.contains("a member of `idp_app`"), "{said}");
    let said = production(&format!("postgres://idp_server:{CANARY}@db.invalid/idp"));
    assert!(said.contains("add `sslmode=verify-full` to DATABASE_URL"), "{said}");
}

#[test]
fn a_redis_that_cannot_be_used_ends_the_start_with_what_to_do() {
    let ground = Ground::lay(&Plan { replicas: 1, ..Plan::default() });
    ground.migrate();
    ground.found();
    let redis = ground.redis.as_ref().unwrap();
    let says = |url: &str, expected: &str| {
        let said = refused(&ground, &[("REDIS_URL", url)]);
        assert!(said.contains("REDIS_URL") && said.contains(expected), "{url}: {said}");
    };
    says(
        &format!("redis://:{CANARY}@127.0.0.1:{}/", closed_port()),
        "start it, or correct the host and port",
    );
    says(&format!("rediss://:{CANARY}@127.0.0.1:{}/", redis.port()), "TLS");
    tell(redis.port(), "CONFIG SET requirepass another");
    says(&format!("redis://:{CANARY}@127.0.0.1:{}/", redis.port()), "password");
    says(&redis.url(), "password");
}

fn tell(port: u16, command: &str) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
    let mut answer = [0; 5];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"+OK\r\n");
}
