//! What is to be thought of the services behind the process, by how they answered.

use std::time::Duration;

use serde::Serialize;

/// Beyond this many milliseconds an answer was slow.
const SLOW_MILLISECONDS: u64 = 1_000;

/// A service that the process uses, named as in the answer of `GET /health/detailed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Service {
    /// The store of record.
    Database,
    /// What replicas share to be fast: never the record of anything.
    Cache,
}

/// How a service answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ServiceHealth {
    /// Which one.
    pub service: Service,
    /// How long it took to answer, or to be given up.
    pub latency: Duration,
    /// Whether it answered, and well.
    pub reachable: bool,
    /// Whether its clock and the process's are further apart than either can make up for.
    pub clocks_apart: bool,
}

/// Why a service is worse than its latency tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Reason {
    ClockSkew,
}

/// A judgement. A worse one is greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Health {
    Healthy,
    Degraded,
    Unreachable,
}

impl ServiceHealth {
    /// In whole milliseconds, as it is told: who reads the answer comes to the same judgement.
    pub(crate) fn milliseconds(&self) -> u64 {
        u64::try_from(self.latency.as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn status(&self) -> Health {
        match self.reachable {
            false => Health::Unreachable,
            true if self.clocks_apart => Health::Degraded,
            true if self.milliseconds() > SLOW_MILLISECONDS => Health::Degraded,
            true => Health::Healthy,
        }
    }

    pub(crate) fn reason(&self) -> Option<Reason> {
        (self.reachable && self.clocks_apart).then_some(Reason::ClockSkew)
    }
}

impl Health {
    /// Of all together: as bad as the worst.
    pub(crate) fn of(services: &[ServiceHealth]) -> Self {
        services.iter().map(ServiceHealth::status).max().unwrap_or(Self::Healthy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn answered(micros: u64) -> ServiceHealth {
        let latency = Duration::from_micros(micros);
        ServiceHealth { service: Service::Database, latency, reachable: true, clocks_apart: false }
    }

    const fn gave_up(micros: u64) -> ServiceHealth {
        ServiceHealth { reachable: false, ..answered(micros) }
    }

    #[test]
    fn a_service_is_degraded_from_the_first_millisecond_past_a_second() {
        for (micros, health) in [
            (0, Health::Healthy),
            (1_000_000, Health::Healthy),
            (1_000_999, Health::Healthy),
            (1_001_000, Health::Degraded),
            (60_000_000, Health::Degraded),
        ] {
            assert_eq!(answered(micros).status(), health, "{micros}");
        }
    }

    #[test]
    fn a_service_that_does_not_answer_is_unreachable_however_soon_that_was_known() {
        for micros in [0, 1_000_000, 2_000_000] {
            assert_eq!(gave_up(micros).status(), Health::Unreachable, "{micros}");
        }
    }

    #[test]
    fn ck_04_a_service_whose_clock_is_far_off_is_degraded_however_soon_it_answers() {
        let off = ServiceHealth { clocks_apart: true, ..answered(0) };
        assert_eq!((off.status(), off.reason()), (Health::Degraded, Some(Reason::ClockSkew)));
        let away = ServiceHealth { clocks_apart: true, ..gave_up(0) };
        assert_eq!((away.status(), away.reason()), (Health::Unreachable, None));
        assert_eq!(answered(2_000_000).reason(), None);
    }

    #[test]
    fn the_worst_counts_in_whatever_order() {
        let [good, slow, away] = [answered(0), answered(1_500_000), gave_up(0)];
        for (services, health) in [
            (vec![], Health::Healthy),
            (vec![good, good], Health::Healthy),
            (vec![good, slow], Health::Degraded),
            (vec![slow, good], Health::Degraded),
            (vec![slow, away, good], Health::Unreachable),
            (vec![good, slow, away], Health::Unreachable),
        ] {
            assert_eq!(Health::of(&services), health, "{services:?}");
        }
    }
}
