//! What is counted, and told of: requests, and how the audit logs are doing.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use audit::{delivery::DeliveryFailed, sequence::Breach};
use http_api::{Answered, MetricsText, RequestObserver};
use kernel::{OrganizationId, StoreError};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use usecases::{Known, log::LogObserver};

/// Seconds: from what a request in memory takes to what no request may.
const LATENCIES: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Seconds: a checkpoint is promised within one.
const DELAYS: [f64; 9] = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabels {
    outcome: &'static str,
}

/// All metrics of this process.
pub struct Measured {
    registry: Registry,
    known: Arc<Known>,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    tokens_issued: Counter,
    agents_registered: Counter,
    copies: Gauge,
    events_sequenced: Counter,
    checkpoints_signed: Counter,
    checkpoint_delay: Histogram,
    logs_halted: Counter,
    log_failures: Counter,
    deliveries: Family<OutcomeLabels, Counter>,
    witness: Family<OutcomeLabels, Counter>,
    told: AtomicU64,
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured").finish_non_exhaustive()
    }
}

impl Measured {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(known: Arc<Known>) -> Self {
        let latencies: fn() -> Histogram = || Histogram::new(LATENCIES);
        let mut measured = Self {
            registry: Registry::with_prefix("agentidp"),
            known,
            requests: Family::default(),
            durations: Family::new_with_constructor(latencies),
            tokens_issued: Counter::default(),
            agents_registered: Counter::default(),
            copies: Gauge::default(),
            events_sequenced: Counter::default(),
            checkpoints_signed: Counter::default(),
            checkpoint_delay: Histogram::new(DELAYS),
            logs_halted: Counter::default(),
            log_failures: Counter::default(),
            deliveries: Family::default(),
            witness: Family::default(),
            told: AtomicU64::new(0),
        };
        measured.register_requests();
        measured.register_logs();
        measured
    }

    fn register_requests(&mut self) {
        let registry = &mut self.registry;
        registry.register("http_requests", "Requests answered", self.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time until a response began",
            self.durations.clone(),
        );
        registry.register(
            "tokens_issued",
            "Access tokens issued by this process",
            self.tokens_issued.clone(),
        );
        registry.register(
            "agents_registered",
            "Agents registered by this process",
            self.agents_registered.clone(),
        );
        registry.register(
            "cache_entries",
            "Copies of records that callers are weighed by",
            self.copies.clone(),
        );
    }

    fn register_logs(&mut self) {
        let registry = &mut self.registry;
        registry.register(
            "audit_events_sequenced",
            "Events that this process gave their places in a log",
            self.events_sequenced.clone(),
        );
        registry.register(
            "audit_checkpoints_signed",
            "Checkpoints that this process signed",
            self.checkpoints_signed.clone(),
        );
        registry.register(
            "audit_checkpoint_delay_seconds",
            "Time from the writing of the oldest event that is new in a checkpoint to its signature",
            self.checkpoint_delay.clone(),
        );
        registry.register(
            "audit_logs_halted",
            "Times that this process halted a log since it must not be signed",
            self.logs_halted.clone(),
        );
        registry.register(
            "audit_log_failures",
            "Tries to work on a log that failed",
            self.log_failures.clone(),
        );
        registry.register(
            "audit_deliveries",
            "Checkpoints and events on their way out of the store",
            self.deliveries.clone(),
        );
        registry.register(
            "audit_witness_answers",
            "What the witness answered",
            self.witness.clone(),
        );
    }

    /// Whether this trouble is to be logged: the first, the second, the fourth and so on, since what
    /// lasts is tried again several times a second.
    fn is_told(&self) -> bool {
        self.told.fetch_add(1, Ordering::Relaxed).saturating_add(1).is_power_of_two()
    }

    fn count(family: &Family<OutcomeLabels, Counter>, outcome: &'static str) {
        family.get_or_create(&OutcomeLabels { outcome }).inc();
    }
}

impl MetricsText for Measured {
    fn text(&self) -> Option<String> {
        let copies = self.known.tally().entries;
        self.copies.set(i64::try_from(copies).unwrap_or(i64::MAX));
        let mut text = String::new();
        encode(&mut text, &self.registry).ok()?;
        Some(text)
    }
}

impl RequestObserver for Measured {
    fn answered(&self, answered: &Answered<'_>) {
        let (method, status) = (answered.method, answered.status);
        let route = answered.route.to_owned();
        let labels = RequestLabels { method, route: route.clone(), status };
        self.requests.get_or_create(&labels).inc();
        let took = answered.took.as_secs_f64();
        self.durations.get_or_create(&RouteLabels { route }).observe(took);
        match (method, answered.route, status) {
            ("POST", "/api/v1/token", 200) => {
                self.tokens_issued.inc();
            }
            ("POST", "/api/v1/agents", 201) => {
                self.agents_registered.inc();
            }
            _ => {}
        }
    }
}

impl LogObserver for Measured {
    fn sequenced(&self, events: usize) {
        self.events_sequenced.inc_by(u64::try_from(events).unwrap_or(u64::MAX));
    }

    fn signed(&self, delay: Duration) {
        self.checkpoints_signed.inc();
        self.checkpoint_delay.observe(delay.as_secs_f64());
    }

    fn halted(&self, organization: OrganizationId, breach: &Breach) {
        self.logs_halted.inc();
        let error = breach as &dyn std::error::Error;
        tracing::error!(
            %organization,
            error,
            "the audit log is halted: nothing is signed until `idp audit acknowledge`"
        );
    }

    fn failed(&self, organization: OrganizationId, error: &StoreError) {
        self.log_failures.inc();
        if self.is_told() {
            let error = error as &dyn std::error::Error;
            tracing::warn!(%organization, error, "an audit log could not be worked on");
        }
    }

    fn left(&self) {
        Self::count(&self.deliveries, "left");
    }

    fn stayed(&self, organization: OrganizationId, error: &DeliveryFailed) {
        Self::count(&self.deliveries, "failed");
        if self.is_told() {
            let error = error as &dyn std::error::Error;
            tracing::warn!(%organization, error, "an audit log's news have not left");
        }
    }

    fn cosigned(&self, _: OrganizationId) {
        Self::count(&self.witness, "cosigned");
    }

    fn contested(&self, organization: OrganizationId, reason: &str) {
        Self::count(&self.witness, "refused");
        tracing::error!(%organization, reason, "the witness refuses to sign a checkpoint");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_read_in_the_text_format() {
        let measured = Measured::new(Arc::new(Known::alone()));
        let answered = |route, status| {
            let took = Duration::from_millis(3);
            measured.answered(&Answered { method: "POST", route, status, took });
        };
        answered("/api/v1/token", 200);
        answered("/api/v1/token", 401);
        answered("/api/v1/agents", 201);
        measured.sequenced(5);
        measured.signed(Duration::from_millis(300));
        let text = measured.text().unwrap();
        for line in [
            "agentidp_tokens_issued_total 1",
            "agentidp_agents_registered_total 1",
            "agentidp_http_requests_total{method=\"POST\",route=\"/api/v1/token\",status=\"401\"} 1",
            "agentidp_http_request_duration_seconds_count{route=\"/api/v1/token\"} 2",
            "agentidp_audit_events_sequenced_total 5",
            "agentidp_audit_checkpoint_delay_seconds_bucket{le=\"0.4\"} 1",
            "agentidp_audit_checkpoint_delay_seconds_bucket{le=\"0.2\"} 0",
        ] {
            assert!(text.lines().any(|written| written == line), "{line} in\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }
}
