//! The contract of the store ports, against a real server.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]
#![expect(clippy::expect_used, reason = "likewise")]

mod support;

use std::sync::Arc;

use audit::{AuditLog, EventRecord, Transactor};
use contracts::{FeedHarness, Harness, sample::Machine};
use kernel::{Clock, Entropy, EventId, OrganizationId};
use postgres_store::{Isolation, Options, PostgresFeed, PostgresStore, PostgresTx, PostgresView};
use sqlx::types::Uuid;
use support::Database;

const IDS: &str = "SELECT organization_id, id FROM audit_event ORDER BY id";

struct Postgres {
    store: PostgresStore,
    database: Database,
}

impl Harness for Postgres {
    type Tx = PostgresTx;
    type View = PostgresView;
    type Store = PostgresStore;

    #[expect(clippy::disallowed_methods, reason = "a test is its own composition root")]
    async fn fresh(machine: Machine) -> Self {
        let database = Database::migrated().await;
        let parts: (Arc<dyn Clock>, Arc<dyn Entropy>) = (machine.clock, machine.entropy);
        let options = Options { connections: 4, ..Options::default() };
        let opened =
            PostgresStore::open(&database.login(), parts, Isolation::Preferred, &options).await;
        let (store, background) = opened.unwrap();
        tokio::spawn(background.run());
        Self { store: store.telling(machine.heard), database }
    }

    fn store(&self) -> &PostgresStore {
        &self.store
    }

    async fn events(&self) -> Vec<EventRecord> {
        let mut connection = self.database.connection().await;
        let ids: Vec<(Uuid, Uuid)> = sqlx::query_as(IDS).fetch_all(&mut connection).await.unwrap();
        let mut events = Vec::new();
        for (organization, id) in ids {
            let organization = OrganizationId::from_uuid(organization);
            let mut view = self.store.view(organization).await.unwrap();
            events.push(view.event(EventId::from_uuid(id)).await.unwrap().unwrap().event);
        }
        events
    }
}

impl FeedHarness for Postgres {
    type Feed = PostgresFeed;

    async fn feed(&self) -> PostgresFeed {
        self.store.feed()
    }
}

contracts::contract!(Postgres);
contracts::feed_contract!(Postgres);
contracts::lease_contract!(Postgres);
contracts::writers_contract!(Postgres);
