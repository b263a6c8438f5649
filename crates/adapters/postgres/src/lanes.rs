//! One lane for the changes of each organization.
//!
//! The database makes changes of one organization wait for each other. If they did that while each
//! holds a connection, one busy organization could take all of them, and every other would wait for
//! it. So they queue here first, and hold at most one connection a replica.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use kernel::OrganizationId;
use tokio::sync::{Mutex as Queue, OwnedMutexGuard};

/// The lanes that somebody is in, and a few that are empty.
#[derive(Debug, Default)]
pub(crate) struct Lanes(Mutex<HashMap<OrganizationId, Weak<Queue<()>>>>);

/// The right to change something in an organization, until it is dropped.
pub(crate) type Lane = OwnedMutexGuard<()>;

impl Lanes {
    /// How many lanes there may be before the empty ones are taken away.
    const TIDY: usize = 1_024;

    /// Waits for one's turn, first come, first served.
    pub(crate) async fn enter(&self, organization: OrganizationId) -> Lane {
        self.of(organization).lock_owned().await
    }

    fn of(&self, organization: OrganizationId) -> Arc<Queue<()>> {
        let mut lanes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(&organization).and_then(Weak::upgrade) {
            return lane;
        }
        if lanes.len() >= Self::TIDY {
            lanes.retain(|_, lane| lane.strong_count() > 0);
        }
        let lane = Arc::default();
        lanes.insert(organization, Arc::downgrade(&lane));
        lane
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use sqlx::types::Uuid;

    use super::*;

    fn organization(number: u128) -> OrganizationId {
        OrganizationId::from_uuid(Uuid::from_u128(number))
    }

    #[tokio::test]
    async fn an_organization_waits_for_itself_and_for_no_other() {
        let lanes = Lanes::default();
        let held = lanes.enter(organization(1)).await;
        assert!(lanes.enter(organization(1)).now_or_never().is_none());
        assert!(lanes.enter(organization(2)).now_or_never().is_some());
        drop(held);
        assert!(lanes.enter(organization(1)).now_or_never().is_some());
    }

    #[tokio::test]
    async fn ds_09_lanes_that_nobody_is_in_are_taken_away() {
        let lanes = Lanes::default();
        let held = lanes.enter(organization(0)).await;
        for number in 1..=10_000 {
            lanes.enter(organization(number)).await;
        }
        assert!(lanes.0.lock().unwrap().len() <= Lanes::TIDY);
        assert!(lanes.enter(organization(0)).now_or_never().is_none());
        drop(held);
    }
}
