//! A transaction that says nothing of on whose behalf: no event can be written by it.

use std::future::Future;

use kernel::{OrganizationId, StoreError};

use crate::{
    session::{Done, Mode, Session, Statement, Writes},
    transaction::Transaction,
};

/// A transaction in the rows of one organization.
pub(crate) struct Held {
    organization: OrganizationId,
    transaction: Transaction,
}

impl Held {
    pub(crate) const fn new(organization: OrganizationId, transaction: Transaction) -> Self {
        Self { organization, transaction }
    }
}

impl Mode for Held {
    fn owner(&self) -> OrganizationId {
        self.organization
    }

    fn run(
        &mut self,
        statement: Statement,
    ) -> impl Future<Output = Result<Done, StoreError>> + Send {
        self.transaction.run(statement)
    }
}

impl Writes for Held {
    fn forbid(&mut self) {
        self.transaction.forbid();
    }
}

impl Session<Held> {
    /// Makes everything durable.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        let mut transaction = self.into_mode().transaction;
        transaction.may_commit()?;
        transaction.commit().await
    }
}
