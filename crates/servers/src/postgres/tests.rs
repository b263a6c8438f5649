//! What is promised of a private PostgreSQL.

use std::fs;
use std::io::{self, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use handshake::{message, session};

/// Long enough for any answer, and short enough to be told of a hanging test.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server last, since what is declared last is dropped first.
fn started() -> (TempDir, Postgres) {
    let folder = tempfile::tempdir().unwrap();
    let postgres = Postgres::start(folder.path()).unwrap();
    (folder, postgres)
}

fn send(session: &mut TcpStream, sql: &str) {
    let length = u32::try_from(sql.len() + 5).unwrap();
    let parts = [b"Q", &length.to_be_bytes()[..], sql.as_bytes(), b"\0"];
    session.write_all(&parts.concat()).unwrap();
}

/// The rows of one column that answer the query that was sent.
fn receive(session: &mut TcpStream, patience: Duration) -> io::Result<Vec<String>> {
    session.set_read_timeout(Some(patience))?;
    let mut rows = Vec::new();
    loop {
        match message(session)? {
            (b'Z', _) => return Ok(rows),
            (b'E', text) => return Err(io::Error::other(String::from_utf8_lossy(&text))),
            // The number of columns, and the length of the first.
            (b'D', row) => rows.push(String::from_utf8_lossy(&row[6..]).into_owned()),
            _ => {}
        }
    }
}

fn query(session: &mut TcpStream, sql: &str) -> io::Result<Vec<String>> {
    send(session, sql);
    receive(session, PATIENCE)
}

/// The processes of the server, by their ids.
fn processes(postgres: &Postgres) -> Vec<String> {
    let mut session = session(postgres.port()).unwrap();
    // But for that of the question, which ends with it.
    let others = "select pid::text from pg_stat_activity where pid <> pg_backend_pid()";
    let mut ids = query(&mut session, others).unwrap();
    ids.push(postgres.process_id().unwrap().to_string());
    ids
}

fn status(id: &str) -> String {
    fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default()
}

fn runs(id: &str) -> bool {
    status(id).lines().any(|line| line.starts_with("State:") && !line.contains('Z'))
}

fn is_moving(id: &str) -> bool {
    runs(id) && !status(id).contains("(stopped)")
}

fn children(parent: u32) -> Vec<String> {
    let all = fs::read_dir("/proc").unwrap().flatten();
    let names = all.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let line = format!("PPid:\t{parent}");
    names.filter(|name| status(name).lines().any(|it| it == line)).collect()
}

/// Whether the machine keeps the memory that this lock file tells of, not marked to be deleted.
fn is_shared(lock: &str) -> bool {
    let id = lock.lines().nth(6).unwrap().split_whitespace().nth(1).unwrap();
    programs::answer("ipcs", &["-m", "-i", id]).unwrap().contains("mode=0600")
}

#[test]
fn what_was_committed_is_there_after_a_kill_and_a_restart() {
    let (_folder, mut postgres) = started();
    let (url, mut before) = (postgres.url(), session(postgres.port()).unwrap());
    query(&mut before, "create table kept as select 'it is' as word").unwrap();
    query(&mut before, "begin; insert into kept values ('it is not')").unwrap();

    postgres.kill().unwrap();
    assert!(session(postgres.port()).is_err());
    assert!(receive(&mut before, PATIENCE).is_err());
    assert!(matches!(postgres.freeze(), Err(Error::NotRunning { .. })));

    postgres.restart().unwrap();
    assert_eq!(postgres.url(), url);
    let mut after = session(postgres.port()).unwrap();
    assert_eq!(query(&mut after, "select word from kept").unwrap(), ["it is"]);
    assert_eq!(query(&mut after, "show fsync").unwrap(), ["on"]);
}

#[test]
fn a_kill_ends_every_process_of_the_server() {
    let (_folder, mut postgres) = started();
    let _session = session(postgres.port()).unwrap();
    let ids = processes(&postgres);
    assert!(ids.len() > 3 && ids.iter().all(|id| runs(id)), "{ids:?}");
    postgres.kill().unwrap();
    assert_eq!(ids.iter().filter(|id| runs(id)).count(), 0);
}

#[test]
fn a_frozen_server_answers_nothing_until_it_is_thawed() {
    let (_folder, postgres) = started();
    let mut early = session(postgres.port()).unwrap();
    postgres.freeze().unwrap();
    send(&mut early, "select 'late'");
    let nothing = receive(&mut early, Duration::from_millis(100)).unwrap_err().kind();
    assert!(matches!(nothing, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut), "{nothing}");

    postgres.thaw().unwrap();
    assert_eq!(receive(&mut early, PATIENCE).unwrap(), ["late"]);
}

#[test]
fn a_freeze_misses_no_session_that_is_just_being_made() {
    let (_folder, postgres) = started();
    let (port, id) = (postgres.port(), postgres.process_id().unwrap());
    let is_over = AtomicBool::new(false);
    let connect = || {
        // Not for ever, so that a failure below is told.
        for _ in 0..10_000 {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            drop(session(port).unwrap());
        }
    };
    let moving = thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(connect);
        }
        let frozen = || {
            postgres.freeze().unwrap();
            let moving = children(id).into_iter().filter(|id| is_moving(id)).count();
            postgres.thaw().unwrap();
            moving
        };
        let moving: usize = (0..50).map(|_| frozen()).sum();
        is_over.store(true, Ordering::Relaxed);
        moving
    });
    assert_eq!(moving, 0);
}

