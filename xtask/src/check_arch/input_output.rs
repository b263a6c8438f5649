//! No input or output below the adapters: the domain and the use cases stay embeddable and testable.

use super::manifests::Member;
use super::resolved::Resolved;
use super::tiers;
use crate::violation::Violation;

const RULE: &str = "no crate of input, output, clock or randomness below crates/adapters";

/// Banned at any depth. A star stands for any ending.
const ANYWHERE: [&str; 13] = [
    "axum*",
    "deadpool*",
    "figment",
    "hyper*",
    "mio",
    "redis",
    "reqwest",
    "rusqlite",
    "sqlx*",
    "tokio*",
    "tower*",
    "tracing-subscriber",
    "ureq",
];

/// Banned only where a crate names them itself: cryptography brings its own further down.
const DIRECT: [&str; 2] = ["getrandom", "rand*"];

/// Banned crates that a pure crate names in its manifest, its tests included.
pub(crate) fn direct(members: &[Member]) -> Vec<Violation> {
    let mut found = Vec::new();
    for member in members.iter().filter(|member| tiers::is_pure(&member.folder)) {
        for dependency in &member.dependencies {
            let package = dependency.package.as_str();
            if is_any_of(&ANYWHERE, package) || is_any_of(&DIRECT, package) {
                let what = format!("`{}` may not depend on `{package}`", member.name);
                found.push(Violation::new(member.manifest(), what, RULE));
            }
        }
    }
    found
}

/// Banned crates that arrive through others, each with the way it took.
pub(crate) fn transitive(members: &[Member], resolved: &Resolved) -> Vec<Violation> {
    let mut found = Vec::new();
    for member in members.iter().filter(|member| tiers::is_pure(&member.folder)) {
        for way in resolved.ways_to(&member.name, |package| is_any_of(&ANYWHERE, package)) {
            // A way of two names is a direct dependency, told by the other rule.
            if way.len() > 2 {
                let what = format!("a banned crate is in its tree: {}", way.join(" -> "));
                found.push(Violation::new(member.manifest(), what, RULE));
            }
        }
    }
    found
}

fn is_any_of(patterns: &[&str], package: &str) -> bool {
    patterns.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => package.starts_with(start),
        None => package == *pattern,
    })
}

#[cfg(test)]
mod tests {
    use super::super::manifests::{Kind, made_up};
    use super::*;

    #[test]
    fn a_runtime_in_a_domain_crate_is_refused() {
        for kind in [Kind::Normal, Kind::Build, Kind::Development] {
            let found = direct(&[made_up("crates/domain/kernel", &[("tokio", kind)])]);
            assert_eq!(found.len(), 1, "{kind:?}");
        }
    }

    #[test]
    fn a_random_source_in_the_use_cases_is_refused() {
        assert_eq!(direct(&[made_up("crates/usecases", &[("rand_core", Kind::Normal)])]).len(), 1);
    }

    #[test]
    fn test_crates_and_pure_crates_are_allowed() {
        let lines = [("proptest", Kind::Development), ("ring", Kind::Normal)];
        assert_eq!(direct(&[made_up("crates/domain/tokens", &lines)]), []);
    }

    #[test]
    fn an_adapter_may_do_input_and_output() {
        assert_eq!(direct(&[made_up("crates/adapters/http", &[("axum", Kind::Normal)])]), []);
    }

    #[test]
    fn a_banned_crate_deep_in_the_tree_is_refused_with_its_way() {
        let members = [made_up("crates/domain/audit", &[("friendly", Kind::Normal)])];
        let resolved =
            Resolved::made_up(&[("audit", "friendly"), ("friendly", "tokio"), ("tokio", "mio")]);
        let found = transitive(&members, &resolved);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found.iter().any(|v| v.to_string().contains("audit -> friendly -> tokio")));
    }

    #[test]
    fn randomness_deep_in_the_tree_is_allowed() {
        let members = [made_up("crates/domain/tokens", &[("ring", Kind::Normal)])];
        let resolved = Resolved::made_up(&[("tokens", "ring"), ("ring", "getrandom")]);
        assert_eq!(transitive(&members, &resolved), []);
    }
}
