//! The composition root: configuration → adapters → use cases. No rules of its own.

mod acknowledging;
mod embedded;
mod error;
mod keys;
mod limits;
mod listeners;
mod logs;
mod process;
mod shared;
mod signing;
mod store;

pub use embedded::open as open_embedded;
pub use error::ComposeError;
pub use listeners::Announcer;
pub use logs::LogKeeping;
pub use shared::open as open_shared;
pub use signing::{CLOCKS_APART, KeyKeeping};
pub use store::{NoFeed, Store};

use std::sync::Arc;

use audit::ChangeHints;
use kernel::{AgentId, Clock, Entropy, OrganizationId, StoreError};
use local::{KeyRing, LocalVerifier};
use tenancy::{Name, RateLimiter, Slug};
use tokens::{Issuer, ProofUses, TokenPolicy};
use usecases::{
    IdentityProvider, Known, Parts,
    authenticate::Proofs,
    bootstrap::{self, Foundation, Founded},
    pepper,
};

use crate::{
    admin_file::AdminFile, config::Config, data_folder::DataFolder, probe::Pinged,
    runtime::BehindTheStore,
};
use keys::Keys;

/// The identity provider on this store.
pub type Provider<S> = IdentityProvider<S, KeyRing>;

/// The name of the organization that the first start of the embedded default founds.
pub const FIRST_ORGANIZATION: &str = "default";

/// Everything below the use cases, opened.
pub struct Foundations<S> {
    /// The data folder.
    pub folder: DataFolder,
    /// The store.
    pub store: S,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// The copies that callers are weighed by.
    pub known: Arc<Known>,
    /// What replicas share to be fast, where they do.
    pub cache: Option<Arc<dyn Pinged>>,
    /// Hints to other replicas, and who gives them at each change.
    pub hints: Option<(Arc<dyn ChangeHints>, Arc<Announcer>)>,
    limiter: Arc<dyn RateLimiter>,
    proof_uses: Arc<dyn ProofUses>,
    keys: Keys,
}

/// A store that is open, and the work that goes on behind it.
pub struct Opened<S> {
    /// What use cases stand on.
    pub foundations: Foundations<S>,
    /// What must be run, and must outlive the store.
    pub behind: BehindTheStore,
}

impl<S: Store> Foundations<S> {
    /// Founds the first organization and its admin, and leaves the admin's credential in
    /// `admin.json`.
    ///
    /// # Errors
    /// [`ComposeError`]; [`FoundError::Exists`](bootstrap::FoundError::Exists) where there is one.
    pub async fn found(&self, name: Name, issuer: &Issuer) -> Result<Founded, ComposeError> {
        let file = AdminFile::new(&self.folder, issuer.join("/api/v1/token"));
        let clock = (&*self.clock, &*self.entropy);
        let foundation = foundation(name)?;
        let founded =
            bootstrap::found(&self.store, clock, &self.keys.peppers, foundation, &file).await?;
        file.publish().map_err(ComposeError::AdminFile)?;
        // Now, and not at the first start of a server: that may be given another pepper.
        pepper::recognize(&self.store, founded.organization, &self.keys.peppers).await?;
        Ok(founded)
    }

    /// The platform's organization. Where there is none, the embedded default founds it; replicas
    /// do not, since its admin's credential would be left in the folder of whichever was first.
    ///
    /// Finishes a founding that was cut short after its commit.
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
        if S::IS_SHARED {
            return Err(ComposeError::NotFounded);
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
        (platform, checkpoint_key): (OrganizationId, [u8; 32]),
    ) -> Result<Provider<S>, ComposeError> {
        pepper::recognize(&self.store, platform, &self.keys.peppers).await?;
        let signer = self.key_ring(config, platform).await?;
        Ok(IdentityProvider::new(Parts {
            store: self.store.clone(),
            known: self.known.clone(),
            platform,
            signer,
            verifier: Arc::new(LocalVerifier),
            proofs: Proofs { nonces: self.keys.nonces.clone(), uses: self.proof_uses.clone() },
            clock: self.clock.clone(),
            entropy: self.entropy.clone(),
            limiter: self.limiter.clone(),
            peppers: self.keys.peppers.clone(),
            policy: TokenPolicy { issuer, lifetime: config.token_lifetime() },
            plans: *config.plans(),
            checkpoint_key,
            unauthenticated: config.network().unauthenticated,
            refusals_told: config.network().refusals_told,
        }))
    }
}

impl<S> std::fmt::Debug for Foundations<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Foundations").field("folder", &self.folder).finish_non_exhaustive()
    }
}

impl<S> std::fmt::Debug for Opened<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("foundations", &self.foundations).finish_non_exhaustive()
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
