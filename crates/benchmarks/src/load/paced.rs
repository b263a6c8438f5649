//! Sends requests at a fixed rate, whatever the server does, and takes each one's time from when it was
//! to be sent: whoever waits for a slow answer hides no other's wait (no coordinated omission).
#![expect(
    clippy::disallowed_methods,
    reason = "the rate is kept by the machine's clock, and by waiting for it"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use anyhow::{Context, ensure};
use serde::Serialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime,
    task::JoinSet,
    time::{Instant, sleep_until},
};

use super::connection::{Answer, Head};

/// Requests in flight at most; one more waits for its turn, and its wait counts.
const CONNECTIONS: usize = 256;

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
/// One thread does all of it: many that block would take more of the core than the databases that they
/// share it with. A request leaves when the millisecond is over in which it was due, and its time counts
/// from when it was due.
///
/// # Errors
/// Where an answer is no success: no figure comes of errors.
pub fn measure(url: &str, requests: &[String], rate: f64, seconds: f64) -> anyhow::Result<Latency> {
    ensure!(rate > 0.0 && seconds > 0.0, "a rate and a time are above zero");
    ensure!(!requests.is_empty(), "there is nothing to send");
    let interval = Duration::from_secs_f64(1.0 / rate);
    let count = (Duration::from_secs_f64(seconds).as_nanos() / interval.as_nanos()).try_into()?;
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (requests, next) = (requests.to_vec(), AtomicU32::new(0));
        let began = Instant::now() + LEAD;
        let schedule = Arc::new(Schedule { requests, interval, count, next, began });
        let took = send_all(url, &schedule).await?;
        summary(took, schedule.began.elapsed())
    })
}

/// What is to be sent, and when.
#[derive(Debug)]
struct Schedule {
    requests: Vec<String>,
    interval: Duration,
    count: u32,
    next: AtomicU32,
    began: Instant,
}

impl Schedule {
    /// The next request, and when it is due.
    fn next(&self) -> Option<(&[u8], Instant)> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let at = usize::try_from(number).ok()? % self.requests.len();
        let request = self.requests.get(at).filter(|_| number < self.count)?;
        Some((request.as_bytes(), self.began + self.interval * number))
    }
}

async fn send_all(url: &str, schedule: &Arc<Schedule>) -> anyhow::Result<Vec<Duration>> {
    let address = url.strip_prefix("http://").context("only http can be measured")?;
    let mut connections = JoinSet::new();
    for _ in 0..CONNECTIONS {
        let stream =
            TcpStream::connect(address).await.with_context(|| format!("reaching {url}"))?;
        stream.set_nodelay(true)?;
        connections.spawn(send_some(stream, Arc::clone(schedule)));
    }
    let mut took = Vec::new();
    while let Some(of_one) = connections.join_next().await {
        took.extend(of_one??);
    }
    Ok(took)
}

/// Sends what is due over one connection, one request after the other.
async fn send_some(
    mut stream: TcpStream,
    schedule: Arc<Schedule>,
) -> anyhow::Result<Vec<Duration>> {
    let (mut took, mut buffer) = (Vec::new(), Vec::with_capacity(4_096));
    while let Some((request, due)) = schedule.next() {
        sleep_until(due).await;
        stream.write_all(request).await.context("sending a request")?;
        answer(&mut stream, &mut buffer).await?.success()?;
        took.push(due.elapsed());
    }
    Ok(took)
}

/// Reads one answer. The buffer holds nothing that anybody still wants.
async fn answer(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> anyhow::Result<Answer> {
    buffer.clear();
    let mut head = None;
    loop {
        let more = stream.read_buf(buffer).await.context("reading an answer")?;
        ensure!(more > 0, "the answer broke off");
        head = head.map_or_else(|| Head::of(buffer), |head| Ok(Some(head)))?;
        if let Some(answer) = head.and_then(|head| head.answer(buffer)) {
            return Ok(answer);
        }
    }
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
    fn each_request_is_due_an_interval_after_the_one_before_it_and_none_comes_twice() {
        let (requests, next) = (vec!["a".to_owned(), "b".to_owned()], AtomicU32::new(0));
        let (interval, began) = (Duration::from_millis(5), Instant::now());
        let schedule = Schedule { requests, interval, count: 3, next, began };
        let all: Vec<_> = std::iter::from_fn(|| schedule.next()).collect();
        let due = [0, 5, 10].map(|after| began + Duration::from_millis(after));
        assert_eq!(all, [(&b"a"[..], due[0]), (b"b", due[1]), (b"a", due[2])]);
        assert_eq!(schedule.next(), None);
    }

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
