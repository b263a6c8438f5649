//! The composition root: configuration → adapters → use cases. No rules of its own.

use std::{path::PathBuf, sync::Arc};

use audit::Directory;
use credentials::{Pepper, Peppers};
use kernel::{AgentId, Clock, Entropy, OrganizationId, StoreError};
use local::{
    KeyRing, LocalKeyFactory, LocalRateLimiter, SealError, Sealer, SystemClock, SystemEntropy,
    key_ring::Unusable,
};
use sqlite_store::{OpenError, Options, SqliteStore, Writer};
use tenancy::{Name, Slug};
use tokens::{Issuer, TokenPolicy};
use usecases::{
    IdentityProvider, Known, Parts,
    bootstrap::{self, FoundError, Foundation, Founded},
    signing_key::{self, EnsureError},
};

use crate::{
    admin_file::AdminFile,
    config::{Config, SecretKey},
    storage::{PEPPER, SEALING_KEY, Storage, StorageError},
};

/// The identity provider on the embedded default.
pub type Embedded = IdentityProvider<SqliteStore, KeyRing>;

/// The name of the organization that the first start founds.
pub const FIRST_ORGANIZATION: &str = "default";

/// Why the parts do not come together.
#[derive(Debug, thiserror::Error)]
pub enum ComposeError {
    /// The data folder cannot be used, or a key in it.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The database cannot be opened.
    #[error("the database `{}` cannot be used; {}", .database.display(), advice(.source))]
    Open {
        /// Its file.
        database: PathBuf,
        /// Why.
        #[source]
        source: OpenError,
    },
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
    #[error("the signing keys {}", complaint(.0))]
    Unseal(#[from] local::OpenError),
    /// A value of the configuration is none for the domain.
    #[error("the configured {0} cannot be used")]
    Value(&'static str),
}

/// What to do about a database that does not open.
const fn advice(error: &OpenError) -> &'static str {
    match error {
        OpenError::Newer { .. } => "start the release that migrated it, or a later one",
        OpenError::File(_) | OpenError::Database(_) | OpenError::Migration(_) => {
            "restore it from a backup, or set DATABASE_URL to another file"
        }
    }
}

/// What is wrong with signing keys that do not open, and what to do about it.
const fn complaint(error: &local::OpenError) -> &'static str {
    match error.reason {
        Unusable::Sealed(SealError::OtherKey) => {
            "were sealed with another key; restore sealing.key or set IDP_SEALING_KEY to that one"
        }
        Unusable::Sealed(SealError::Altered | SealError::Form) | Unusable::Unpaired => {
            "in the database are damaged; restore the database from a backup"
        }
    }
}

/// Everything below the use cases, opened.
pub struct Foundations {
    storage: Storage,
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
    /// Finds or makes the keys, opens the store and brings its schema up to date. The writer must
    /// be run by the caller.
    ///
    /// # Errors
    /// [`ComposeError`]
    pub async fn open(config: &Config, storage: Storage) -> Result<(Self, Writer), ComposeError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy::new());
        let secrets = config.secrets();
        let sealer = sealer(secrets.sealing_key.as_ref(), &storage, entropy.clone())?;
        let peppers = peppers(secrets.pepper.as_ref(), &storage, &*entropy)?;
        let options = Options::default();
        let (store, writer) =
            SqliteStore::open(storage.database(), clock.clone(), entropy.clone(), options)
                .await
                .map_err(|source| ComposeError::Open {
                    database: storage.database().to_owned(),
                    source,
                })?;
        let foundations =
            Self { storage, store, clock, entropy, sealer: Arc::new(sealer), peppers };
        Ok((foundations, writer))
    }

    /// Lets go of the store, so that its writer can end. What is returned must be held until it
    /// has: another process must not open the database before the last write.
    #[must_use]
    pub fn release(self) -> Storage {
        self.storage
    }

    /// Founds the first organization and its admin, and leaves the admin's credential in
    /// `admin.json`.
    ///
    /// # Errors
    /// [`ComposeError`]; [`FoundError::Exists`] where there is one.
    pub async fn found(&self, name: Name, issuer: &Issuer) -> Result<Founded, ComposeError> {
        let file = AdminFile::new(&self.storage, issuer.join("/api/v1/token"));
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
            let file = AdminFile::new(&self.storage, String::new());
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
        // The process has the store to itself: nobody else changes anything.
        let known = Arc::new(Known::alone());
        Ok(IdentityProvider::new(Parts {
            store: self.store.clone().telling(known.clone()),
            platform,
            signer: ring,
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            limiter: Arc::new(LocalRateLimiter::new()),
            peppers: self.peppers.clone(),
            policy: TokenPolicy { issuer, lifetime: config.token_lifetime() },
            plans: *config.plans(),
            known,
            unauthenticated: config.network().unauthenticated,
        }))
    }
}

impl std::fmt::Debug for Foundations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foundations").field("storage", &self.storage).finish_non_exhaustive()
    }
}

// Of a key in the data folder only what is made of it stays: its own bytes are wiped at the end of
// the function that reads it.

fn sealer(
    configured: Option<&SecretKey>,
    storage: &Storage,
    entropy: Arc<dyn Entropy>,
) -> Result<Sealer, ComposeError> {
    let made = |key: &SecretKey, entropy| {
        Sealer::new(key.expose(), entropy).map_err(|_| ComposeError::Value("sealing key"))
    };
    match configured {
        Some(key) => made(key, entropy),
        None => made(&storage.key(SEALING_KEY, &*entropy)?, entropy),
    }
}

fn peppers(
    configured: Option<&SecretKey>,
    storage: &Storage,
    entropy: &dyn Entropy,
) -> Result<Peppers, StorageError> {
    let single = |key: &SecretKey| Peppers::single(Pepper::new(key.expose()));
    match configured {
        Some(key) => storage.check_pepper(key).map(|()| single(key)),
        None => Ok(single(&storage.key(PEPPER, entropy)?)),
    }
}

fn foundation(name: Name) -> Result<Foundation, ComposeError> {
    let slug = Slug::of(&name);
    let email = format!("admin@{}.invalid", slug.as_str());
    let field = |_| ComposeError::Value("admin");
    Ok(Foundation {
        admin_email: email.parse().map_err(field)?,
        version: env!("CARGO_PKG_VERSION").parse().map_err(field)?,
        owner: "platform".parse().map_err(|_| ComposeError::Value("admin"))?,
        capability: "idp:administer".parse().map_err(field)?,
        name,
        slug,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sm_04_a_database_of_a_later_release_is_left_to_it() {
        let source = OpenError::Newer { found: 7, known: 1 };
        let error = ComposeError::Open { database: PathBuf::from("a.sqlite"), source };
        let expected = "the database `a.sqlite` cannot be used; start the release that migrated \
                        it, or a later one";
        assert_eq!(error.to_string(), expected);
    }
}
