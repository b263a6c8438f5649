//! Audit events, and the guarantee that no change is written without its event.
