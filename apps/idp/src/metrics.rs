//! What is counted, and told of: requests, and how the audit logs are doing.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use audit::{delivery::DeliveryFailed, sequence::Breach};
use http_api::{Answered, MetricsText, RequestObserver};
use kernel::{Clock, OrganizationId, StoreError};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use usecases::{Known, log::LogObserver};

use told::{Told, Trouble};

mod told;

/// Seconds: from what a request in memory takes to what no request may.
const LATENCIES: [f64; 11] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5];

/// Seconds: a checkpoint is promised within one.
const DELAYS: [f64; 9] = [0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0, 2.0, 10.0];

/// What the log of the server says of a log that is halted.
const HALTED: &str = "the audit log is halted: nothing is signed until `idp audit acknowledge`";

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
    log_halts: Counter,
    log_failures: Counter,
    logs_halted: Gauge,
    logs_waiting: Gauge,
    deliveries: Family<OutcomeLabels, Counter>,
    witness: Family<OutcomeLabels, Counter>,
    told: Told,
    /// The logs that this process told of as halted, and why.
    told_halts: Mutex<HashMap<OrganizationId, String>>,
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Measured").finish_non_exhaustive()
    }
}

impl Measured {
    /// Nothing counted yet.
    #[must_use]
    pub fn new(known: Arc<Known>, clock: Arc<dyn Clock>) -> Self {
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
            log_halts: Counter::default(),
            log_failures: Counter::default(),
            logs_halted: Gauge::default(),
            logs_waiting: Gauge::default(),
            deliveries: Family::default(),
            witness: Family::default(),
            told: Told::by(clock),
            told_halts: Mutex::default(),
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
            "Logs of all replicas that are halted, at the last look",
            self.logs_halted.clone(),
        );
        registry.register(
            "audit_log_halts",
            "Times that this process halted a log since it must not be signed",
            self.log_halts.clone(),
        );
        registry.register(
            "audit_logs_waiting",
            "Logs of all replicas that wait for places or a checkpoint, at the last look",
            self.logs_waiting.clone(),
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

    /// These logs are halted now, on whichever replica it was found. Tells of those that this process
    /// has not told of.
    pub fn are_halted(&self, halted: Vec<(OrganizationId, String)>) {
        self.logs_halted.set(i64::try_from(halted.len()).unwrap_or(i64::MAX));
        for (organization, reason) in self.halts_to_tell(halted) {
            tracing::error!(%organization, reason, "{HALTED}");
        }
    }

    /// So many logs wait now.
    pub fn are_waiting(&self, logs: usize) {
        self.logs_waiting.set(i64::try_from(logs).unwrap_or(i64::MAX));
    }

    /// Of these, those that are to be told of. One that went on meanwhile is told of anew when it is
    /// halted again.
    fn halts_to_tell(
        &self,
        halted: Vec<(OrganizationId, String)>,
    ) -> Vec<(OrganizationId, String)> {
        let mut told = self.told_halts.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *told, halted.iter().cloned().collect());
        let is_new = |(log, reason): &(OrganizationId, String)| before.get(log) != Some(reason);
        halted.into_iter().filter(is_new).collect()
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
        self.log_halts.inc();
        let mut told = self.told_halts.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(organization, breach.to_string());
        drop(told);
        tracing::error!(%organization, error = breach as &dyn std::error::Error, "{HALTED}");
    }

    fn failed(&self, organization: OrganizationId, error: &StoreError) {
        self.log_failures.inc();
        if self.told.takes(organization, Trouble::from(error)) {
            let error = error as &dyn std::error::Error;
            tracing::warn!(%organization, error, "an audit log could not be worked on");
        }
    }

    fn left(&self) {
        Self::count(&self.deliveries, "left");
    }

    fn stayed(&self, organization: OrganizationId, error: &DeliveryFailed) {
        Self::count(&self.deliveries, "failed");
        if self.told.takes(organization, Trouble::Delivery(error.sink)) {
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
    use contracts::sample::Machine;

    use super::*;

    fn measured() -> (Measured, Machine) {
        let machine = Machine::default();
        (Measured::new(Arc::new(Known::alone()), machine.clock.clone()), machine)
    }

    #[test]
    fn a_log_that_is_halted_is_told_of_once_whoever_halted_it() {
        let (measured, machine) = measured();
        let [ours, other] = [machine.organization_id(), machine.organization_id()];
        measured.halted(ours, &Breach::Checkpoint);
        let ours = (ours, Breach::Checkpoint.to_string());
        let other = (other, "found by another replica".to_owned());
        let both = vec![ours.clone(), other.clone()];
        assert_eq!(measured.halts_to_tell(both.clone()), [other]);
        assert_eq!(measured.halts_to_tell(both), []);
        // It went on, and is halted again.
        assert_eq!(measured.halts_to_tell(vec![]), []);
        assert_eq!(measured.halts_to_tell(vec![ours.clone()]), std::slice::from_ref(&ours));
        let anew = (ours.0, "of something else".to_owned());
        assert_eq!(measured.halts_to_tell(vec![anew.clone()]), [anew]);
    }

    #[test]
    fn how_many_logs_are_halted_and_wait_is_what_the_last_look_found() {
        let (measured, machine) = measured();
        let halted = |logs| (0..logs).map(|_| (machine.organization_id(), "x".to_owned()));
        for logs in [2, 3, 0] {
            measured.are_halted(halted(logs).collect());
            measured.are_waiting(logs + 1);
            let text = measured.text().unwrap();
            assert!(text.contains(&format!("\nagentidp_audit_logs_halted {logs}\n")), "{text}");
            assert!(text.contains(&format!("\nagentidp_audit_logs_waiting {}\n", logs + 1)));
        }
        assert!(measured.text().unwrap().contains("\nagentidp_audit_log_halts_total 0\n"));
    }

    #[test]
    fn what_is_counted_is_read_in_the_text_format() {
        let (measured, _) = measured();
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
