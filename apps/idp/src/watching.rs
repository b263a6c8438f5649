//! Looking at the logs of every replica now and then: which are halted, and how many wait. Whoever
//! halted one told of it once, and may be gone.

use std::{sync::Arc, time::Duration};

use audit::{Logs, sequence::Wanted};
use kernel::StoreError;
use tokio::time::{MissedTickBehavior, interval};

use crate::{compose::Store, metrics::Measured, runtime::Company};

/// How often it is looked.
const LOOK: Duration = Duration::from_secs(30);

/// The most logs that are told of, and counted.
const MOST: u32 = 1_000;

/// Watches the logs beside the requests.
pub fn accompany<S: Store>(company: &mut Company, store: S, measured: Arc<Measured>) {
    company.accompany("watching", move || watch(store.clone(), measured.clone()));
}

/// Looks at once, and then again and again, for ever.
async fn watch<S: Logs>(store: S, measured: Arc<Measured>) {
    let mut now_and_then = interval(LOOK);
    now_and_then.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        now_and_then.tick().await;
        if let Err(error) = look(&store, &measured).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "which audit logs are halted cannot be read");
        }
    }
}

/// # Errors
/// [`StoreError`]
async fn look(store: &impl Logs, measured: &Measured) -> Result<(), StoreError> {
    measured.are_halted(store.halted(MOST).await?);
    let wanted = Wanted { deliveries: false, exports: false, most: MOST };
    measured.are_waiting(store.waiting(wanted).await?.len());
    Ok(())
}
