//! Founds the platform: its first organization, the admin of it, and the admin's secret.

use std::error::Error as StdError;

use ::credentials::{Credential, CredentialChange, LiveCount, NewCredential, credential};
use audit::{Apply, Directory, Journal, Transactor, record};
use kernel::{
    AgentId, Clock, CredentialId, Entropy, EntropyUnavailable, OrganizationId, Secret, StoreError,
};
use registry::{
    Agent, AgentChange, AgentType, Capabilities, Capability, DeploymentEnv, Email, Metadata,
    NewAgent, Owner, Resources, Role, Roles, SoftwareVersion,
};
use tenancy::{Actor, Kind, Name, Organization, OrganizationChange, Origin, Plan, Scope, Slug};
use thiserror::Error;

/// What to found.
#[derive(Debug, Clone, PartialEq)]
pub struct Foundation {
    /// The organization's name.
    pub name: Name,
    /// Its short name.
    pub slug: Slug,
    /// The admin's address.
    pub admin_email: Email,
    /// The version that the admin agent is given: this software's own.
    pub version: SoftwareVersion,
    /// Who answers for the admin agent.
    pub owner: Owner,
    /// What the admin may ask resource servers for: an agent has at least one capability.
    pub capability: Capability,
}

/// What was founded, with the only copy of the secret.
#[derive(Debug)]
pub struct Founded {
    /// The organization.
    pub organization: OrganizationId,
    /// The admin agent, which is its client id too.
    pub admin: AgentId,
    /// The admin's secret.
    pub secret: Secret,
}

/// Takes the secret into safe keeping before the foundation is committed: a secret that exists
/// only in memory is lost for good if the process ends just then.
pub trait SecretKeeper: Send + Sync {
    /// Keeps it.
    ///
    /// # Errors
    /// Whatever kept it from being kept; nothing is founded then.
    fn keep(&self, founded: &Founded) -> Result<(), Box<dyn StdError + Send + Sync>>;
}

/// Why nothing was founded.
#[derive(Debug, Error)]
pub enum FoundError {
    /// There is a platform already.
    #[error("there is an organization already")]
    Exists,
    /// The secret could not be kept.
    #[error("the admin's secret cannot be kept")]
    Keep(#[source] Box<dyn StdError + Send + Sync>),
    /// The credential's rules forbid it.
    #[error(transparent)]
    Credential(#[from] credential::GenerateError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

/// Founds the platform, once: organization, admin and credential in one transaction.
///
/// It stands alone and not among the provider's methods, since the provider needs what it makes.
///
/// # Errors
/// [`FoundError`]
pub async fn found<S>(
    store: &S,
    (clock, entropy): (&dyn Clock, &dyn Entropy),
    peppers: &::credentials::Peppers,
    foundation: Foundation,
    keeper: &dyn SecretKeeper,
) -> Result<Founded, FoundError>
where
    S: Transactor + Directory,
    S::Tx: Apply<OrganizationChange> + Apply<AgentChange> + Apply<CredentialChange>,
{
    if store.platform().await?.is_some() {
        return Err(FoundError::Exists);
    }
    let now = clock.now();
    let organization = OrganizationId::generate(now, entropy)?;
    let admin = AgentId::generate(now, entropy)?;
    let credential = CredentialId::generate(now, entropy)?;
    let secret = ::credentials::ClientSecret::generate(credential, entropy)?;
    let hash = peppers.hash(secret.presented());

    let names = (foundation.name.clone(), foundation.slug.clone());
    let plan = (Kind::Platform, Plan::Enterprise);
    let organization_change = Organization::found(organization, names, plan, now);
    let agent_change = Agent::register(admin, organization, admin_agent(foundation), None, now);
    let new = NewCredential {
        id: credential,
        agent: admin,
        organization,
        name: None,
        expires_at: None,
        hash,
    };
    let credential_change = Credential::generate(new, LiveCount(0), now)?;

    let scope = Scope::new(organization, Actor::System, Origin::internal());
    let tx = store.begin(scope).await?;
    // The store keeps the platform unique: whoever loses a race between two first starts learns it
    // here.
    let (tx, _) = record(tx, organization_change).await.map_err(taken)?;
    let (tx, _) = record(tx, agent_change).await?;
    let (tx, _) = record(tx, credential_change).await?;
    let founded = Founded { organization, admin, secret: secret.into_text() };
    keeper.keep(&founded).map_err(FoundError::Keep)?;
    tx.commit().await?;
    Ok(founded)
}

fn taken(error: StoreError) -> FoundError {
    if matches!(error, StoreError::Conflict) { FoundError::Exists } else { error.into() }
}

fn admin_agent(foundation: Foundation) -> NewAgent {
    NewAgent {
        email: foundation.admin_email,
        agent_type: AgentType::Custom,
        version: foundation.version,
        capabilities: Capabilities::from(foundation.capability),
        owner: foundation.owner,
        deployment_env: DeploymentEnv::Production,
        roles: Roles::from_iter([Role::Admin]),
        is_public: false,
        metadata: Metadata::default(),
        resources: Resources::default(),
        dpop_bound_access_tokens: false,
    }
}
