//! Credentials of agents.

pub(crate) mod create;
pub(crate) mod list;
pub(crate) mod revoke;
pub(crate) mod rotate;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use credentials::{LiveCount, credential::LimitReached};
use registry::AgentStatus;
use serde_json::Map;
use tenancy::Plan;
use usecases::credentials::{AgentEnded, NewSecret};

use super::agents::invalid_transition;
use crate::{error_code::Code, json::Json, problem::Problem, views::NewSecretView};

/// The one answer that shows a secret. It is told to no cache by the layer that answers pass.
fn created(made: &NewSecret) -> Response {
    (StatusCode::CREATED, Json(NewSecretView::from(made))).into_response()
}

impl From<AgentEnded> for Problem {
    fn from(AgentEnded(status): AgentEnded) -> Self {
        match status {
            AgentStatus::Decommissioned { .. } | AgentStatus::Archived { .. } => {
                let message = "the agent is decommissioned";
                Self::conflict(Code::AgentDecommissioned, message, Map::new())
            }
            AgentStatus::Active | AgentStatus::Suspended { .. } | AgentStatus::Revoked { .. } => {
                let message = "a revoked agent gets no credentials".to_owned();
                invalid_transition(message, status.name().as_str(), "active")
            }
        }
    }
}

/// The agent has as many credentials as it may have.
fn limit_reached(reached: LimitReached, plan: Plan) -> Problem {
    Problem::used_up(reached.to_string(), (LiveCount::MAX, reached.used), plan)
}
