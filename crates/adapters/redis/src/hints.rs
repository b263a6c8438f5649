//! Hints to all replicas, by publishing on one channel.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use audit::{ChangeHints, Hearing};
use kernel::StoreError;
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ProtocolVersion, PushInfo, PushKind,
    aio::MultiplexedConnection,
};
use thiserror::Error;
use tokio::sync::watch;

use crate::{failure::Failure, link::Link, prefix::Prefix};

/// Announces to whoever listens on the same server, and has no word of what changed.
pub struct RedisHints {
    link: Arc<Link>,
    info: ConnectionInfo,
    channel: String,
}

impl fmt::Debug for RedisHints {
    /// Nothing of the URL, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisHints").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl RedisHints {
    pub(crate) fn new(link: Arc<Link>, info: ConnectionInfo, prefix: &Prefix) -> Self {
        Self { link, info, channel: prefix.changes() }
    }

    async fn subscribed(&self) -> Result<Ear, Failure> {
        let (mouth, announced) = Mouth::new();
        // By this protocol, announcements come on a connection that can do everything else.
        let settings = self.info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        let client = Client::open(self.info.clone().set_redis_settings(settings))?;
        let config = stepwise(self.link.patience())
            .set_push_sender(move |info: PushInfo| -> Result<(), Deaf> { mouth.pass_on(&info) });
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        connection.subscribe(&self.channel).await?;
        Ok(Ear { announced, _connection: connection })
    }
}

#[async_trait]
impl ChangeHints for RedisHints {
    async fn announce(&self) -> Result<(), StoreError> {
        let mut publish = redis::cmd("PUBLISH");
        publish.arg(&self.channel).arg("");
        self.link.call(publish).await?;
        Ok(())
    }

    async fn listen(&self) -> Result<Box<dyn Hearing>, StoreError> {
        let patience = self.link.patience();
        let ear = tokio::time::timeout(patience, self.subscribed()).await;
        Ok(Box::new(ear.map_err(|_| Failure::TooSlow(patience))??))
    }
}

/// A connection whose every step takes at most so long.
fn stepwise(patience: Duration) -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_connection_timeout(Some(patience))
        .set_response_timeout(Some(patience))
}

/// Passes on that something was announced, and never how much: a listener that is slow piles
/// nothing up.
struct Mouth {
    /// Gone once the connection is.
    announced: Mutex<Option<watch::Sender<()>>>,
}

/// The connection is gone.
#[derive(Debug, Error)]
#[error("the listening to redis has ended")]
struct Deaf;

impl Mouth {
    fn new() -> (Self, watch::Receiver<()>) {
        let (sender, receiver) = watch::channel(());
        (Self { announced: Mutex::new(Some(sender)) }, receiver)
    }

    fn pass_on(&self, info: &PushInfo) -> Result<(), Deaf> {
        let mut announced = self.announced.lock().unwrap_or_else(PoisonError::into_inner);
        if info.kind == PushKind::Disconnection {
            *announced = None;
        }
        // That the listening began is no announcement.
        if info.kind == PushKind::Message {
            announced.as_ref().ok_or(Deaf)?.send_replace(());
        }
        Ok(())
    }
}

/// Its connection lives as long as it does.
struct Ear {
    announced: watch::Receiver<()>,
    _connection: MultiplexedConnection,
}

#[async_trait]
impl Hearing for Ear {
    async fn heard(&mut self) -> Result<(), StoreError> {
        self.announced.changed().await.map_err(|_| StoreError::unavailable(Deaf))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn info(kind: PushKind) -> PushInfo {
        PushInfo { kind, data: Vec::new() }
    }

    #[test]
    fn a_slow_listener_hears_any_number_of_announcements_once() {
        let (mouth, mut ear) = Mouth::new();
        for _ in 0..10_000 {
            mouth.pass_on(&info(PushKind::Message)).unwrap();
        }
        assert!(matches!(ear.changed().now_or_never(), Some(Ok(()))));
        assert!(ear.changed().now_or_never().is_none());
    }

    #[test]
    fn that_the_listening_began_is_no_announcement() {
        let (mouth, mut ear) = Mouth::new();
        mouth.pass_on(&info(PushKind::Subscribe)).unwrap();
        assert!(ear.changed().now_or_never().is_none());
    }

    #[test]
    fn a_lost_connection_ends_the_listening() {
        let (mouth, mut ear) = Mouth::new();
        mouth.pass_on(&info(PushKind::Disconnection)).unwrap();
        assert!(matches!(ear.changed().now_or_never(), Some(Err(_))));
        assert!(mouth.pass_on(&info(PushKind::Message)).is_err());
    }
}
