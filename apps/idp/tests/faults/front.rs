//! The way to the replicas, which knows what is excused: a lost answer where its replica was killed,
//! and a 503 while the database was away. Anything else fails the test.

use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::dice::Dice;
use crate::rounds;
use crate::stopwatch::now;
use crate::support::http::{self, Answer, Request};

/// How soon everything must work again.
pub(crate) fn heals_within() -> Duration {
    rounds::allowed(Duration::from_secs(2))
}

/// How soon each answer must come, whatever is away.
pub(crate) fn answers_within() -> Duration {
    rounds::allowed(Duration::from_secs(3))
}

/// Why nobody knows what became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    /// The replica was killed before it answered.
    Killed,
    /// The replica has hung up on new connections, and this one was never taken: nothing was sent.
    Closed,
    /// It said that the database is away, as that was or might as well have been.
    Away,
}

/// What a request led to, as far as one knows.
pub(crate) type Told<T> = Result<T, Lost>;

/// How a replica stands. An epoch ends when it is killed or told to end.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Standing {
    up: bool,
    /// It was told to end, and must answer what it was sent.
    drains: bool,
    epoch: u64,
}

/// The addresses of all replicas, and what was done to them and to the database.
#[derive(Debug)]
pub(crate) struct Front {
    replicas: Vec<(String, Mutex<Standing>)>,
    database: Mutex<Database>,
    longest: AtomicU64,
    refused: AtomicU64,
}

#[derive(Debug, Default)]
struct Database {
    is_away: bool,
    outages: u64,
    back_at: Option<Instant>,
}

/// Whether a replica gave the database up that was there, since nothing moved on the machine for as
/// long as its patience lasts: other tests and compilers run beside. It is none of the replica's faults,
/// and none where it is measured by itself.
fn stalled(took: Duration) -> bool {
    const PATIENCE: Duration = Duration::from_secs(2);
    !rounds::are_many() && took >= PATIENCE
}

impl Front {
    pub(crate) fn new(addresses: Vec<String>) -> Self {
        Self {
            replicas: addresses.into_iter().map(|address| (address, Mutex::default())).collect(),
            database: Mutex::default(),
            longest: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    pub(crate) fn address(&self, replica: usize) -> &str {
        &self.replicas[replica].0
    }

    /// The replica is there for requests.
    pub(crate) fn opens(&self, replica: usize) {
        let mut standing = self.replicas[replica].1.lock().unwrap();
        *standing = Standing { up: true, drains: false, epoch: standing.epoch };
    }

    /// From now on the replica may not answer.
    pub(crate) fn closes(&self, replica: usize) {
        self.changes(replica, false);
    }

    /// From now on the replica takes no new connection, and answers all that it has taken.
    pub(crate) fn drains(&self, replica: usize) {
        self.changes(replica, true);
    }

    fn changes(&self, replica: usize, drains: bool) {
        let mut standing = self.replicas[replica].1.lock().unwrap();
        *standing = Standing { up: false, drains, epoch: standing.epoch + 1 };
    }

    /// From now on the database may be away.
    pub(crate) fn database_goes(&self) {
        let mut database = self.database.lock().unwrap();
        database.is_away = true;
        database.outages += 1;
    }

    /// The database answers again.
    pub(crate) fn database_is_back(&self) -> Instant {
        let mut database = self.database.lock().unwrap();
        database.is_away = false;
        let at = now();
        database.back_at = Some(at);
        at
    }

    /// Any replica that is there.
    pub(crate) fn any(&self, dice: &mut Dice) -> usize {
        let up = |(at, (_, standing)): (usize, &(String, Mutex<Standing>))| {
            standing.lock().unwrap().up.then_some(at)
        };
        let up: Vec<usize> = self.replicas.iter().enumerate().filter_map(up).collect();
        let count = u64::try_from(up.len()).unwrap();
        up[usize::try_from(dice.within(0..count)).unwrap()]
    }

    /// The longest that an answer took while the database was away.
    pub(crate) fn longest(&self) -> Duration {
        Duration::from_micros(self.longest.load(Ordering::Relaxed))
    }

    /// How many answers were excused 503s.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Sends a request to a replica.
    #[track_caller]
    pub(crate) fn send(&self, replica: usize, request: &Request) -> Told<Answer> {
        let (address, standing) = &self.replicas[replica];
        let before = *standing.lock().unwrap();
        let (outages, begun) = (self.database.lock().unwrap().outages, now());
        match http::send(address, request) {
            Ok(answer) => self.judge(answer, outages, begun),
            Err(error) => {
                let closed = error.kind() == io::ErrorKind::ConnectionRefused;
                let after = *standing.lock().unwrap();
                let stands = before.up && after == before;
                assert!(!stands, "replica {replica} did not answer, and nobody killed it: {error}");
                assert!(closed || !after.drains, "replica {replica} dropped a request: {error}");
                Err(if closed { Lost::Closed } else { Lost::Killed })
            }
        }
    }

    #[track_caller]
    fn judge(&self, answer: Answer, outages: u64, begun: Instant) -> Told<Answer> {
        let took = begun.elapsed();
        let (excused, concerned) = {
            let database = self.database.lock().unwrap();
            let overlaps = database.is_away || database.outages != outages;
            let heals = database.back_at.is_some_and(|back_at| begun < back_at + heals_within());
            (overlaps || heals, overlaps)
        };
        if concerned || excused {
            let micros = u64::try_from(took.as_micros()).unwrap();
            self.longest.fetch_max(micros, Ordering::Relaxed);
        }
        assert_ne!(answer.status, 500, "{}", answer.body);
        if answer.status != 503 {
            return Ok(answer);
        }
        let excused = excused || stalled(took);
        assert!(excused, "503 after {took:?} while the database is there: {}", answer.body);
        assert!(answer.header("retry-after").is_some(), "503 without Retry-After");
        self.refused.fetch_add(1, Ordering::Relaxed);
        Err(Lost::Away)
    }
}
