//! Writes the counts of refusals: of those whose minute is over every few seconds, and of all of them
//! at the end, so that a stop in order loses none.

use std::{error::Error, future::Future, sync::Arc, time::Duration};

use kernel::StoreError;
use tokio::time::{interval, timeout};

use crate::{
    compose::{Provider, Store},
    runtime::Company,
};

/// How often it is looked whose minute is over.
const REGULARLY: Duration = Duration::from_secs(5);

/// How long the last counts may take: a store that is away must not hold the end up.
const AT_THE_END: Duration = Duration::from_millis(900);

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

/// Writes all that was counted, once nobody can be refused any more.
pub async fn finish<S: Store>(provider: Arc<Provider<S>>) {
    match timeout(AT_THE_END, provider.note_all_counted()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::error!(error = &error as &dyn Error, "counts of refusals are lost");
        }
        Err(_) => tracing::error!("counts of refusals are lost: the store does not take them"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

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
}
