//! Why Redis gave no answer to one call.

use std::time::Duration;

use kernel::StoreError;
use redis::{ErrorKind, RedisError};
use thiserror::Error;

/// No answer. It is never to be taken for one that says that nothing is there.
#[derive(Debug, Clone, Error)]
pub enum Failure {
    /// It failed moments ago, and was not asked again.
    #[error("redis failed moments ago and is not asked again yet")]
    CoolingDown,
    /// No answer came in time. What was asked may have been done.
    #[error("redis did not answer within {} ms", .0.as_millis())]
    TooSlow(Duration),
    /// There is no connection, or it broke. What was asked may have been done.
    #[error("the connection to redis failed")]
    Connection(#[source] RedisError),
    /// It answered that it will not.
    #[error("redis refused what it was asked")]
    Refused(#[source] RedisError),
    /// It answered something that is no answer to what it was asked.
    #[error("redis answered what cannot be: {0}")]
    Nonsense(&'static str),
}

impl Failure {
    /// Whether the next call is likely to wait in vain.
    pub(crate) fn is_of_the_connection(&self) -> bool {
        match self {
            Self::TooSlow(_) | Self::Connection(_) => true,
            Self::CoolingDown | Self::Refused(_) | Self::Nonsense(_) => false,
        }
    }
}

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        if matches!(error.kind(), ErrorKind::Server(_) | ErrorKind::Extension) {
            Self::Refused(error)
        } else {
            Self::Connection(error)
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::unavailable(failure)
    }
}