#[test]
fn one_that_was_stopped_comes_back_with_its_data() {
    let (folder, mut postgres) = started();
    let mut first = session(postgres.port()).unwrap();
    query(&mut first, "create table kept as select 'it is' as word").unwrap();
    postgres.stop().unwrap();
    assert_eq!(postgres.process_id(), None);
    drop(postgres);

    let postgres = Postgres::start(folder.path()).unwrap();
    let mut second = session(postgres.port()).unwrap();
    assert_eq!(query(&mut second, "select word from kept").unwrap(), ["it is"]);
}

#[test]
fn two_servers_are_two() {
    let ((_its_folder, one), (_folder, other)) = (started(), started());
    assert_ne!(one.port(), other.port());
    query(&mut session(one.port()).unwrap(), "create database only_here").unwrap();
    let names = "select datname from pg_database where datname = 'only_here'";
    assert_eq!(query(&mut session(other.port()).unwrap(), names).unwrap(), [""; 0]);
}

#[test]
fn dropping_leaves_no_process_even_of_a_frozen_server() {
    for is_frozen in [false, true] {
        let (_folder, postgres) = started();
        let ids = processes(&postgres);
        if is_frozen {
            postgres.freeze().unwrap();
        }
        drop(postgres);
        assert_eq!(ids.iter().filter(|id| runs(id)).count(), 0, "frozen: {is_frozen}");
    }
}

#[test]
fn dropping_one_that_was_killed_leaves_nothing_shared() {
    let (_folder, mut postgres) = started();
    let lock = fs::read_to_string(postgres.folder().join("data/postmaster.pid")).unwrap();
    postgres.kill().unwrap();
    assert!(is_shared(&lock));
    drop(postgres);
    assert!(!is_shared(&lock));
}

#[test]
fn a_folder_in_use_is_refused_and_its_server_goes_on() {
    let (folder, postgres) = started();
    let error = Postgres::start(folder.path()).unwrap_err().to_string();
    assert!(error.contains("postmaster.pid"), "{error}");
    let mut after = session(postgres.port()).unwrap();
    assert_eq!(query(&mut after, "select 'still here'").unwrap(), ["still here"]);
    let lock = fs::read_to_string(postgres.folder().join("data/postmaster.pid")).unwrap();
    assert!(is_shared(&lock));
}

#[test]
fn a_folder_that_its_user_cannot_reach_is_replaced_by_a_private_one() {
    let outer = tempfile::tempdir().unwrap();
    fs::set_permissions(outer.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let wanted = outer.path().join("inner");
    let postgres = Postgres::start(&wanted).unwrap();
    let folder = postgres.folder().to_owned();
    let is_replaced = folder != fs::canonicalize(&wanted).unwrap();
    assert_eq!(is_replaced, rustix::process::geteuid().is_root());
    drop(postgres);
    assert_eq!(folder.exists(), !is_replaced);
}

#[test]
fn a_server_that_does_not_come_up_tells_the_end_of_its_log() {
    let (_folder, mut postgres) = started();
    postgres.stop().unwrap();
    fs::write(postgres.folder().join("data/postgresql.conf"), "no_such_setting = 1\n").unwrap();
    let error = postgres.restart().unwrap_err().to_string();
    assert!(error.contains("ended at once") && error.contains("no_such_setting"), "{error}");
}
