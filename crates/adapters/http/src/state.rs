//! What handlers work with: the driving ports, and what the process knows of itself.

use std::{ops::Deref, sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::extract::FromRef;
use kernel::{Clock, Timestamp};
use usecases::driving::{
    AgentCredentials, AgentKeys, AgentRegistry, AuditTrail, Authenticator, AuthorizationServer,
    OwnOrganization,
};

use crate::{
    exports::Exports, metrics::MetricsText, service_health::ServiceHealth, supported::Supported,
};

/// Whether the process should be sent requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readiness {
    /// Yes.
    Ready,
    /// No: it is about to end.
    Draining,
    /// No: it cannot reach its store.
    Unreachable,
}

/// Tells whether the process is ready.
#[async_trait]
pub trait ReadinessProbe: Send + Sync {
    /// Finds out now, in bounded time.
    async fn readiness(&self) -> Readiness;
}

/// Asks the services behind the process how they are.
#[async_trait]
pub trait ServicesProbe: Send + Sync {
    /// Asks each that is configured, now, and each once. Answers within two seconds or so, whatever
    /// they do: one that has not answered by then is unreachable.
    async fn services(&self) -> Vec<ServiceHealth>;
}

/// What the process knows of itself.
#[derive(Clone)]
pub struct Process {
    /// The version of the software.
    pub version: &'static str,
    /// When it started.
    pub started_at: Timestamp,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Whether it is ready.
    pub probe: Arc<dyn ReadinessProbe>,
    /// How its services are.
    pub services: Arc<dyn ServicesProbe>,
    /// What was counted, where it is served beside the API.
    pub metrics: Option<Arc<dyn MetricsText>>,
}

impl Process {
    /// For how long it has run.
    pub(crate) fn uptime(&self) -> Duration {
        self.clock.now().since(self.started_at)
    }
}

/// The driving ports.
#[derive(Clone)]
pub struct Ports {
    /// Finds out who calls.
    pub authenticator: Arc<dyn Authenticator>,
    /// The registry of agents.
    pub agents: Arc<dyn AgentRegistry>,
    /// Their credentials.
    pub credentials: Arc<dyn AgentCredentials>,
    /// Their keys.
    pub keys: Arc<dyn AgentKeys>,
    /// The authorization server.
    pub authorization_server: Arc<dyn AuthorizationServer>,
    /// The audit log.
    pub audit: Arc<dyn AuditTrail>,
    /// The caller's own organization.
    pub organization: Arc<dyn OwnOrganization>,
    /// The exports under way.
    pub exports: Exports,
    /// What the metadata advertises beside the routes.
    pub supported: Arc<Supported>,
    /// The process.
    pub process: Process,
}

impl Ports {
    /// All ports from one provider.
    pub fn of<P>(provider: Arc<P>, process: Process) -> Self
    where
        P: Authenticator
            + AgentRegistry
            + AgentCredentials
            + AgentKeys
            + AuthorizationServer
            + AuditTrail
            + OwnOrganization
            + 'static,
    {
        Self {
            authenticator: provider.clone(),
            agents: provider.clone(),
            credentials: provider.clone(),
            keys: provider.clone(),
            authorization_server: provider.clone(),
            audit: provider.clone(),
            organization: provider,
            exports: Exports::default(),
            supported: Arc::new(Supported::default()),
            process,
        }
    }
}

/// The driving ports as every layer and every handler of one router has them: together, since each is
/// handed on several times for a request.
#[derive(Debug, Clone)]
pub(crate) struct SharedPorts(Arc<Ports>);

impl SharedPorts {
    pub(crate) fn new(ports: Ports) -> Self {
        Self(Arc::new(ports))
    }
}

impl Deref for SharedPorts {
    type Target = Ports;

    fn deref(&self) -> &Ports {
        &self.0
    }
}

/// Lets a handler name the one port that it works with.
macro_rules! hand_out {
    ($($field:ident: $port:ty),+ $(,)?) => {
        $(
            impl FromRef<SharedPorts> for $port {
                fn from_ref(ports: &SharedPorts) -> Self {
                    ports.$field.clone()
                }
            }
        )+
    };
}

hand_out! {
    agents: Arc<dyn AgentRegistry>,
    credentials: Arc<dyn AgentCredentials>,
    keys: Arc<dyn AgentKeys>,
    authorization_server: Arc<dyn AuthorizationServer>,
    audit: Arc<dyn AuditTrail>,
    organization: Arc<dyn OwnOrganization>,
    exports: Exports,
    supported: Arc<Supported>,
}

impl std::fmt::Debug for Process {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Process").field("version", &self.version).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").field("process", &self.process).finish_non_exhaustive()
    }
}
