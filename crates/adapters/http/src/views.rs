//! What goes out: the contract's JSON, kept apart from the domain's types so that neither binds
//! the other.

use std::collections::BTreeMap;

use audit::Hash;
pub(crate) use audit::event_view::EventView;
use credentials::{ClientKeyId, KeyMaterial, SubjectKind};
use kernel::{ExposeSecret, Page, Total};
use serde::Serialize;
use serde_json::{Map, Value};
use tokens::Confirmation;
use usecases::{
    agents::AgentDetails,
    audit_log::{ConsistencyProof, InclusionProof},
    credentials::{CredentialDetails, NewSecret},
    keys::KeyDetails,
    organization::OrganizationDetails,
    tokens::ActiveToken,
};

/// An agent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AgentView {
    agent_id: String,
    organization_id: String,
    email: String,
    agent_type: &'static str,
    version: String,
    capabilities: Vec<String>,
    owner: String,
    deployment_env: &'static str,
    status: &'static str,
    roles: Vec<&'static str>,
    is_public: bool,
    metadata: Map<String, Value>,
    resources: Vec<String>,
    dpop_bound_access_tokens: bool,
    created_at: String,
    updated_at: String,
    last_auth_at: Option<String>,
}

impl From<&AgentDetails> for AgentView {
    fn from(details: &AgentDetails) -> Self {
        let agent = details.agent.record();
        Self {
            agent_id: agent.id.to_string(),
            organization_id: agent.organization.to_string(),
            email: agent.email.as_str().to_owned(),
            agent_type: agent.agent_type.as_str(),
            version: agent.version.as_str().to_owned(),
            capabilities: agent.capabilities.iter().map(|one| one.as_str().to_owned()).collect(),
            owner: agent.owner.to_string(),
            deployment_env: agent.deployment_env.as_str(),
            status: agent.status.name().as_str(),
            roles: agent.roles.iter().map(registry::Role::name).collect(),
            is_public: agent.is_public,
            metadata: agent.metadata.as_object().clone(),
            resources: agent.resources.iter().map(|one| one.as_str().to_owned()).collect(),
            dpop_bound_access_tokens: agent.dpop_bound_access_tokens,
            created_at: agent.created_at.to_string(),
            updated_at: agent.updated_at.to_string(),
            last_auth_at: details.last_auth_at.map(|at| at.to_string()),
        }
    }
}

/// A credential, never its secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CredentialView {
    credential_id: String,
    client_id: String,
    status: &'static str,
    name: Option<String>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

impl From<&CredentialDetails> for CredentialView {
    fn from(details: &CredentialDetails) -> Self {
        let credential = details.credential.record();
        Self {
            credential_id: credential.id.to_string(),
            client_id: credential.agent.to_string(),
            status: details.status.as_str(),
            name: credential.name.as_ref().map(ToString::to_string),
            created_at: credential.created_at.to_string(),
            expires_at: credential.expires_at.map(|at| at.to_string()),
            last_used_at: details.last_used_at.map(|at| at.to_string()),
            revoked_at: details.revoked_at.map(|at| at.to_string()),
        }
    }
}

/// A credential that was just made: the only answer that ever carries a secret, and so it has no
/// `Debug`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NewSecretView<'a> {
    credential_id: String,
    client_id: String,
    client_secret: &'a str,
    status: &'static str,
    name: Option<String>,
    created_at: String,
    expires_at: Option<String>,
}

impl<'a> From<&'a NewSecret> for NewSecretView<'a> {
    fn from(made: &'a NewSecret) -> Self {
        let credential = made.credential.record();
        Self {
            credential_id: credential.id.to_string(),
            client_id: credential.agent.to_string(),
            client_secret: made.secret.expose_secret(),
            status: made.status.as_str(),
            name: credential.name.as_ref().map(ToString::to_string),
            created_at: credential.created_at.to_string(),
            expires_at: credential.expires_at.map(|at| at.to_string()),
        }
    }
}

/// A key of a client. All of it is public.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientKeyView {
    kid: String,
    credential_id: String,
    client_id: String,
    method: &'static str,
    algorithm: Option<&'static str>,
    jwk: Option<Map<String, Value>>,
    certificate_thumbprint: Option<String>,
    tls_client_auth: Option<BTreeMap<&'static str, String>>,
    status: &'static str,
    name: Option<String>,
    created_at: String,
    expires_at: Option<String>,
    last_used_at: Option<String>,
    revoked_at: Option<String>,
}

