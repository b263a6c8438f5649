//! Founds organizations on PostgreSQL.

use std::sync::Arc;

use futures_util::future::join;
use kernel::{Clock, Entropy};
use local::{SystemClock, SystemEntropy};
use postgres_store::{Isolation, Login, Options, PostgresStore};

pub(crate) use self::tenant::Founded;
use crate::installation::PEPPER;

#[path = "../support/tenant.rs"]
mod tenant;

/// Founds an organization of each name.
pub(crate) fn found(database_url: &str, names: &[String]) -> Vec<Founded> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let login = Login::parse(database_url).unwrap();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let machine = (clock.clone(), entropy.clone());
        let options = Options { connections: 2, ..Options::default() };
        let opened = PostgresStore::open(&login, machine, Isolation::Preferred, &options).await;
        let (store, background) = opened.unwrap();
        let founding = async {
            let mut all = Vec::new();
            for name in names {
                all.push(tenant::found(&store, (&*clock, &*entropy), &PEPPER, name).await);
            }
            // What goes on behind the store ends with it.
            drop(store);
            all
        };
        join(founding, background.run()).await.0
    })
}
