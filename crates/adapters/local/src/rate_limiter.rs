//! A rate limiter in this process's memory: a window of a minute that slides with each request.
//!
//! # How it counts
//! Two buckets a minute with interpolation guess how the earlier minute's requests lay, and admit
//! nearly twice the limit to a client that asks in bursts around the boundary. Sixty buckets of a
//! second either admit twice the limit (a burst late in one second, another early in the sixtieth
//! after it), or refuse a client that keeps to its limit.
//!
//! Here a bucket holds at most a twentieth of the limit, and leaves the window when its *first*
//! request does. What is counted at any instant is therefore never more than what was admitted
//! within the last sixty seconds, so a client that stays within its limit is never refused; and
//! what is left out is a part of one bucket, so at most a twentieth more than the limit is
//! admitted in any sixty seconds. Below a limit of forty a bucket holds one request, and the count
//! is exact. A key costs at most some forty full buckets and twenty that time closed.

use std::{
    collections::VecDeque,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use hashlink::LinkedHashMap;
use kernel::{StoreError, Timestamp};
use tenancy::{Admission, Rate, RateKey, RateLimiter, StandIn};

/// What a limit is counted over.
const WINDOW: Duration = Duration::from_secs(60);
/// A bucket holds at most this part of the limit, and of the window.
const PART: u32 = 20;
/// How many clients are remembered where nobody says otherwise, at some two hundred bytes each: as
/// many as fill a hash table, and more than a hundred thousand.
const CLIENTS: usize = 114_688;
/// How many addresses are.
const ADDRESSES: usize = 57_344;
/// How many locks each kind of key is spread over.
const SHARDS: usize = 16;
/// How many buckets a key costs at most, whatever it is told to count. Those that it admits itself
/// never are as many.
const BUCKETS: usize = 128;

/// Counts in memory, for one process. It remembers a bounded number of keys; once they are that
/// many, the one whose last request is oldest is forgotten, which is one that has nothing left in
/// its window wherever there is such a one.
#[derive(Debug)]
pub struct LocalRateLimiter {
    hasher: RandomState,
    clients: Shards,
    // Apart from the clients: whoever has a million addresses could otherwise make the limiter
    // forget how often an authenticated client has asked.
    addresses: Shards,
}

impl LocalRateLimiter {
    /// A limiter that remembers 114,688 clients and half as many addresses.
    #[must_use]
    pub fn new() -> Self {
        Self::of(CLIENTS, ADDRESSES)
    }

    /// A limiter that remembers at most this many keys, half of them clients and half addresses;
    /// at least one of each.
    #[must_use]
    pub fn remembering(keys: usize) -> Self {
        let half = keys / 2;
        Self::of(half, keys - half)
    }

    fn of(clients: usize, addresses: usize) -> Self {
        let (clients, addresses) = (Shards::of(clients), Shards::of(addresses));
        Self { hasher: RandomState::new(), clients, addresses }
    }

    /// How many keys are remembered now.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.clients.len() + self.addresses.len()
    }

    /// The part that remembers this key. A lock that somebody panicked under is as good as before:
    /// what it guards is a count.
    fn shard(&self, key: RateKey) -> MutexGuard<'_, Shard> {
        let shards = match key {
            RateKey::Client(..) => &self.clients,
            RateKey::Address(_) | RateKey::Visitor(_) => &self.addresses,
        };
        locked(shards.of_hash(self.hasher.hash_one(key)))
    }
}

impl Default for LocalRateLimiter {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl RateLimiter for LocalRateLimiter {
    async fn admit(
        &self,
        key: RateKey,
        rate: Rate,
        now: Timestamp,
    ) -> Result<Admission, StoreError> {
        Ok(self.shard(key).ask(key, rate, now, Question::MayItGoOn))
    }
}

impl StandIn for LocalRateLimiter {
    fn count(&self, key: RateKey, rate: Rate, now: Timestamp) {
        self.shard(key).ask(key, rate, now, Question::ItWentOn);
    }
}

/// What a window is asked of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Question {
    /// It is counted if it may.
    MayItGoOn,
    /// It is counted.
    ItWentOn,
}

