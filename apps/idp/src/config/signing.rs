//! What tokens are signed with, and for how long by one key.

use std::time::Duration;

use tokens::{Algorithm, Lifetime, RotationPolicy};

/// How keys are rotated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signing {
    /// The algorithms, of which the first signs.
    pub algorithms: Vec<Algorithm>,
    /// For how many days a key signs.
    pub rotation_days: u32,
}

impl Signing {
    /// The rules that follow for tokens of this lifetime.
    #[must_use]
    pub fn policy(&self, lifetime: Lifetime) -> RotationPolicy {
        const DAY: u64 = 86_400;
        let period = Duration::from_secs(DAY * u64::from(self.rotation_days));
        RotationPolicy::new(self.algorithms.clone(), lifetime, period)
    }

    /// At most ten years. Zero is refused: it would be taken for "never", and for "always".
    pub(super) fn days(days: u64) -> Option<u32> {
        u32::try_from(days).ok().filter(|days| (1..=3_650).contains(days))
    }

    /// The algorithms of these names; `None` where there is none, one has no such name, or one
    /// stands twice.
    pub(super) fn algorithms<'a>(
        names: impl IntoIterator<Item = &'a str>,
    ) -> Option<Vec<Algorithm>> {
        let mut algorithms = Vec::new();
        for name in names {
            let algorithm = Algorithm::parse(name)?;
            if algorithms.contains(&algorithm) {
                return None;
            }
            algorithms.push(algorithm);
        }
        (!algorithms.is_empty()).then_some(algorithms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_in_the_order_in_which_they_are_named_each_once() {
        let named = |names: &[&str]| Signing::algorithms(names.iter().copied());
        assert_eq!(named(&["EdDSA", "ES256"]), Some(vec![Algorithm::EdDsa, Algorithm::Es256]));
        assert_eq!(named(&["PS256", "RS256"]), Some(vec![Algorithm::Ps256, Algorithm::Rs256]));
        for bad in
            [&[][..], &[""], &["none"], &["HS256"], &["es256"], &["ES256", "ES256"], &["ES256", ""]]
        {
            assert_eq!(named(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_key_signs_for_a_day_at_least_and_ten_years_at_most() {
        assert_eq!(
            [0, 1, 3_650, 3_651, u64::MAX].map(Signing::days),
            [None, Some(1), Some(3_650), None, None]
        );
    }
}
