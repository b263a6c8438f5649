//! OAuth scopes (RFC 6749 section 3.3): what a token permits.
//!
//! Not to be mixed up with a tenant's `Scope`, which says on whose behalf a request acts.

use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

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
        if is_token(text) { Ok(Self(text.into())) } else { Err(InvalidScope::Token) }
    }
}

fn is_token(text: &str) -> bool {
    let allowed = |byte| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
    (1..=ScopeToken::MAX_LENGTH).contains(&text.len()) && text.bytes().all(allowed)
}

/// A set of scope tokens. A clone shares them.
///
/// It is kept as its text, each token once and in order: that is what tokens and events hold, and of
/// a hundred thousand agents it takes a tenth of what as many trees do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeSet(Arc<str>);

impl ScopeSet {
    /// The longest scope parameter that is read, in characters.
    pub const MAX_LENGTH: usize = 4_000;

    /// The tokens in order of their text, with one space between them.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the token is in the set.
    #[must_use]
    pub fn contains(&self, token: &str) -> bool {
        self.iter().any(|held| held == token)
    }

    /// Whether every token of this set is in `other`.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        // Both are in order, so that what was passed once is not looked at again.
        let mut others = other.iter();
        self.iter().all(|token| others.any(|held| held == token))
    }

    /// The tokens that are in `other` too.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        if self.is_within(other) {
            return self.clone();
        }
        Self::of_ordered(self.iter().filter(|token| other.contains(token)))
    }

    /// Whether there is no token in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tokens, in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_terminator(' ')
    }

    fn of_ordered<'a>(tokens: impl Iterator<Item = &'a str>) -> Self {
        let mut text = String::new();
        for token in tokens {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(token);
        }
        Self(text.into())
    }
}

impl FromIterator<ScopeToken> for ScopeSet {
    fn from_iter<I: IntoIterator<Item = ScopeToken>>(tokens: I) -> Self {
        let tokens: BTreeSet<_> = tokens.into_iter().collect();
        Self::of_ordered(tokens.iter().map(ScopeToken::as_str))
    }
}

impl FromStr for ScopeSet {
    type Err = InvalidScope;

    /// Reads a space-delimited list: exactly one space between tokens, none at the ends.
    fn from_str(text: &str) -> Result<Self, InvalidScope> {
        if text.len() > Self::MAX_LENGTH {
            return Err(InvalidScope::Length);
        }
        if !text.split(' ').all(is_token) {
            return Err(InvalidScope::Token);
        }
        if text.split(' ').is_sorted_by(|one, next| one < next) {
            return Ok(Self(text.into()));
        }
        let tokens: BTreeSet<_> = text.split(' ').collect();
        Ok(Self::of_ordered(tokens.into_iter()))
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

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
    fn the_empty_set_holds_nothing_and_is_within_every_other() {
        let (none, some) = (ScopeSet::default(), "a:y".parse::<ScopeSet>().unwrap());
        assert!(none.is_empty() && none.iter().count() == 0 && none.as_str().is_empty());
        assert!(none.is_within(&none) && none.is_within(&some) && !some.is_within(&none));
        for no_token in ["", " ", "a:", "a:y a:y", "y"] {
            assert!(!none.contains(no_token) && !some.contains(no_token), "{no_token:?}");
        }
        assert_eq!(std::iter::empty().collect::<ScopeSet>(), none);
    }

    fn token() -> impl Strategy<Value = String> {
        "[!#a-c~]{1,2}"
    }

    proptest! {
        #[test]
        fn it_does_what_a_set_of_its_tokens_does(
            one in prop::collection::vec(token(), 1..6),
            other in prop::collection::vec(token(), 1..6),
        ) {
            let sets = [&one, &other].map(|tokens| tokens.iter().cloned().collect::<BTreeSet<_>>());
            let scopes = [&one, &other].map(|tokens| tokens.join(" ").parse::<ScopeSet>().unwrap());
            let [scope, beside] = &scopes;
            let tokens = one.iter().map(|token| token.parse::<ScopeToken>().unwrap());
            prop_assert_eq!(&tokens.collect::<ScopeSet>(), scope);
            prop_assert!(scope.iter().eq(sets[0].iter()));
            prop_assert!(other.iter().all(|one| scope.contains(one) == sets[0].contains(one)));
            prop_assert_eq!(scope.is_within(beside), sets[0].is_subset(&sets[1]));
            prop_assert!(scope.within(beside).iter().eq(sets[0].intersection(&sets[1])));
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
