//! The contract of the store ports, against a real file.
#![expect(clippy::unwrap_used, reason = "a test that fails says so by its panic")]

use audit::{AuditLog, EventRecord, Transactor};
use contracts::{Harness, sample::Machine};
use kernel::{EventId, OrganizationId};
use sqlite_store::{Options, SqliteStore, SqliteTx, SqliteView};
use sqlx::{ConnectOptions, SqliteConnection, sqlite::SqliteConnectOptions, types::Uuid};
use tempfile::TempDir;

const IDS: &str = "SELECT organization_id, id FROM audit_event ORDER BY id";

struct Sqlite {
    store: SqliteStore,
    folder: TempDir,
}

impl Sqlite {
    async fn connection(&self) -> SqliteConnection {
        let path = self.folder.path().join("idp.db");
        SqliteConnectOptions::new().filename(path).connect().await.unwrap()
    }
}

impl Harness for Sqlite {
    type Tx = SqliteTx;
    type View = SqliteView;
    type Store = SqliteStore;

    #[expect(clippy::disallowed_methods, reason = "a test is its own composition root")]
    async fn fresh(machine: Machine) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("idp.db");
        let (clock, entropy) = (machine.clock, machine.entropy);
        let opened = SqliteStore::open(&path, clock, entropy, Options::default()).await;
        let (store, writer) = opened.unwrap();
        tokio::spawn(writer.run());
        Self { store: store.telling(machine.heard), folder }
    }

    fn store(&self) -> &SqliteStore {
        &self.store
    }

    async fn events(&self) -> Vec<EventRecord> {
        let mut connection = self.connection().await;
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

contracts::contract!(Sqlite);
