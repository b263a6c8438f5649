//! The composition root: configuration → adapters → use cases. No rules of its own.

use std::sync::Arc;

use audit::Directory;
use credentials::{Pepper, Peppers};
use kernel::{AgentId, Clock, Entropy, OrganizationId, StoreError};
use local::{KeyRing, LocalKeyFactory, LocalRateLimiter, Sealer, SystemClock, SystemEntropy};
use sqlite_store::{OpenError, Options, SqliteStore, Writer};
use tenancy::{Name, Plans, Quota, Quotas, Rate, Slug};
use tokens::{Issuer, Lifetime, TokenPolicy};
use usecases::{
    IdentityProvider, Parts,
    bootstrap::{self, FoundError, Foundation, Founded},
    signing_key::{self, EnsureError},
};

use crate::{
    admin_file::AdminFile,
    config::{Config, PlanLimits, SecretKey},
    data_folder::{DataFolder, DataFolderError},
};

/// The identity provider on the embedded default.
pub type Embedded = IdentityProvider<SqliteStore, KeyRing>;

/// The name of the organization that the first start founds.
pub const FIRST_ORGANIZATION: &str = "default";

/// Why the parts do not come together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// The database cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A first organization cannot be founded.
    #[error(transparent)]
    Found(#[from] FoundError),
    /// The admin's credential is founded, and `admin.json` cannot be given its name.
    #[error("`admin.json.pending` in the data folder cannot be renamed to `admin.json`")]
    AdminFile(#[source] std::io::Error),
    /// There is no key to sign with.
    #[error(transparent)]
    SigningKey(#[from] EnsureError),
    /// The signing keys cannot be opened.
    #[error("the signing keys cannot be opened with this sealing key")]
    Unseal(#[from] local::OpenError),
    /// A value of the configuration is none for the domain.
    #[error("the configured {0} cannot be used")]
    Value(&'static str),
}

/// Everything below the use cases, opened.
pub struct Foundations {
    /// The data folder, held for this process.
    pub folder: DataFolder,
    /// The store.
    pub store: SqliteStore,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    sealer: Arc<Sealer>,
    peppers: Peppers,
}

impl Foundations {
    /// Takes the data folder, finds or makes the keys, opens the store and brings its schema up
    /// to date. The writer must be run by the caller.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn open(config: &Config, folder: DataFolder) -> Result<(Self, Writer), ComposeError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let secrets = config.secrets();
        let sealing = key(secrets.sealing_key.as_ref(), &folder, "sealing.key", &*entropy)?;
        let pepper = key(secrets.pepper.as_ref(), &folder, "pepper.key", &*entropy)?;
        let sealer = Sealer::new(&sealing, entropy.clone())
            .map_err(|_| ComposeError::Value("sealing key"))?;
        let file = config.database_file();
        let (store, writer) =
            SqliteStore::open(&file, clock.clone(), entropy.clone(), Options::default()).await?;
        let peppers = Peppers::single(Pepper::new(&pepper));
        let foundations = Self { folder, store, clock, entropy, sealer: Arc::new(sealer), peppers };
        Ok((foundations, writer))
    }

    /// Founds the first organization and its admin, and leaves the admin's credential in
    /// `admin.json`.
    ///
    /// # Errors
    /// [`ComposeError`]; [`FoundError::Exists`] where there is one.
    pub async fn found(&self, name: Name, issuer: &Issuer) -> Result<Founded, ComposeError> {
        let file = AdminFile::new(&self.folder, issuer.join("/api/v1/token"));
        let clock = (&*self.clock, &*self.entropy);
        let foundation = foundation(name)?;
        let founded =
            bootstrap::found(&self.store, clock, &self.peppers, foundation, &file).await?;
        file.publish().map_err(ComposeError::AdminFile)?;
        Ok(founded)
    }

    /// The platform's organization; founds it where there is none, and finishes a founding that
    /// was cut short after its commit.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn platform(&self, issuer: &Issuer) -> Result<OrganizationId, ComposeError> {
        if let Some(platform) = self.store.platform().await? {
            let file = AdminFile::new(&self.folder, String::new());
            if let Some(admin) = file.left_pending()
                && self.is_here(admin).await?
            {
                file.publish().map_err(ComposeError::AdminFile)?;
            }
            return Ok(platform);
        }
        let name = FIRST_ORGANIZATION.parse().map_err(|_| ComposeError::Value("organization"))?;
        Ok(self.found(name, issuer).await?.organization)
    }

    async fn is_here(&self, agent: AgentId) -> Result<bool, StoreError> {
        Ok(self.store.organization_of(agent).await?.is_some())
    }

    /// Puts the use cases together.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn provider(
        &self,
        config: &Config,
        issuer: Issuer,
        platform: OrganizationId,
    ) -> Result<Embedded, ComposeError> {
        let factory = LocalKeyFactory::new(self.sealer.clone());
        let keys = signing_key::ensure(&self.store, platform, &*self.clock, &factory).await?;
        let ring = KeyRing::new(self.sealer.clone());
        ring.replace(&keys)?;
        let unauthenticated = config.network().unauthenticated_requests_per_minute.get();
        Ok(IdentityProvider::new(Parts {
            store: self.store.clone(),
            platform,
            signer: ring,
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            limiter: Arc::new(LocalRateLimiter::new()),
            peppers: self.peppers.clone(),
            policy: TokenPolicy { issuer, lifetime: lifetime(config)? },
            plans: plans(config),
            unauthenticated: Rate { per_minute: unauthenticated.into() },
        }))
    }
}

impl std::fmt::Debug for Foundations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foundations").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// The issuer of the server that has bound that port.
///
/// # Errors
/// [`ComposeError::Value`]
pub fn issuer(config: &Config, bound_port: u16) -> Result<Issuer, ComposeError> {
    let issuer = config.issuer_at(bound_port);
    issuer.as_str().parse().map_err(|_| ComposeError::Value("issuer"))
}

fn key(
    configured: Option<&SecretKey>,
    folder: &DataFolder,
    file: &str,
    entropy: &dyn Entropy,
) -> Result<[u8; 32], DataFolderError> {
    match configured {
        Some(key) => Ok(*key.expose()),
        None => folder.key(file, entropy).map(|key| *key.expose()),
    }
}

fn lifetime(config: &Config) -> Result<Lifetime, ComposeError> {
    let seconds = config.token_lifetime().duration().as_secs();
    Lifetime::from_seconds(seconds).ok_or(ComposeError::Value("token lifetime"))
}

fn foundation(name: Name) -> Result<Foundation, ComposeError> {
    let slug = Slug::of(&name);
    let email = format!("admin@{}.invalid", slug.as_str());
    let field = |_| ComposeError::Value("admin");
    Ok(Foundation {
        admin_email: email.parse().map_err(field)?,
        version: env!("CARGO_PKG_VERSION").parse().map_err(field)?,
        owner: "platform".parse().map_err(|_| ComposeError::Value("admin"))?,
        capability: "platform:administer".parse().map_err(field)?,
        name,
        slug,
    })
}

fn plans(config: &Config) -> Plans {
    let table = config.plans();
    Plans {
        free: quotas(&table.free),
        pro: quotas(&table.pro),
        enterprise: quotas(&table.enterprise),
    }
}

fn quotas(limits: &PlanLimits) -> Quotas {
    Quotas {
        agents: quota(limits.agents),
        requests: Rate { per_minute: limits.requests_per_minute.get().into() },
        tokens_per_month: quota(limits.tokens_per_month),
        audit_retention_days: limits.audit_retention.get().get(),
    }
}

const fn quota(limit: crate::config::Quota) -> Quota {
    match limit {
        crate::config::Quota::Unlimited => Quota::Unlimited,
        crate::config::Quota::AtMost(limit) => Quota::AtMost(limit.get()),
    }
}
