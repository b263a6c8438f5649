//! Writes the counts of refusals: of those whose minute is over every few seconds, and of all of them
//! at the end, so that a stop in order loses none for which there is time.

use std::{error::Error, future::Future, sync::Arc, time::Duration};

use kernel::StoreError;
use tokio::time::{interval, timeout};

use crate::{
    compose::{Provider, Store},
    runtime::Company,
};

/// How often it is looked whose minute is over.
const REGULARLY: Duration = Duration::from_secs(5);

/// How long the last counts may take at most: a store that is away must not hold the end up.
const AT_THE_END: Duration = Duration::from_secs(5);

/// How long they may take however late it is.
const LEAST_AT_THE_END: Duration = Duration::from_millis(900);

/// Writes counts beside the requests.
pub fn accompany<S: Store>(company: &mut Company, provider: &Arc<Provider<S>>) {
    let provider = provider.clone();
    company.accompany("counting", move || {
        let provider = provider.clone();
        async move { again_and_again(|| provider.note_counted()).await }
    });
}

async fn again_and_again<F>(write: impl Fn() -> F)
where
    F: Future<Output = Result<(), StoreError>>,
{
    let (mut regularly, mut failed) = (interval(REGULARLY), false);
    loop {
        regularly.tick().await;
        match write().await {
            Ok(()) => failed = false,
            // Once for an outage: nothing is lost by it.
            Err(error) if !failed => {
                failed = true;
                let error = &error as &dyn Error;
                tracing::error!(error, "counts of refusals cannot be written yet");
            }
            Err(_) => {}
        }
    }
}

/// Writes all that was counted, once nobody can be refused any more, in what is `left` of the time to end.
pub async fn finish<S: Store>(provider: Arc<Provider<S>>, left: Duration) {
    let end = finished(provider.note_all_counted(), left).await;
    let refusals = provider.unwritten_refusals();
    match end {
        End::Written => {}
        End::Failed(error) => {
            let error = &error as &dyn Error;
            tracing::error!(error, refusals, "counts of refusals are lost: the store fails");
        }
        End::OutOfTime => {
            tracing::error!(refusals, "counts of refusals are lost: the time was too short");
        }
    }
}

/// How the last counts ended.
#[derive(Debug)]
enum End {
    Written,
    Failed(StoreError),
    OutOfTime,
}

async fn finished(writing: impl Future<Output = Result<(), StoreError>>, left: Duration) -> End {
    match timeout(left.clamp(LEAST_AT_THE_END, AT_THE_END), writing).await {
        Ok(Ok(())) => End::Written,
        Ok(Err(error)) => End::Failed(error),
        Err(_) => End::OutOfTime,
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicU32, Ordering},
    };

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_away_is_asked_again_every_few_seconds() {
        let asked = AtomicU32::new(0);
        let write = || async {
            asked.fetch_add(1, Ordering::Relaxed);
            Err(StoreError::unavailable("away"))
        };
        let minute = timeout(Duration::from_secs(59), again_and_again(write));
        assert!(minute.await.is_err(), "it ended");
        assert_eq!(asked.load(Ordering::Relaxed), 12);
    }

    #[tokio::test(start_paused = true)]
    #[expect(clippy::disallowed_methods, reason = "it measures how long was waited")]
    async fn a_store_that_hangs_holds_the_end_up_for_no_longer_than_there_is_time() {
        for (left, expected) in [(0, 900), (2_000, 2_000), (60_000, 5_000)] {
            let begun = Instant::now();
            let end = finished(pending(), Duration::from_millis(left)).await;
            assert!(matches!(end, End::OutOfTime), "{end:?}");
            assert_eq!(begun.elapsed(), Duration::from_millis(expected));
        }
    }
}
