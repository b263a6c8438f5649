//! The keys of clients: what they authenticate by instead of a secret.

pub(crate) mod add;
pub(crate) mod list;
mod material;
pub(crate) mod remove;

use credentials::{AuthenticationMethod, OtherMethod};

use super::agents::invalid_transition;
use crate::problem::Problem;

impl From<OtherMethod> for Problem {
    fn from(error: OtherMethod) -> Self {
        let name = AuthenticationMethod::name;
        invalid_transition(error.to_string(), name(error.from), name(error.to))
    }
}
