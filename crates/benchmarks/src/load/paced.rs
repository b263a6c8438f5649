//! Sends requests at a fixed rate, whatever the server does, and takes each one's time from when it was
//! to be sent: whoever waits for a slow answer hides no other's wait (no coordinated omission).
#![expect(
    clippy::disallowed_methods,
    reason = "the rate is kept by the machine's clock, and by waiting for it"
)]

use std::{
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use serde::Serialize;

use super::share;

/// Requests in flight at most; one more waits for its turn, and its wait counts.
const THREADS: usize = 256;

/// Before the first request: the connections are opened meanwhile.
const LEAD: Duration = Duration::from_millis(500);

/// How long requests took, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latency {
    /// How many were sent.
    pub requests: usize,
    /// The rate at which they were answered.
    pub rate: f64,
    /// Half took no longer.
    pub p50: f64,
    /// Of a hundred one took longer.
    pub p99: f64,
    /// Of a thousand one took longer.
    pub p999: f64,
    /// None took longer.
    pub max: f64,
}

/// Sends the requests in turns, so many a second for so long.
///
/// # Errors
/// Where an answer is no success: no figure comes of errors.
pub fn measure(url: &str, requests: &[String], rate: f64, seconds: f64) -> anyhow::Result<Latency> {
    ensure!(rate > 0.0 && seconds > 0.0, "a rate and a time are above zero");
    ensure!(!requests.is_empty(), "there is nothing to send");
    let interval = Duration::from_secs_f64(1.0 / rate);
    let count = (Duration::from_secs_f64(seconds).as_nanos() / interval.as_nanos()).try_into()?;
    let took = Mutex::new(Vec::with_capacity(count));
    let began = Instant::now() + LEAD;
    share(url, THREADS, count, |server, number| {
        let request = requests.get(number % requests.len()).context("no request")?;
        let due = began + interval * u32::try_from(number)?;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        server.send(request.as_bytes())?.success()?;
        let latency = Instant::now() - due;
        took.lock().unwrap_or_else(PoisonError::into_inner).push(latency);
        Ok(())
    })?;
    let lasted = began.elapsed();
    summary(took.into_inner().unwrap_or_else(PoisonError::into_inner), lasted)
}

#[expect(clippy::cast_precision_loss, reason = "nobody waits for so many requests")]
fn summary(mut took: Vec<Duration>, lasted: Duration) -> anyhow::Result<Latency> {
    took.sort_unstable();
    let requests = took.len();
    // The least that so many of a thousand did not exceed.
    let percentile = |of_a_thousand: usize| {
        let at = (requests * of_a_thousand).div_ceil(1_000).saturating_sub(1);
        let took = took.get(at).context("nothing was sent")?;
        Ok::<_, anyhow::Error>(took.as_secs_f64() * 1e3)
    };
    Ok(Latency {
        requests,
        rate: requests as f64 / lasted.as_secs_f64(),
        p50: percentile(500)?,
        p99: percentile(990)?,
        p999: percentile(999)?,
        max: percentile(1_000)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_measured() {
        let took = (1..=1_000).rev().map(Duration::from_millis).collect();
        let latency = summary(took, Duration::from_secs(2)).unwrap();
        assert_eq!([latency.p50, latency.p99, latency.p999], [500.0, 990.0, 999.0]);
        assert_eq!([latency.max, latency.rate], [1_000.0, 500.0]);
    }

    #[test]
    fn one_request_is_every_percentile() {
        let latency = summary(vec![Duration::from_millis(7)], Duration::from_secs(1)).unwrap();
        assert_eq!([latency.p50, latency.p999, latency.max], [7.0, 7.0, 7.0]);
        assert!(summary(Vec::new(), Duration::from_secs(1)).is_err());
    }
}