impl From<&KeyDetails> for ClientKeyView {
    fn from(details: &KeyDetails) -> Self {
        let key = details.key.record();
        Self {
            kid: key.kid.to_string(),
            credential_id: key.id.to_string(),
            client_id: key.agent.to_string(),
            method: key.material.method().name(),
            algorithm: key.material.algorithm().map(jose::Algorithm::name),
            jwk: jwk(&key.material, &key.kid),
            certificate_thumbprint: thumbprint(&key.material),
            tls_client_auth: subject(&key.material),
            status: details.status.as_str(),
            name: key.name.as_ref().map(ToString::to_string),
            created_at: key.created_at.to_string(),
            expires_at: key.expires_at.map(|at| at.to_string()),
            last_used_at: details.last_used_at.map(|at| at.to_string()),
            revoked_at: details.removed_at.map(|at| at.to_string()),
        }
    }
}

/// The public key, by the id that its client gave it.
fn jwk(material: &KeyMaterial, kid: &ClientKeyId) -> Option<Map<String, Value>> {
    match material {
        KeyMaterial::Jwk(key) => {
            let mut members = key.to_members();
            members.insert("kid".to_owned(), kid.as_str().into());
            Some(members)
        }
        KeyMaterial::Certificate(_) | KeyMaterial::Subject(_) => None,
    }
}

/// Of a certificate of the client's own, what it is known by.
fn thumbprint(material: &KeyMaterial) -> Option<String> {
    match material {
        KeyMaterial::Certificate(certificate) => Some(certificate.to_string()),
        KeyMaterial::Jwk(_) | KeyMaterial::Subject(_) => None,
    }
}

/// Of certificates of an authority's, the name that they must bear.
fn subject(material: &KeyMaterial) -> Option<BTreeMap<&'static str, String>> {
    match material {
        KeyMaterial::Subject(name) => {
            Some(BTreeMap::from([(subject_member(name.kind), name.text.to_string())]))
        }
        KeyMaterial::Jwk(_) | KeyMaterial::Certificate(_) => None,
    }
}

/// The member of `tlsClientAuth` for a kind of name.
pub(crate) const fn subject_member(kind: SubjectKind) -> &'static str {
    match kind {
        SubjectKind::Dn => "subjectDn",
        SubjectKind::SanDns => "sanDns",
        SubjectKind::SanUri => "sanUri",
        SubjectKind::SanIp => "sanIp",
        SubjectKind::SanEmail => "sanEmail",
    }
}

/// That an event is in the log. Hashes are in Base64.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct InclusionProofView {
    event_id: String,
    position: u64,
    leaf_hash: String,
    tree_size: u64,
    root_hash: String,
    hashes: Vec<String>,
    checkpoint: Option<String>,
}

impl From<&InclusionProof> for InclusionProofView {
    fn from(proof: &InclusionProof) -> Self {
        Self {
            event_id: proof.event.to_string(),
            position: proof.position,
            leaf_hash: proof.leaf_hash.to_string(),
            tree_size: proof.size,
            root_hash: proof.root.to_string(),
            hashes: proof.hashes.iter().map(ToString::to_string).collect(),
            checkpoint: proof.checkpoint.as_ref().map(|signed| signed.note.clone()),
        }
    }
}

/// A log of one size.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct LogAtSizeView {
    size: u64,
    root_hash: String,
}

impl From<&(u64, Hash)> for LogAtSizeView {
    fn from((size, root): &(u64, Hash)) -> Self {
        Self { size: *size, root_hash: root.to_string() }
    }
}

/// That a log only grew.
#[derive(Debug, Serialize)]
pub(crate) struct ConsistencyProofView {
    from: LogAtSizeView,
    to: LogAtSizeView,
    hashes: Vec<String>,
}

impl From<&ConsistencyProof> for ConsistencyProofView {
    fn from(proof: &ConsistencyProof) -> Self {
        Self {
            from: (&proof.from).into(),
            to: (&proof.to).into(),
            hashes: proof.hashes.iter().map(ToString::to_string).collect(),
        }
    }
}

