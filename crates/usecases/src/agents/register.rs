//! Registers an agent.

use audit::{Apply, Journal, Notes, Organizations, Transactor, record};
use kernel::{AgentId, EntropyUnavailable, StoreError};
use registry::{
    Agent, AgentChange, Agents, Fingerprint, IdempotencyKey, NewAgent, Registration, Resources,
    ResourcesRefused, RoleRefused, Roles,
};
use tenancy::{Plan, Plans, Quota, QuotaReached};
use thiserror::Error;

use super::AgentDetails;
use crate::{
    authenticate::{CallerEnded, KnowsParties},
    caller::Caller,
    provider::IdentityProvider,
};

/// Why an agent was not registered.
#[derive(Debug, Error)]
pub enum RegisterError {
    /// Another agent of the organization has this address.
    #[error("the email is taken within the organization")]
    EmailTaken,
    /// The organization has as many agents as its plan allows.
    #[error("the organization has as many agents as its plan allows")]
    Full {
        /// Its plan, as it is now.
        plan: Plan,
        /// How many it has, and how many it may.
        reached: QuotaReached,
    },
    /// The caller may not give these roles.
    #[error(transparent)]
    Roles(#[from] RoleRefused),
    /// The caller may not give resources.
    #[error(transparent)]
    Resources(#[from] ResourcesRefused),
    /// The idempotency key was used for something else.
    #[error("the idempotency key was used for another registration")]
    KeyReused {
        /// The agent that came of it then.
        existing: AgentId,
    },
    /// The caller is not good any more.
    #[error(transparent)]
    CallerEnded(#[from] CallerEnded),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There was no randomness for an id.
    #[error(transparent)]
    Entropy(#[from] EntropyUnavailable),
}

/// An agent that was registered, now or by the same request before.
#[derive(Debug, Clone, PartialEq)]
pub struct Registered {
    /// The agent.
    pub details: AgentDetails,
    /// Whether it was there already, under the same idempotency key.
    pub replayed: bool,
}

impl<S, G> IdentityProvider<S, G>
where
    S: Transactor + Notes,
    S::Tx: KnowsParties + Apply<AgentChange>,
{
    /// Registers an agent in the caller's organization. Under an idempotency key, the same request
    /// again finds the agent of the first, though the organization may have no more by now.
    ///
    /// # Errors
    /// [`RegisterError`]
    pub async fn register_agent(
        &self,
        caller: &Caller,
        new: NewAgent,
        key: Option<IdempotencyKey>,
    ) -> Result<Registered, RegisterError> {
        let now = self.now();
        let mut tx = self.begin_as::<RegisterError>(caller).await?;
        if let Some(key) = &key
            && let Some(past) = tx.registration(caller.agent(), key, now).await?
        {
            if past.fingerprint != Fingerprint::of(&new) {
                return Err(RegisterError::KeyReused { existing: past.agent });
            }
            return replay(tx, past.agent).await;
        }
        may_give(&mut tx, caller, &new).await?;
        if tx.agent_by_email(&new.email).await?.is_some() {
            return Err(RegisterError::EmailTaken);
        }
        has_room(&mut tx, &self.parts.plans).await?;
        let registration = key.map(|key| Registration::new(key, caller.agent(), &new, now));
        let id = AgentId::generate(now, self.entropy())?;
        let organization = caller.scope().organization();
        let change = Agent::register(id, organization, new, registration, now);
        let (tx, agent) = record(tx, change).await?;
        tx.commit().await?;
        let details = AgentDetails { agent, last_auth_at: None };
        Ok(Registered { details, replayed: false })
    }
}

async fn replay(mut tx: impl Agents, id: AgentId) -> Result<Registered, RegisterError> {
    let agent = tx
        .agent(id)
        .await?
        .ok_or(StoreError::Corrupt { table: "idempotency_key", column: "agent_id" })?;
    let details = AgentDetails::of(&mut tx, agent).await?;
    Ok(Registered { details, replayed: true })
}

async fn may_give(
    tx: &mut impl Agents,
    caller: &Caller,
    new: &NewAgent,
) -> Result<(), RegisterError> {
    let own = tx.agent(caller.agent()).await?.ok_or(RoleRefused)?;
    own.roles().may_turn(&Roles::default(), &new.roles)?;
    own.roles().may_turn_resources(&Resources::default(), &new.resources)?;
    Ok(())
}

/// By the plan that the organization is on now: the caller knows only the one that it was on when
/// the caller authenticated.
async fn has_room(
    tx: &mut (impl Organizations + Agents),
    plans: &Plans,
) -> Result<(), RegisterError> {
    let missing = StoreError::Corrupt { table: "agent", column: "organization_id" };
    let plan = tx.organization().await?.ok_or(missing)?.plan();
    let quota = plans.quotas(plan).agents;
    // A count takes the longer the more there are, and everybody who writes waits for it.
    if quota == Quota::Unlimited {
        return Ok(());
    }
    let room = quota.admits_one_more(tx.agent_count().await?);
    room.map_err(|reached| RegisterError::Full { plan, reached })
}
