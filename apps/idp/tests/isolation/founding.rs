//! Founds organizations by the domain's own means, since the API has no endpoint that does.

use std::sync::Arc;

use audit::{Journal, Transactor, record};
use credentials::{ClientSecret, Credential, LiveCount, NewCredential, Pepper, Peppers};
use futures_util::future::join;
use kernel::{AgentId, Clock, CredentialId, Entropy, ExposeSecret, OrganizationId};
use local::{SystemClock, SystemEntropy};
use postgres_store::{Isolation, Login, Options, PostgresStore};
use registry::{
    Agent, AgentType, Capabilities, DeploymentEnv, Metadata, NewAgent, Resources, Role, Roles,
};
use tenancy::{Actor, Kind, Organization, Origin, Plan, Scope};

use crate::installation::PEPPER;

/// An organization, and its admin's credential.
#[derive(Debug)]
pub(crate) struct Founded {
    pub(crate) organization: String,
    pub(crate) admin: String,
    pub(crate) credential: String,
    pub(crate) secret: String,
}

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
                all.push(one(&store, (&*clock, &*entropy), name).await);
            }
            // What goes on behind the store ends with it.
            drop(store);
            all
        };
        join(founding, background.run()).await.0
    })
}

async fn one(store: &PostgresStore, machine: (&dyn Clock, &dyn Entropy), name: &str) -> Founded {
    let (clock, entropy) = machine;
    let now = clock.now();
    let organization = OrganizationId::generate(now, entropy).unwrap();
    let admin = AgentId::generate(now, entropy).unwrap();
    let credential = CredentialId::generate(now, entropy).unwrap();
    let secret = ClientSecret::generate(credential, entropy).unwrap();
    let new = NewCredential {
        id: credential,
        agent: admin,
        organization,
        name: Some(name.parse().unwrap()),
        expires_at: None,
        hash: Peppers::single(Pepper::new(&PEPPER)).hash(secret.presented()),
    };
    let names = (name.parse().unwrap(), name.parse().unwrap());
    let founded = Organization::found(organization, names, (Kind::Tenant, Plan::Pro), now);
    let agent = Agent::register(admin, organization, admin_agent(name), None, now);
    let made = Credential::generate(new, LiveCount(0), now).unwrap();

    let scope = Scope::new(organization, Actor::System, Origin::internal());
    let tx = store.begin(scope).await.unwrap();
    let (tx, _) = record(tx, founded).await.unwrap();
    let (tx, _) = record(tx, agent).await.unwrap();
    let (tx, _) = record(tx, made).await.unwrap();
    tx.commit().await.unwrap();
    Founded {
        organization: organization.to_string(),
        admin: admin.to_string(),
        credential: credential.to_string(),
        secret: secret.into_text().expose_secret().to_owned(),
    }
}

fn admin_agent(name: &str) -> NewAgent {
    let capability: registry::Capability = format!("{name}:administer").parse().unwrap();
    NewAgent {
        email: format!("admin@{name}.invalid").parse().unwrap(),
        agent_type: AgentType::Custom,
        version: "1.0.0".parse().unwrap(),
        capabilities: Capabilities::from(capability),
        owner: name.parse().unwrap(),
        deployment_env: DeploymentEnv::Production,
        roles: Roles::from_iter([Role::Admin]),
        is_public: false,
        metadata: Metadata::default(),
        resources: Resources::default(),
        dpop_bound_access_tokens: false,
    }
}
