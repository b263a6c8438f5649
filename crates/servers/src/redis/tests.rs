//! What is promised of a private Redis.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;

use tempfile::TempDir;

use super::*;
use crate::patience::{LONG, until};
use crate::process::Process;

/// The server last, since what is declared last is dropped first.
fn started() -> (TempDir, Redis) {
    let folder = tempfile::tempdir().unwrap();
    let redis = Redis::start(folder.path()).unwrap();
    (folder, redis)
}

#[test]
fn it_keeps_what_it_is_given_until_it_is_flushed() {
    let (_folder, redis) = started();
    assert_eq!(ask(redis.port(), "SET word it-is").unwrap(), "+OK");
    assert_eq!(ask(redis.port(), "GET word").unwrap(), "it-is");
    redis.flush().unwrap();
    assert_eq!(ask(redis.port(), "GET word").unwrap(), "");
}

#[test]
fn it_comes_back_empty_on_the_same_port_after_a_kill() {
    let (_folder, mut redis) = started();
    let url = redis.url();
    ask(redis.port(), "SET word it-is").unwrap();
    redis.kill().unwrap();
    assert!(redis.flush().is_err());
    redis.restart().unwrap();
    assert_eq!(redis.url(), url);
    assert_eq!(ask(redis.port(), "GET word").unwrap(), "");
}

#[test]
fn a_frozen_one_answers_nothing_until_it_is_thawed() {
    let (_folder, redis) = started();
    redis.freeze().unwrap();
    let (tell, told) = mpsc::channel();
    let port = redis.port();
    thread::spawn(move || tell.send(ask(port, "PING")));
    assert!(told.recv_timeout(Duration::from_millis(100)).is_err());
    redis.thaw().unwrap();
    assert_eq!(told.recv().unwrap().unwrap(), "+PONG");
}

#[test]
fn it_outlives_the_thread_that_started_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_owned();
    let redis = thread::spawn(move || Redis::start(&path).unwrap()).join().unwrap();
    redis.flush().unwrap();
}

#[test]
fn dropping_leaves_nobody_on_the_port_even_of_a_frozen_one() {
    for is_frozen in [false, true] {
        let (_folder, redis) = started();
        let port = redis.port();
        if is_frozen {
            redis.freeze().unwrap();
        }
        drop(redis);
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok(), "frozen: {is_frozen}");
    }
}

#[test]
fn a_port_that_another_took_is_told_and_the_other_never_passes_for_ours() {
    let (_folder, mut redis) = started();
    let port = redis.port();
    redis.kill().unwrap();
    let mut command = redis.memory.command(port).unwrap();
    command.stdout(Stdio::null());
    let other = Process::start(command).unwrap();
    assert!(until(LONG, || ask(port, "PING").is_ok()));

    let error = redis.restart().unwrap_err().to_string();
    assert!(error.contains("ended at once") && error.contains("in use"), "{error}");
    drop(other);
    redis.restart().unwrap();
}
