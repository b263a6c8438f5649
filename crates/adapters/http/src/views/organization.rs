//! An organization, as it goes out.

use serde::Serialize;
use usecases::organization::OrganizationDetails;

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
