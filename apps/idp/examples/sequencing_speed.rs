//! How many events a second are written, sequenced and signed, and how late the signature is.
//! `cargo xtask bench sequencing` runs it, on the embedded store or on the one at `DATABASE_URL`.
#![expect(clippy::print_stdout, reason = "it prints what it measured")]
#![expect(
    clippy::disallowed_methods,
    reason = "it starts tasks, reads arguments, and takes the time"
)]

use std::{
    error::Error,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use audit::{Action, Event, delivery::DeliveryFailed, note, sequence::Breach};
use idp::{
    compose::{self, Opened, Store},
    config::{Config, Database, Sources},
    storage::Storage,
};
use kernel::{OrganizationId, StoreError};
use tenancy::{Actor, Origin, Scope};
use tokio::{sync::Semaphore, time::interval};
use usecases::log::{LogObserver, Round};

type Failure = Box<dyn Error + Send + Sync>;

/// How many requests are under way at a time.
const AT_A_TIME: usize = 400;

/// How often permission is given to write.
const TICK: Duration = Duration::from_millis(10);

/// What was measured.
#[derive(Default)]
struct Figures {
    sequenced: AtomicU64,
    delays: Mutex<Vec<Duration>>,
    troubles: AtomicU64,
}

impl LogObserver for Figures {
    fn sequenced(&self, events: usize) {
        self.sequenced.fetch_add(u64::try_from(events).unwrap_or(0), Ordering::Relaxed);
    }

    fn signed(&self, delay: Duration) {
        self.delays.lock().unwrap_or_else(PoisonError::into_inner).push(delay);
    }

    fn halted(&self, _: OrganizationId, _: &Breach) {
        self.troubles.fetch_add(1, Ordering::Relaxed);
    }

    fn failed(&self, _: OrganizationId, error: &StoreError) {
        println!("trouble      {error:?}");
        self.troubles.fetch_add(1, Ordering::Relaxed);
    }

    fn left(&self) {}

    fn stayed(&self, _: OrganizationId, _: &DeliveryFailed) {
        self.troubles.fetch_add(1, Ordering::Relaxed);
    }

    fn cosigned(&self, _: OrganizationId) {}

    fn contested(&self, _: OrganizationId, _: &str) {}
}

fn main() -> Result<(), Failure> {
    let number = |place: usize, default: u64| {
        std::env::args().nth(place).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let (rate, seconds) = (number(1, 10_000), number(2, 20));
    let folder = tempfile::tempdir()?;
    let mut environment = vec![
        ("IDP_DATA_DIR".to_owned(), folder.path().display().to_string()),
        ("IDP_LOG".to_owned(), "warn".to_owned()),
    ];
    environment
        .extend(std::env::var("DATABASE_URL").ok().map(|url| ("DATABASE_URL".to_owned(), url)));
    let config = Config::load(&Sources { environment, file: None })?;
    idp::runtime::run(async {
        match config.database() {
            Database::File(file) => {
                let storage = Storage::take(config.data_dir(), &file)?;
                let opened = compose::open_embedded(&config, storage).await?;
                measure(&config, opened, (rate, seconds)).await
            }
            Database::Server(login) => {
                postgres_store::migrate(&login).await?;
                let opened = compose::open_shared(&config, &login).await?;
                measure(&config, opened, (rate, seconds)).await
            }
        }
    })?
}

async fn measure<S: Store>(
    config: &Config,
    opened: Opened<S>,
    (rate, seconds): (u64, u64),
) -> Result<(), Failure> {
    let Opened { foundations, behind } = opened;
    let company = behind.start();
    let issuer = config.issuer_at(3000)?;
    if foundations.store.platform().await?.is_none() {
        foundations.found("bench".parse()?, &issuer).await?;
    }
    let platform = foundations.platform(&issuer).await?;
    let signer = foundations.checkpoint_signer(platform).await?;
    let figures = Arc::new(Figures::default());
    let keeping = foundations.log_keeping(config, &issuer, (signer, figures.clone())).await?;
    while keeping.sequencer.round().await? != Round::Idle {}
    figures.delays.lock().unwrap_or_else(PoisonError::into_inner).clear();
    figures.sequenced.store(0, Ordering::Relaxed);

    let sequencer = keeping.sequencer.clone();
    let sequencing = tokio::spawn(idp::sequencing::sequence(sequencer));
    let begun = Instant::now();
    let written = write(&foundations.store, platform, (rate, seconds)).await?;
    let wrote_for = begun.elapsed();
    let behind_at_the_end = written - figures.sequenced.load(Ordering::Relaxed).min(written);
    let mut looks = interval(TICK);
    while figures.sequenced.load(Ordering::Relaxed) < written && begun.elapsed() < wrote_for * 2 {
        looks.tick().await;
    }
    let caught_up = begun.elapsed() - wrote_for;
    sequencing.abort();
    let mut delays = figures.delays.lock().unwrap_or_else(PoisonError::into_inner).clone();
    delays.sort();
    let at = |part: usize| delays.get(delays.len() * part / 100).copied().unwrap_or_default();
    println!("written      {written} events in {:.1} s", wrote_for.as_secs_f64());
    println!("a second     {:.0}", written as f64 / wrote_for.as_secs_f64());
    println!(
        "behind       {behind_at_the_end} events at the end, for {} ms",
        caught_up.as_millis()
    );
    println!("checkpoints  {}", delays.len());
    println!(
        "delay        median {} ms, 99 % {} ms, most {} ms",
        at(50).as_millis(),
        at(99).as_millis(),
        delays.last().copied().unwrap_or_default().as_millis()
    );
    println!("troubles     {}", figures.troubles.load(Ordering::Relaxed));
    drop((keeping, foundations));
    company.finish().await;
    Ok(())
}

/// Writes events of tokens that were issued, so many a second.
async fn write<S: Store>(
    store: &S,
    platform: OrganizationId,
    (rate, seconds): (u64, u64),
) -> Result<u64, Failure> {
    let permits = Arc::new(Semaphore::new(0));
    let written = Arc::new(AtomicU64::new(0));
    let mut writers = Vec::new();
    for _ in 0..AT_A_TIME {
        let (store, permits, written) = (store.clone(), permits.clone(), written.clone());
        writers.push(tokio::spawn(async move {
            let scope = Scope::new(platform, Actor::System, Origin::internal());
            while let Ok(permit) = permits.acquire().await {
                permit.forget();
                let event = Event::success(Action::TokenIssued)
                    .with("scope", "agents:read audit:read")
                    .with("audience", "https://api.example.com")
                    .with("expiresAt", "2026-11-21T08:15:00.000000Z");
                if note(&store, &scope, &event).await.is_ok() {
                    written.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    let mut ticks = interval(TICK);
    let each = usize::try_from(rate / 100)?;
    for _ in 0..seconds * 100 {
        ticks.tick().await;
        // What could not be written in time is not asked for later: the rate would not be one.
        if permits.available_permits() < each {
            permits.add_permits(each);
        }
    }
    permits.close();
    for writer in writers {
        writer.await?;
    }
    Ok(written.load(Ordering::Relaxed))
}
