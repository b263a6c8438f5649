//! Notes events of tokens that were issued, as many at a time as a busy server does.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::ensure;
use audit::{Action, Event, Notes, note};
use kernel::{AgentId, Clock, CredentialId, Entropy, OrganizationId, RequestId, TokenId};
use serde_json::json;
use tenancy::{Actor, Origin, Scope, UserAgent};
use tokio::task::JoinSet;

/// How many notes wait at a time.
const AT_A_TIME: usize = 512;

/// For how long a token lives.
const LIFETIME: Duration = Duration::from_secs(300);

/// Whose tokens, and how many in all.
pub(super) struct Source {
    pub(super) organization: OrganizationId,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) clients: Vec<(AgentId, CredentialId)>,
    pub(super) count: u64,
}

impl Source {
    /// Notes all of them: those of one client after another, so that the pages of the indexes are
    /// written once each.
    pub(super) async fn note_all<S: Notes + Clone + 'static>(
        self,
        store: &S,
    ) -> anyhow::Result<()> {
        ensure!(
            self.count == 0 || !self.clients.is_empty(),
            "there are no agents to note events of"
        );
        let (source, next) = (Arc::new(self), Arc::new(AtomicU64::new(0)));
        let mut writers = JoinSet::new();
        for _ in 0..AT_A_TIME {
            let (store, source, next) = (store.clone(), source.clone(), next.clone());
            writers.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= source.count {
                        return anyhow::Ok(());
                    }
                    source.note_one(&store, number).await?;
                }
            });
        }
        while let Some(ended) = writers.join_next().await {
            ended??;
        }
        Ok(())
    }

    async fn note_one(&self, store: &impl Notes, number: u64) -> anyhow::Result<()> {
        let clients = u64::try_from(self.clients.len())?;
        let place = u128::from(number) * u128::from(clients) / u128::from(self.count);
        let Some((agent, credential)) = self.clients.get(usize::try_from(place)?) else {
            return Ok(());
        };
        let now = self.clock.now();
        let origin = Origin {
            request: RequestId::generate(now, &*self.entropy)?,
            address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
            user_agent: UserAgent::new("a-client/1.0 (of some runtime)"),
        };
        let event = Event::success(Action::TokenIssued)
            .on(TokenId::generate(now, &*self.entropy)?)
            .using(*credential)
            .with("scope", "documents:read")
            .with("audience", json!(["https://api.example.com"]))
            .with("expiresAt", now.plus(LIFETIME).to_string());
        let scope = Scope::new(self.organization, Actor::Agent(*agent), origin);
        note(store, &scope, &event).await?;
        Ok(())
    }
}
