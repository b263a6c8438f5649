//! A store with a machine around it, and the steps that cases are made of.

use audit::{Apply, Audited, EventRecord, Journal, Transactor, note, record};
use credentials::Credential;
use kernel::{EventId, OrganizationId, StoreError};
use registry::Agent;
use tenancy::{Kind, Plan, Scope};

use crate::{
    harness::Harness,
    sample::{self, Machine},
};

/// Where a case takes place.
#[derive(Debug)]
pub struct World<H> {
    /// What is tested.
    pub harness: H,
    /// Its time and randomness.
    pub machine: Machine,
}

impl<H: Harness> World<H> {
    /// An empty world.
    pub async fn fresh() -> Self {
        let machine = Machine::default();
        Self { harness: H::fresh(machine.clone()).await, machine }
    }

    /// A world with one organization, and a request in it.
    pub async fn with_organization() -> (Self, Scope) {
        let world = Self::fresh().await;
        let scope = world.organization("first").await;
        (world, scope)
    }

    /// Founds an organization and gives a request in it.
    pub async fn organization(&self, slug: &str) -> Scope {
        let change = sample::founded(&self.machine, slug, Kind::Tenant, Plan::Pro);
        let scope = sample::scope(change.after().id(), self.machine.agent_id());
        self.change(&scope, change).await;
        scope
    }

    /// Registers an agent.
    pub async fn agent(&self, scope: &Scope, name: &str) -> Agent {
        self.change(scope, sample::agent_named(&self.machine, scope.organization(), name)).await
    }

    /// Makes a credential that never expires.
    pub async fn credential(&self, scope: &Scope, agent: &Agent) -> Credential {
        self.change(scope, sample::credential(&self.machine, agent, None)).await
    }

    /// Writes a change and commits it.
    pub async fn change<C: Audited>(&self, scope: &Scope, change: C) -> C::After
    where
        H::Tx: Apply<C>,
    {
        self.try_change(scope, change).await.unwrap()
    }

    /// Tries to.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn try_change<C: Audited>(
        &self,
        scope: &Scope,
        change: C,
    ) -> Result<C::After, StoreError>
    where
        H::Tx: Apply<C>,
    {
        let tx = self.begin(scope).await;
        let (tx, after) = record(tx, change).await?;
        tx.commit().await?;
        Ok(after)
    }

    /// Begins a transaction.
    pub async fn begin(&self, scope: &Scope) -> H::Tx {
        self.harness.store().begin(scope.clone()).await.unwrap()
    }

    /// Opens a view of the scope's organization.
    pub async fn view(&self, scope: &Scope) -> H::View {
        self.view_of(scope.organization()).await
    }

    /// Opens a view of an organization.
    pub async fn view_of(&self, organization: OrganizationId) -> H::View {
        self.harness.store().view(organization).await.unwrap()
    }

    /// Keeps an event.
    pub async fn note(&self, scope: &Scope, event: &audit::Event) -> EventId {
        note(self.harness.store(), scope, event).await.unwrap()
    }

    /// Every event that there is, in the order of their ids.
    pub async fn events(&self) -> Vec<EventRecord> {
        self.harness.events().await
    }
}
