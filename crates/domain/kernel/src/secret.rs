//! Text that must not be seen: wiped when dropped, and silent in `Debug`.

pub use secrecy::ExposeSecret;

/// A secret text. `Debug` prints no part of it, it has neither `Display` nor a serialized form,
/// and its memory is wiped when it is dropped. Reading it takes [`ExposeSecret`], which is easy
/// to search for.
pub type Secret = secrecy::SecretString;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sl_05_debug_shows_nothing_of_a_secret() {
        let secret = Secret::from("canary-value".to_owned());
        assert!(!format!("{secret:?}").contains("canary"));
        assert_eq!(secret.expose_secret(), "canary-value");
    }
}
