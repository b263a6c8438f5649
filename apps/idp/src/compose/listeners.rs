//! Who hears of a change in this process before it is acknowledged.

use std::sync::Arc;

use audit::{ChangeListener, Changed};
use tokio::sync::Notify;

/// Several listeners as one.
pub(super) struct Listeners(pub(super) Vec<Arc<dyn ChangeListener>>);

impl ChangeListener for Listeners {
    fn changed(&self, changes: &[Changed]) {
        for listener in &self.0 {
            listener.changed(changes);
        }
    }
}

/// Remembers that something changed, for whoever tells other replicas. No change waits for that.
#[derive(Debug, Default)]
pub struct Announcer(Notify);

impl Announcer {
    /// Waits until something has changed since the last time.
    pub async fn changed(&self) {
        self.0.notified().await;
    }
}

impl ChangeListener for Announcer {
    fn changed(&self, changes: &[Changed]) {
        if !changes.is_empty() {
            self.0.notify_one();
        }
    }
}
