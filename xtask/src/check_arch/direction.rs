//! Dependencies point downwards, and never sideways.

use super::manifests::{Kind, Member};
use super::tiers::Tier;
use crate::violation::Violation;

const RULE: &str = "kernel <- tenancy <- audit <- {registry, credentials, tokens} <- usecases <- \
                    adapters <- apps; crates/contracts only as a dev-dependency of adapters and apps; \
                    crates/servers likewise, and of the tools";

/// The members without a tier, and the dependencies that point upwards or sideways.
pub(crate) fn violations(members: &[Member]) -> Vec<Violation> {
    members.iter().flat_map(|member| of_member(member, members)).collect()
}

fn of_member(member: &Member, members: &[Member]) -> Vec<Violation> {
    let Some(tier) = Tier::of(&member.folder) else {
        let what = format!(
            "`{}` lies in a folder without a tier; give it one in `xtask/src/check_arch/tiers.rs`",
            member.name
        );
        return vec![Violation::new(member.manifest(), what, RULE)];
    };
    let mut found = Vec::new();
    for dependency in &member.dependencies {
        let target = members.iter().find(|other| other.name == dependency.package);
        // A target without a tier is a violation of its own, told once, at its own manifest.
        let Some((target, target_tier)) = target.and_then(|t| Some((t, Tier::of(&t.folder)?)))
        else {
            continue;
        };
        let itself = target.name == member.name && dependency.kind == Kind::Development;
        if !itself && !is_allowed(tier, target_tier, dependency.kind) {
            let what = format!(
                "`{}` ({tier:?}) may not depend on `{}` ({target_tier:?}){}",
                member.name,
                target.name,
                if dependency.kind == Kind::Development { ", not in its tests either" } else { "" }
            );
            found.push(Violation::new(member.manifest(), what, RULE));
        }
    }
    found
}

fn is_allowed(from: Tier, to: Tier, kind: Kind) -> bool {
    let is_below = from != Tier::Tool && to.height() < from.height();
    let for_tests = kind == Kind::Development && matches!(from, Tier::Adapter | Tier::App);
    match to {
        Tier::Contracts => for_tests,
        Tier::Servers => for_tests || from == Tier::Tool,
        Tier::Adapter => for_tests || is_below,
        Tier::Rows => from == Tier::Adapter,
        Tier::Kernel
        | Tier::Jose
        | Tier::Tenancy
        | Tier::Audit
        | Tier::Sibling
        | Tier::UseCases => is_below,
        // They fill stores by the program's own parts.
        Tier::App => from == Tier::Benchmarks,
        Tier::Fuzzing | Tier::Benchmarks | Tier::Tool => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::manifests::made_up;
    use super::*;

    const FOLDERS: [&str; 12] = [
        "crates/domain/kernel",
        "crates/domain/tenancy",
        "crates/domain/audit",
        "crates/domain/registry",
        "crates/domain/tokens",
        "crates/usecases",
        "crates/adapters/http",
        "crates/adapters/sqlite",
        "crates/contracts",
        "crates/servers",
        "apps/idp",
        "xtask",
    ];

    /// How many violations one dependency makes in a tree that has no other.
    fn refusals(folder: &str, package: &str, kind: Kind) -> usize {
        let line = [(package, kind)];
        let members: Vec<_> = FOLDERS
            .iter()
            .map(|name| made_up(name, if *name == folder { &line } else { &[] }))
            .collect();
        violations(&members).len()
    }

    #[test]
    fn a_downward_dependency_is_allowed() {
        assert_eq!(refusals("crates/domain/tenancy", "kernel", Kind::Normal), 0);
        assert_eq!(refusals("crates/usecases", "registry", Kind::Normal), 0);
        assert_eq!(refusals("crates/adapters/http", "usecases", Kind::Normal), 0);
        assert_eq!(refusals("crates/contracts", "usecases", Kind::Normal), 0);
        assert_eq!(refusals("apps/idp", "sqlite", Kind::Normal), 0);
    }

    #[test]
    fn an_upward_dependency_is_refused() {
        assert_eq!(refusals("crates/domain/kernel", "tenancy", Kind::Normal), 1);
        assert_eq!(refusals("crates/domain/audit", "registry", Kind::Build), 1);
        assert_eq!(refusals("crates/usecases", "sqlite", Kind::Normal), 1);
        assert_eq!(refusals("crates/adapters/http", "idp", Kind::Normal), 1);
    }

    #[test]
    fn an_upward_dependency_of_tests_is_refused_too() {
        assert_eq!(refusals("crates/domain/registry", "usecases", Kind::Development), 1);
        assert_eq!(refusals("crates/usecases", "contracts", Kind::Development), 1);
    }

    #[test]
    fn siblings_do_not_know_each_other() {
        assert_eq!(refusals("crates/domain/registry", "tokens", Kind::Normal), 1);
        assert_eq!(refusals("crates/adapters/http", "sqlite", Kind::Normal), 1);
        assert_eq!(refusals("crates/contracts", "sqlite", Kind::Development), 1);
    }

    #[test]
    fn adapters_and_apps_may_test_against_other_adapters_and_the_contracts() {
        assert_eq!(refusals("crates/adapters/http", "sqlite", Kind::Development), 0);
        assert_eq!(refusals("crates/adapters/sqlite", "contracts", Kind::Development), 0);
        assert_eq!(refusals("apps/idp", "contracts", Kind::Development), 0);
    }

    #[test]
    fn the_contracts_never_ship() {
        assert_eq!(refusals("crates/adapters/sqlite", "contracts", Kind::Normal), 1);
        assert_eq!(refusals("apps/idp", "contracts", Kind::Normal), 1);
    }

    #[test]
    fn the_servers_are_for_tests_and_tools_and_know_nothing_of_the_product() {
        for folder in ["crates/adapters/sqlite", "apps/idp"] {
            assert_eq!(refusals(folder, "servers", Kind::Development), 0);
            assert_eq!(refusals(folder, "servers", Kind::Normal), 1);
        }
        assert_eq!(refusals("xtask", "servers", Kind::Normal), 0);
        assert_eq!(refusals("crates/usecases", "servers", Kind::Development), 1);
        assert_eq!(refusals("crates/servers", "kernel", Kind::Development), 1);
    }

    #[test]
    fn tools_and_product_do_not_know_each_other() {
        assert_eq!(refusals("xtask", "kernel", Kind::Normal), 1);
        assert_eq!(refusals("apps/idp", "xtask", Kind::Normal), 1);
    }

    #[test]
    fn a_crate_without_a_tier_is_refused() {
        let found = violations(&[made_up("crates/domain/billing", &[])]);
        assert!(found.iter().any(|v| v.to_string().contains("without a tier")), "{found:?}");
    }
}
