//! Fills a store with agents, each with a secret, and with events of tokens that they were issued, all
//! sequenced and signed: what a server finds after years.
//!
//! Everything goes through the product's own ports, so that the store is exactly as the product leaves
//! it. Two things are left out for speed: many registrations share one transaction, which a request
//! never does, and no use case weighs a caller before each of them. Events of tokens are noted without
//! a token: nothing is signed.
//!
//! What is there counts: a second run goes on where the first was ended.
#![expect(clippy::disallowed_methods, reason = "it tells how long it took")]

mod agents;
mod clients;
mod events;
mod watch;

use std::{
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{bail, ensure};
use audit::LogReader;
use credentials::{Pepper, Peppers};
use idp::{
    compose::{self, Foundations, LogKeeping, Opened, Store},
    config::{Config, Database},
    data_folder::{Installation, PEPPER},
    runtime::Company,
    storage::Storage,
};
use kernel::OrganizationId;
use tokio::time::interval;
use usecases::log::Round;

use clients::Clients;
use watch::Watch;

/// How often it is looked whether anything waits, and how often in a row nothing must.
const LOOK: Duration = Duration::from_millis(100);
const IDLE_LOOKS: u32 = 4;

/// How much there is to be.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How many agents the file of clients is to name.
    pub agents: u64,
    /// How many events the log of the platform's organization is to have.
    pub events: u64,
    /// The file of clients: on each line an id and a secret.
    pub clients: PathBuf,
}

/// Fills the store that the configuration names, and founds it where it is empty. A server's database
/// must have its schema: `idp migrate` makes it.
///
/// # Errors
/// Where the store cannot be opened or written, or a log was halted.
pub async fn fill(config: &Config, wanted: &Wanted) -> anyhow::Result<()> {
    match config.database() {
        Database::File(file) => {
            let storage = Storage::take(config.data_dir(), &file)?;
            fill_opened(config, compose::open_embedded(config, storage).await?, wanted).await
        }
        Database::Server(login) => {
            fill_opened(config, compose::open_shared(config, &login).await?, wanted).await
        }
    }
}

async fn fill_opened<S: Store>(
    config: &Config,
    opened: Opened<S>,
    wanted: &Wanted,
) -> anyhow::Result<()> {
    let Opened { foundations, behind } = opened;
    let mut company = behind.start();
    let filled = fill_store(config, &foundations, &mut company, wanted).await;
    drop(foundations);
    company.finish().await;
    filled
}

async fn fill_store<S: Store>(
    config: &Config,
    foundations: &Foundations<S>,
    company: &mut Company,
    wanted: &Wanted,
) -> anyhow::Result<()> {
    let issuer = config.issuer_at(3000)?;
    if foundations.store.platform().await?.is_none() {
        foundations.found("bench".parse()?, &issuer).await?;
    }
    let organization = foundations.platform(&issuer).await?;
    let signer = foundations.checkpoint_signer(organization).await?;
    let keeping = foundations.log_keeping(config, &issuer, (signer, Arc::new(Watch))).await?;
    let sequencer = keeping.sequencer.clone();
    company.accompany("sequencing", move || idp::sequencing::sequence(sequencer.clone()));

    let store = &foundations.store;
    let mut clients = Clients::open(&wanted.clients)?;
    let begun = Instant::now();
    let desk = agents::Desk {
        organization,
        clock: &*foundations.clock,
        entropy: &*foundations.entropy,
        peppers: peppers(config, foundations)?,
    };
    desk.register_up_to(wanted.agents, store, &mut clients).await?;
    tell("agents", clients.count(), begun);
    let begun = Instant::now();
    settle(&keeping).await?;
    let size = sequenced(store, organization).await?;
    let missing = wanted.events.saturating_sub(size);
    let source = events::Source {
        organization,
        clock: foundations.clock.clone(),
        entropy: foundations.entropy.clone(),
        clients: clients.ids()?,
        count: missing,
    };
    source.note_all(store).await?;
    settle(&keeping).await?;
    let size = sequenced(store, organization).await?;
    tell("events", size, begun);
    ensure!(size >= wanted.events, "of {} events {size} have their places", wanted.events);
    Ok(())
}

/// What secrets are hashed with, as the server will find it.
fn peppers<S>(config: &Config, foundations: &Foundations<S>) -> anyhow::Result<Peppers> {
    let kept;
    let key = match &config.secrets().pepper {
        Some(key) => key,
        None => {
            kept = foundations.folder.key(PEPPER, Installation::Founded, &*foundations.entropy)?;
            &kept
        }
    };
    Ok(Peppers::single(Pepper::new(key.expose())))
}

/// Sequences, signs and delivers all that waits.
async fn settle<S: Store>(keeping: &LogKeeping<S>) -> anyhow::Result<()> {
    let (mut looks, mut idle) = (interval(LOOK), 0);
    // The work beside it may be in a turn, of which nothing is to be seen.
    while idle < IDLE_LOOKS {
        looks.tick().await;
        idle = if keeping.sequencer.finish().await? == Round::Idle { idle + 1 } else { 0 };
    }
    Ok(())
}

/// How many events have their places, and are signed for.
async fn sequenced<S: Store>(store: &S, organization: OrganizationId) -> anyhow::Result<u64> {
    let state = store.view(organization).await?.log_state().await?;
    if let Some(reason) = state.halted {
        bail!("the log was halted: {reason}");
    }
    ensure!(state.signed_size() == state.size, "the newest events are not signed for");
    Ok(state.size)
}

#[expect(
    clippy::print_stdout,
    reason = "whoever fills a store waits for it, and sees how far it is"
)]
fn tell(what: &str, count: u64, begun: Instant) {
    println!("{count} {what} after {:.1} s", begun.elapsed().as_secs_f64());
}
