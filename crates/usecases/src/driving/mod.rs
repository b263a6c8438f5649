//! The driving ports: what HTTP and the command line see of the use cases. Object-safe, so that
//! generics stop at the composition root and a handler can be tested with a mock.

mod agent_credentials;
mod agent_keys;
mod agent_registry;
mod audit_trail;
mod authenticator;
mod authorization_server;
mod own_organization;

pub use agent_credentials::AgentCredentials;
pub use agent_keys::AgentKeys;
pub use agent_registry::AgentRegistry;
pub use audit_trail::AuditTrail;
pub use authenticator::Authenticator;
pub use authorization_server::AuthorizationServer;
pub use own_organization::OwnOrganization;
#[cfg(feature = "mocks")]
pub use {
    agent_credentials::MockAgentCredentials, agent_keys::MockAgentKeys,
    agent_registry::MockAgentRegistry, audit_trail::MockAuditTrail,
    authenticator::MockAuthenticator, authorization_server::MockAuthorizationServer,
    own_organization::MockOwnOrganization,
};
