//! OAuth scopes (RFC 6749 section 3.3): what a token permits.
//!
//! Not to be mixed up with a tenant's `Scope`, which says on whose behalf a request acts.

use std::{
    collections::{BTreeSet, btree_set},
    fmt,
    str::FromStr,
    sync::Arc,
};

use thiserror::Error;

/// Text that is no scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidScope {
    /// A token is empty, too long, or holds a character outside RFC 6749's set.
    #[error("a scope token is 1 to 128 printable ASCII characters other than `\"` and `\\`")]
    Token,
    /// The whole is longer than [`ScopeSet::MAX_LENGTH`].
    #[error("a scope is at most 4000 characters")]
    Length,
}

/// One scope token: `1*( %x21 / %x23-5B / %x5D-7E )`, at most 128 characters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ScopeToken(Box<str>);

impl ScopeToken {
    /// The longest token, in characters.
    pub const MAX_LENGTH: usize = 128;

    /// The token as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ScopeToken {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        let allowed = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        if (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidScope::Token)
        }
    }
}

/// A set of scope tokens, in order of their text. A clone shares them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeSet(Arc<BTreeSet<ScopeToken>>);

impl ScopeSet {
    /// The longest scope parameter that is read, in characters.
    pub const MAX_LENGTH: usize = 4_000;

    /// Whether the token is in the set.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.0.iter().any(|held| held.as_str() == token)
    }

    /// Whether every token of this set is in `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// Whether there is no token in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens, in order.
    pub fn iter(&self) -> btree_set::Iter<'_, ScopeToken> {
        self.0.iter()
    }
}

impl FromIterator<ScopeToken> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        Self(Arc::new(tokens.into_iter().collect()))
    }
}

impl FromStr for ScopeSet {
    type Err = InvalidScope;

    /// Reads a space-delimited list: exactly one space between tokens, none at the ends.
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > Self::MAX_LENGTH {
            return Err(InvalidScope::Length);
        }
        text.split(' ').map(str::parse).collect()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, token) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            f.write_str(token.as_str())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn te_04_a_scope_of_another_form_is_refused() {
        let long = "a".repeat(4_001);
        let many = "a ".repeat(10_000);
        for bad in
            ["", " ", "a  b", " a", "a ", "a\tb", "a\"b", "a\\b", "résumé:read", &long, &many]
        {
            assert!(bad.parse::<ScopeSet>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_scope_is_a_set_whose_text_is_sorted() {
        let scope: ScopeSet = "b:x a:y b:x".parse().unwrap();
        assert_eq!(scope.to_string(), "a:y b:x");
        assert!(scope.contains("a:y") && !scope.contains("a:*"));
        assert!("a:y".parse::<ScopeSet>().unwrap().is_within(&scope));
        assert!(!scope.is_within(&"a:y".parse().unwrap()));
    }
}
