//! What the process tells of itself.

use std::sync::{Arc, atomic::AtomicBool};

use http_api::{MetricsText, Process};

use super::{Foundations, Store};
use crate::probe::Probe;

impl<S: Store> Foundations<S> {
    /// The process that stands on these. It is not ready any more once it is draining; where there are
    /// metrics, they are served beside the API.
    #[must_use]
    pub fn process(
        &self,
        draining: Arc<AtomicBool>,
        metrics: Option<Arc<dyn MetricsText>>,
    ) -> Process {
        let (clock, cache) = (self.clock.clone(), self.cache.clone());
        let database = Arc::new(self.store.clone());
        let probe = Arc::new(Probe::new(draining, database, cache, clock.clone()));
        Process {
            version: env!("CARGO_PKG_VERSION"),
            started_at: clock.now(),
            clock,
            probe: probe.clone(),
            services: probe,
            metrics,
        }
    }
}
