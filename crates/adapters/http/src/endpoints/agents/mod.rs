//! Agents.

pub(crate) mod decommission;
pub(crate) mod get;
pub(crate) mod list;
pub(crate) mod register;
pub(crate) mod update;

use kernel::Resource;
use registry::{
    Capabilities, Capability, LastAdmin, Metadata, Resources, Role, Roles,
    status::InvalidTransition,
};
use serde_json::{Map, Value};

use crate::{
    error_code::Code,
    fields::{Given, Reason, object, text_list},
    problem::Problem,
};

fn capabilities(given: Given) -> Result<Capabilities, Reason> {
    Capabilities::new(text_list::<Capability>(given)?).map_err(|error| error.to_string())
}

fn roles(given: Given) -> Result<Roles, Reason> {
    Ok(text_list::<Role>(given)?.into_iter().collect())
}

fn resources(given: Given) -> Result<Resources, Reason> {
    Resources::new(text_list::<Resource>(given)?).map_err(|error| error.to_string())
}

fn metadata(given: Given) -> Result<Metadata, Reason> {
    Metadata::new(object(given)?).map_err(|error| error.to_string())
}

/// A step that the life cycle does not have, or that would leave no admin.
pub(crate) fn invalid_transition(message: String, from: &str, to: &str) -> Problem {
    let details = Map::from_iter([
        ("from".to_owned(), Value::from(from)),
        ("to".to_owned(), Value::from(to)),
    ]);
    Problem::conflict(Code::InvalidStateTransition, message, details)
}

impl From<InvalidTransition> for Problem {
    fn from(error: InvalidTransition) -> Self {
        invalid_transition(error.to_string(), error.from.as_str(), error.to.as_str())
    }
}

impl From<LastAdmin> for Problem {
    fn from(error: LastAdmin) -> Self {
        invalid_transition(error.to_string(), "active", error.to)
    }
}