/// What a plan allows: `null` is unlimited.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct QuotasView {
    agents: Option<u64>,
    requests_per_minute: u64,
    tokens_per_month: Option<u64>,
    audit_retention_days: u32,
}

/// What is used of it.
#[derive(Debug, Serialize)]
struct UsageView {
    agents: u64,
}

/// An organization.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OrganizationView {
    organization_id: String,
    name: String,
    slug: String,
    plan: &'static str,
    status: &'static str,
    quotas: QuotasView,
    usage: UsageView,
    created_at: String,
}

impl From<&OrganizationDetails> for OrganizationView {
    fn from(details: &OrganizationDetails) -> Self {
        let organization = details.organization.record();
        let quotas = &details.quotas;
        Self {
            organization_id: organization.id.to_string(),
            name: organization.name.to_string(),
            slug: organization.slug.as_str().to_owned(),
            plan: organization.plan.name(),
            status: organization.status.name(),
            quotas: QuotasView {
                agents: quotas.agents.limit(),
                requests_per_minute: quotas.requests.per_minute,
                tokens_per_month: quotas.tokens_per_month.limit(),
                audit_retention_days: quotas.audit_retention_days,
            },
            usage: UsageView { agents: details.agents },
            created_at: organization.created_at.to_string(),
        }
    }
}

/// What a token is bound to (RFC 7800 section 3.1): so a resource server holds whoever shows it to it.
#[derive(Debug, Serialize)]
enum ConfirmationView {
    /// The thumbprint of a key (RFC 9449 section 6.2).
    #[serde(rename = "jkt")]
    Key(String),
    /// The thumbprint of a certificate (RFC 8705 section 3.2).
    #[serde(rename = "x5t#S256")]
    Certificate(String),
}

impl From<&Confirmation> for ConfirmationView {
    fn from(confirmation: &Confirmation) -> Self {
        match confirmation {
            Confirmation::Key(key) => Self::Key(key.to_string()),
            Confirmation::Certificate(certificate) => Self::Certificate(certificate.to_string()),
        }
    }
}

/// A token that is good (RFC 7662 section 2.2).
#[derive(Debug, Serialize)]
pub(crate) struct ActiveTokenView {
    active: bool,
    scope: String,
    client_id: String,
    sub: String,
    aud: Vec<String>,
    iss: String,
    exp: i64,
    iat: i64,
    nbf: i64,
    jti: String,
    token_type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cnf: Option<ConfirmationView>,
    organization_id: String,
    agent_type: String,
}

impl From<&ActiveToken> for ActiveTokenView {
    fn from(token: &ActiveToken) -> Self {
        let claims = &token.claims;
        Self {
            active: true,
            scope: token.scope.to_string(),
            client_id: claims.agent.to_string(),
            sub: claims.agent.to_string(),
            aud: claims.audience.clone(),
            iss: claims.issuer.clone(),
            exp: claims.expires_at.unix_seconds(),
            iat: claims.issued_at.unix_seconds(),
            nbf: claims.issued_at.unix_seconds(),
            jti: claims.id.to_string(),
            token_type: Confirmation::scheme(claims.confirmation.as_ref()).name(),
            cnf: claims.confirmation.as_ref().map(ConfirmationView::from),
            organization_id: claims.organization.to_string(),
            agent_type: claims.agent_type.clone(),
        }
    }
}

/// A page of a list.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageView<T> {
    data: Vec<T>,
    total: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    total_relation: Option<&'static str>,
    page: Option<u32>,
    limit: u32,
    next_cursor: Option<String>,
}

impl<T> PageView<T> {
    /// The page as asked for, each row turned into its view.
    pub(crate) fn new<'a, Row, Id: ToString>(
        found: &'a Page<Row, Id>,
        (page, limit): (Option<u32>, u32),
    ) -> Self
    where
        T: From<&'a Row>,
    {
        let (total, total_relation) = match found.total {
            Total::Exactly(rows) => (rows, None),
            Total::AtLeast(rows) => (rows, Some("gte")),
        };
        Self {
            data: found.rows.iter().map(T::from).collect(),
            total,
            total_relation,
            page,
            limit,
            next_cursor: found.next.as_ref().map(ToString::to_string),
        }
    }
}
