//! Typed ids, time, secrets, scopes and pages: what every other domain crate speaks in.
