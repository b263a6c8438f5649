//! Founds organizations: the first as the installation does, a second through the domain.

use std::{
    error::Error,
    sync::{Arc, Mutex},
};

use audit::{Journal, Transactor, record};
use credentials::{ClientSecret, Credential, LiveCount, NewCredential, Peppers};
use kernel::{AgentId, Clock, CredentialId, Entropy, ExposeSecret, OrganizationId};
use registry::{
    Agent, AgentType, Capabilities, DeploymentEnv, Metadata, NewAgent, Resources, Role, Roles,
};
use sqlite_store::SqliteStore;
use tenancy::{Actor, Kind, Organization, Origin, Plan, Scope};
use usecases::bootstrap::{self, Foundation, Founded, SecretKeeper};

use super::Client;

/// What founding needs.
pub(crate) struct Founding<'a> {
    pub(crate) store: &'a SqliteStore,
    pub(crate) clock: &'a dyn Clock,
    pub(crate) entropy: &'a dyn Entropy,
    pub(crate) peppers: &'a Peppers,
}

/// Keeps the secret in memory.
#[derive(Default)]
struct Kept(Mutex<String>);

impl SecretKeeper for Kept {
    fn keep(&self, founded: &Founded) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.0.lock().unwrap().push_str(founded.secret.expose_secret());
        Ok(())
    }
}

impl Founding<'_> {
    /// The platform, as the first start makes it.
    pub(crate) async fn platform(&self) -> (OrganizationId, Client) {
        let kept = Arc::new(Kept::default());
        let foundation = Foundation {
            name: "Platform".parse().unwrap(),
            slug: "platform".parse().unwrap(),
            admin_email: "admin@platform.invalid".parse().unwrap(),
            version: "1.0.0".parse().unwrap(),
            owner: "platform".parse().unwrap(),
            capability: "idp:administer".parse().unwrap(),
        };
        let machine = (self.clock, self.entropy);
        let founded =
            bootstrap::found(self.store, machine, self.peppers, foundation, &*kept).await.unwrap();
        let id = founded.admin.to_string();
        let secret = founded.secret.expose_secret().to_owned();
        assert_eq!(*kept.0.lock().unwrap(), secret);
        (founded.organization, Client { id, secret, credential: String::new() })
    }

    /// Another organization, with an admin of its own.
    pub(crate) async fn tenant(&self, plan: Plan) -> (OrganizationId, Client) {
        let now = self.clock.now();
        let organization = OrganizationId::generate(now, self.entropy).unwrap();
        let admin = AgentId::generate(now, self.entropy).unwrap();
        let credential = CredentialId::generate(now, self.entropy).unwrap();
        let secret = ClientSecret::generate(credential, self.entropy).unwrap();
        let new = NewCredential {
            id: credential,
            agent: admin,
            organization,
            name: None,
            expires_at: None,
            hash: self.peppers.hash(secret.presented()),
        };
        let names = ("Other".parse().unwrap(), "other".parse().unwrap());
        let founded = Organization::found(organization, names, (Kind::Tenant, plan), now);
        let agent = Agent::register(admin, organization, admin_agent(), None, now);
        let credential_change = Credential::generate(new, LiveCount(0), now).unwrap();

        let scope = Scope::new(organization, Actor::System, Origin::internal());
        let tx = self.store.begin(scope).await.unwrap();
        let (tx, _) = record(tx, founded).await.unwrap();
        let (tx, _) = record(tx, agent).await.unwrap();
        let (tx, _) = record(tx, credential_change).await.unwrap();
        tx.commit().await.unwrap();
        let secret = secret.into_text().expose_secret().to_owned();
        let credential = credential.to_string();
        (organization, Client { id: admin.to_string(), secret, credential })
    }
}

fn admin_agent() -> NewAgent {
    let capability: registry::Capability = "idp:administer".parse().unwrap();
    NewAgent {
        email: "admin@other.invalid".parse().unwrap(),
        agent_type: AgentType::Custom,
        version: "1.0.0".parse().unwrap(),
        capabilities: Capabilities::from(capability),
        owner: "other".parse().unwrap(),
        deployment_env: DeploymentEnv::Production,
        roles: Roles::from_iter([Role::Admin]),
        is_public: false,
        metadata: Metadata::default(),
        resources: Resources::default(),
        dpop_bound_access_tokens: false,
    }
}
