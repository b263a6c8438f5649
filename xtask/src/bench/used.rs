//! CPU time, of the server and of the stores.

use std::time::Duration;

use super::load::Outcome;
use super::server::Server;
use super::stores::Stores;

/// As much as both have used at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Used {
    server: Duration,
    stores: Option<Duration>,
}

impl Used {
    /// Up to now.
    pub(crate) fn so_far(server: &Server, stores: Option<&Stores>) -> anyhow::Result<Self> {
        let stores = stores.map(Stores::cpu_time).transpose()?;
        Ok(Self { server: server.cpu_time()?, stores })
    }

    /// Microseconds for each request.
    pub(crate) fn for_each_since(
        &self,
        server: &Server,
        stores: Option<&Stores>,
        outcome: &Outcome,
    ) -> anyhow::Result<(f64, Option<f64>)> {
        let now = Self::so_far(server, stores)?;
        let each = |before: Duration, now: Duration| {
            now.saturating_sub(before).as_secs_f64() * 1e6 / outcome.requests()
        };
        let stores = self.stores.zip(now.stores).map(|(before, now)| each(before, now));
        Ok((each(self.server, now.server), stores))
    }
}
