//! How long to test: a short form for every run of the tests, a long one by `cargo xtask faults`.

use std::time::Duration;

/// The short form's rounds of Redis.
const REDIS: u64 = 1;

/// How often one of two replicas is killed.
pub(crate) fn of_replicas() -> u64 {
    told("IDP_FAULTS_REPLICA_ROUNDS", 4)
}

/// How often PostgreSQL is killed.
pub(crate) fn of_postgres() -> u64 {
    told("IDP_FAULTS_POSTGRES_ROUNDS", 2)
}

/// How often Redis is killed, emptied and frozen.
pub(crate) fn of_redis() -> u64 {
    told("IDP_FAULTS_REDIS_ROUNDS", REDIS)
}

/// Whether time is no matter.
pub(crate) fn are_many() -> bool {
    of_redis() > REDIS
}

/// How long what is promised may take here: as long as promised where it is measured by itself, and
/// twice as long where other tests and compilers run beside.
pub(crate) fn allowed(promised: Duration) -> Duration {
    if are_many() { promised } else { 2 * promised }
}

/// For how many seconds PostgreSQL stands still.
pub(crate) fn freeze_seconds() -> u64 {
    told("IDP_FAULTS_FREEZE_SECONDS", 4)
}

/// How often each way to end something is measured.
pub(crate) fn of_sight() -> u64 {
    told("IDP_FAULTS_SIGHT_ROUNDS", 3)
}

/// How often the replica that keeps the log is killed.
pub(crate) fn of_sequencer() -> u64 {
    told("IDP_FAULTS_SEQUENCER_ROUNDS", 5)
}

/// How often it is frozen.
pub(crate) fn of_woken() -> u64 {
    (of_sequencer() / 2).max(2)
}

/// How often one assertion is used by many at the same time.
pub(crate) fn of_assertions() -> u64 {
    told("IDP_FAULTS_ASSERTION_ROUNDS", 5)
}

/// How many tokens are issued while checkpoints are timed.
pub(crate) fn of_tokens() -> u64 {
    told("IDP_FAULTS_TOKENS", 1_500)
}

#[expect(clippy::disallowed_methods, reason = "how long to test is the tester's choice")]
fn told(variable: &str, otherwise: u64) -> u64 {
    std::env::var(variable).map_or(otherwise, |rounds| rounds.parse().unwrap())
}
