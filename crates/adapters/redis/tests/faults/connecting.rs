//! A start that fails says what is wrong and what to do, and never the password.

use std::{error::Error, net::TcpListener, sync::Arc, time::Duration};

use contracts::run;
use kernel::Secret;
use local::SystemClock;
use redis_cache::{ConnectError, Courier, Options, RedisCache};

use crate::kit::House;

/// For long, so that a busy machine fails no test.
const PATIENCE: Duration = Duration::from_secs(5);

async fn connect(url: String) -> Result<(RedisCache, Courier), ConnectError> {
    let url = Secret::from(url);
    let options = Options { patience: PATIENCE, ..Options::default() };
    RedisCache::connect(&url, Arc::new(SystemClock::new()), options).await
}

/// The error, once it is sure to hold nothing of the URL.
async fn refused(url: String) -> ConnectError {
    let error = connect(url).await.err().unwrap();
    let mut told = format!("{error} {error:?}");
    let mut cause: &dyn Error = &error;
    while let Some(next) = cause.source() {
        told += &format!(" {next} {next:?}");
        cause = next;
    }
    assert!(!told.contains("canary"), "{told}");
    error
}

/// A port that nobody listens on.
fn nowhere() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn nobody_who_listens_is_not_reachable() {
    run(async {
        let error = refused(format!("redis://:canary@127.0.0.1:{}/", nowhere())).await;
        assert!(matches!(error, ConnectError::NotReachable(_)), "{error:?}");
        let error = refused("redis://:canary@name.invalid/".to_owned()).await;
        assert!(matches!(error, ConnectError::NotReachable(_)), "{error:?}");
    });
}

#[test]
fn a_frozen_redis_is_not_reachable() {
    run(async {
        let house = House::new();
        house.server.freeze().unwrap();
        let error = refused(house.server.url()).await;
        assert!(matches!(error, ConnectError::NotReachable(_)), "{error:?}");
    });
}

#[test]
fn a_password_that_is_wrong_or_missing_is_told_as_such() {
    run(async {
        let house = House::new();
        let _: () = house.command(&["CONFIG", "SET", "requirepass", "right"]).await;
        let at = format!("127.0.0.1:{}", house.server.port());
        for who in ["", ":canary@", "somebody:canary@", "default:canary@"] {
            let error = refused(format!("redis://{who}{at}/")).await;
            assert!(matches!(error, ConnectError::Credentials(_)), "{who}: {error:?}");
        }
        let _known = connect(format!("redis://:right@{at}/")).await.unwrap();
        let _known = connect(format!("redis://default:right@{at}/")).await.unwrap();
    });
}

#[test]
fn a_user_that_may_not_even_be_answered_is_told_as_such() {
    run(async {
        let house = House::new();
        let _: () = house.command(&["ACL", "SETUSER", "poor", "on", ">canary", "-@all"]).await;
        let url = format!("redis://poor:canary@127.0.0.1:{}/", house.server.port());
        let error = refused(url).await;
        assert!(matches!(error, ConnectError::Credentials(_)), "{error:?}");
    });
}

#[test]
fn a_database_that_is_not_there_is_told_as_such() {
    run(async {
        let house = House::new();
        let error = refused(format!("{}99", house.server.url())).await;
        assert!(matches!(error, ConnectError::NotReady(_)), "{error:?}");
    });
}

#[test]
fn nothing_shows_the_url() {
    run(async {
        let house = House::new();
        let _: () = house.command(&["CONFIG", "SET", "requirepass", "canary"]).await;
        let port = house.server.port();
        let (cache, _courier) =
            connect(format!("redis://:canary@127.0.0.1:{port}/")).await.unwrap();
        let shown = format!("{cache:?} {:?} {:?}", cache.limiter(), cache.hints());
        assert!(!shown.contains("canary") && !shown.contains(&port.to_string()), "{shown}");
    });
}
