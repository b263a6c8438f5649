//! Keeping the log: events get their places, checkpoints are signed and leave, what is over is erased.
//!
//! No request asks for any of it. Background tasks of each server call [`Sequencer::round`],
//! [`Sequencer::deliver`] and [`Sequencer::consult`] all the time, and [`retain`] now and then; a lease
//! in the store sees to it that each log has one sequencer.
//!
//! # Order to read it in
//! [`sequencer`], then `extend` and `cover`, `leave` and `consult`, what it does in a log; [`retention`];
//! [`checkpoint_key`]; [`mod@acknowledge`].

pub mod acknowledge;
pub mod checkpoint_key;
mod consult;
mod cover;
mod departed;
mod extend;
mod leave;
pub mod observer;
mod resting;
pub mod retention;
pub mod sequencer;

pub use acknowledge::{AcknowledgeError, acknowledge};
pub use observer::{LogObserver, Unobserved};
pub use retention::{RetentionRules, retain};
pub use sequencer::{Outlets, Round, Sequencer, SequencerParts};
