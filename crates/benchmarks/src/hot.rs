//! The hot functions: what each request runs, one by one, over inputs that are prepared once.
//!
//! [`HOT`] is the list. Criterion tells how long one takes (`cargo xtask bench micro`), callgrind how
//! many instructions (`cargo xtask bench instructions`); both call these, so that nothing is written
//! twice.

use std::path::Path;

mod events;
mod requests;
mod small;
mod tokens;
mod world;

/// Runs a hot function once. What it comes to is held against what it should be: a failure is no
/// measurement.
pub type Run = Box<dyn FnMut() -> anyhow::Result<()>>;

/// A function that is measured.
#[derive(Debug, Clone, Copy)]
pub struct Hot {
    /// What it is named on the command line.
    pub name: &'static str,
    /// What one run of it does.
    pub does: &'static str,
    prepare: fn(&Path) -> anyhow::Result<Run>,
}

impl Hot {
    /// Prepares the inputs. What is kept lies in this folder, and is found again there.
    ///
    /// # Errors
    /// Where they cannot be prepared.
    pub fn prepare(&self, folder: &Path) -> anyhow::Result<Run> {
        (self.prepare)(folder)
    }

    /// The one of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        HOT.into_iter().find(|hot| hot.name == name)
    }
}

const fn hot(
    name: &'static str,
    does: &'static str,
    prepare: fn(&Path) -> anyhow::Result<Run>,
) -> Hot {
    Hot { name, does, prepare }
}

/// All of them, from the smallest to whole requests.
pub const HOT: [Hot; 26] = [
    hot("id_generate", "makes an id", small::id_generate),
    hot("id_parse", "reads an id", small::id_parse),
    hot("id_print", "writes an id", small::id_print),
    hot("scope_parse", "reads a scope of three tokens", small::scope_parse),
    hot("scope_within", "whether a scope is within another", small::scope_within),
    hot("form_parse", "reads the form of a token request", small::form_parse),
    hot("basic_parse", "reads the credentials of HTTP Basic", small::basic_parse),
    hot("secret_parse", "reads a client secret", small::secret_parse),
    hot("secret_verify", "hashes a client secret and compares", small::secret_verify),
    hot("rate_admit", "counts a request of a client", small::rate_admit),
    hot("client_authenticate", "a client by its secret, from copies", tokens::client_authenticate),
    hot("bearer_authenticate", "a bearer by its token, from copies", tokens::bearer_authenticate),
    hot("token_claims", "what a token is to say", tokens::claims),
    hot("token_sign_es256", "writes those claims and signs them", tokens::sign_es256),
    hot("token_sign_eddsa", "the same with Ed25519", tokens::sign_eddsa),
    hot("token_sign_rs256", "the same with RSA, 2,048 bits", tokens::sign_rs256),
    hot("token_read", "reads a token and verifies ES256", tokens::read),
    hot("token_known", "the same of a token that was shown before", tokens::known),
    hot("token_judge", "whether a token that was read is good", tokens::judge),
    hot("event_record", "makes the record of a token's event", events::record),
    hot("event_leaf", "its canonical bytes and their hash", events::leaf),
    hot("events_sequence", "gives 1,000 events their places", events::sequence),
    hot("request_health", "GET /health: the layers alone", requests::health),
    hot("request_token", "POST /api/v1/token, its event in SQLite", requests::token),
    hot("request_introspect", "one token again and again, likewise", requests::introspect),
    hot("request_agent", "GET /api/v1/agents/{id} with a token", requests::agent),
];