fn locked(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Several locks, so that clients seldom wait for each other. There is at least one.
#[derive(Debug)]
struct Shards {
    last: Mutex<Shard>,
    others: Box<[Mutex<Shard>]>,
}

impl Shards {
    /// Few keys share one lock, or rounding would cost too many of them.
    fn of(keys: usize) -> Self {
        let shards = (keys / 64).clamp(1, SHARDS);
        let shard = || Mutex::new(Shard::remembering((keys / shards).max(1)));
        Self { last: shard(), others: (1..shards).map(|_| shard()).collect() }
    }

    fn of_hash(&self, hash: u64) -> &Mutex<Shard> {
        let shards = u64::try_from(self.others.len()).unwrap_or(u64::MAX).saturating_add(1);
        let index = usize::try_from(hash % shards).unwrap_or(usize::MAX);
        self.others.get(index).unwrap_or(&self.last)
    }

    fn len(&self) -> usize {
        self.others.iter().chain([&self.last]).map(|shard| locked(shard).windows.len()).sum()
    }
}

/// Some of the keys, in the order in which they were last admitted.
#[derive(Debug)]
struct Shard {
    capacity: usize,
    windows: LinkedHashMap<RateKey, Window>,
}

impl Shard {
    fn remembering(capacity: usize) -> Self {
        Self { capacity, windows: LinkedHashMap::new() }
    }

    fn ask(&mut self, key: RateKey, rate: Rate, now: Timestamp, question: Question) -> Admission {
        self.forget_idle(now);
        if let Some(window) = self.windows.get_mut(&key) {
            let admission = window.ask(rate, now, question);
            if admission.admitted {
                self.windows.to_back(&key);
            }
            return admission;
        }
        let mut window = Window::default();
        let admission = window.ask(rate, now, question);
        if admission.admitted {
            self.make_room();
            self.windows.insert(key, window);
        }
        admission
    }

    /// Forgets up to two keys that have nothing left in their window. One is added at most, so that
    /// what an onslaught left behind is gone in time, and no request pays for all of it.
    fn forget_idle(&mut self, now: Timestamp) {
        for _ in 0..2 {
            let is_idle = |window: &Window| window.last.is_none_or(|last| last.plus(WINDOW) <= now);
            if !self.windows.front().is_some_and(|(_, window)| is_idle(window)) {
                return;
            }
            self.windows.pop_front();
        }
    }

    /// The key that was quiet for longest goes: whatever is idle is older than all that is not.
    fn make_room(&mut self) {
        while self.windows.len() >= self.capacity && self.windows.pop_front().is_some() {}
    }
}

/// The requests of one key that were admitted lately.
#[derive(Debug, Default)]
struct Window {
    buckets: VecDeque<Bucket>,
    counted: u64,
    last: Option<Timestamp>,
}

#[derive(Debug)]
struct Bucket {
    first: Timestamp,
    count: u64,
}

impl Window {
    fn ask(&mut self, rate: Rate, now: Timestamp, question: Question) -> Admission {
        // A clock that steps back must not empty the window, nor date requests before those that
        // are counted: time stands still here until it has caught up.
        let now = self.last.map_or(now, |last| last.max(now));
        self.expire(now);
        let admitted = question == Question::ItWentOn || self.counted < rate.per_minute;
        if admitted {
            self.count(rate, now);
        }
        Admission {
            admitted,
            limit: rate.per_minute,
            remaining: rate.per_minute.saturating_sub(self.counted),
            resets_at: self.last.map_or(now, |last| last.plus(WINDOW).max(now)),
        }
    }

    fn expire(&mut self, now: Timestamp) {
        while let Some(oldest) = self.buckets.front() {
            if oldest.first.plus(WINDOW) > now {
                return;
            }
            self.counted = self.counted.saturating_sub(oldest.count);
            self.buckets.pop_front();
        }
    }

    fn count(&mut self, rate: Rate, now: Timestamp) {
        self.counted = self.counted.saturating_add(1);
        self.last = Some(now);
        let most = (rate.per_minute / u64::from(PART)).max(1);
        let full = self.buckets.len() >= BUCKETS;
        match self.buckets.back_mut() {
            Some(newest) if newest.count < most && now < newest.first.plus(WINDOW / PART) => {
                newest.count += 1;
            }
            Some(newest) if full => newest.count += 1,
            newest => {
                // Most keys need one bucket a minute, and the least that a queue takes is four.
                if newest.is_none() {
                    self.buckets.reserve_exact(1);
                }
                self.buckets.push_back(Bucket { first: now, count: 1 });
            }
        }
    }
}

#[cfg(test)]
mod tests;
