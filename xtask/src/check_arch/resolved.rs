//! The whole tree of dependencies, as cargo resolved it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use crate::process;

/// What each package of the tree needs at run time. Dev- and build-dependencies are left out.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    names: BTreeMap<String, String>,
    needs: BTreeMap<String, Vec<String>>,
    members: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<Edge>,
}

#[derive(Deserialize)]
struct Edge {
    pkg: String,
    dep_kinds: Vec<EdgeKind>,
}

#[derive(Deserialize)]
struct EdgeKind {
    kind: Option<String>,
}

impl Resolved {
    /// Asks cargo, without the network where it can do without.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let cargo = process::cargo();
        let host = process::answer(&cargo, &["-vV"])
            .and_then(|told| Some(told.lines().find_map(|l| l.strip_prefix("host: "))?.to_owned()));
        let mut arguments = vec!["metadata", "--format-version", "1"];
        // Crates for other platforms are not on this disk, and would have to be fetched.
        if let Some(host) = &host {
            arguments.extend(["--filter-platform", host]);
        }
        let offline = process::command(root, &cargo, &arguments).arg("--offline").output();
        let text = match offline {
            Ok(output) if output.status.success() => String::from_utf8(output.stdout)?,
            _ => process::output(&mut process::command(root, &cargo, &arguments))?,
        };
        Self::parse(&text).context("reading what `cargo metadata` printed")
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let metadata: Metadata = serde_json::from_str(text)?;
        let names: BTreeMap<_, _> = metadata.packages.into_iter().map(|p| (p.id, p.name)).collect();
        let members = metadata
            .workspace_members
            .into_iter()
            .filter_map(|id| Some((names.get(&id)?.clone(), id)))
            .collect();
        let needs = metadata.resolve.nodes.into_iter().map(|node| {
            let at_run_time = |edge: &Edge| edge.dep_kinds.iter().any(|kind| kind.kind.is_none());
            (node.id, node.deps.into_iter().filter(at_run_time).map(|edge| edge.pkg).collect())
        });
        Ok(Self { needs: needs.collect(), names, members })
    }

    /// The shortest way from the member to each package that `is_sought` names, and none through another such.
    pub(crate) fn ways_to(
        &self,
        member: &str,
        is_sought: impl Fn(&str) -> bool,
    ) -> Vec<Vec<String>> {
        let Some(start) = self.members.get(member) else {
            return Vec::new();
        };
        let mut seen = BTreeSet::from([start]);
        let mut queue = VecDeque::from([vec![start]]);
        let mut ways = Vec::new();
        while let Some(way) = queue.pop_front() {
            let needs = way.last().and_then(|id| self.needs.get(*id)).into_iter().flatten();
            for next in needs.filter(|next| seen.insert(next)).collect::<Vec<_>>() {
                let longer: Vec<&String> = way.iter().copied().chain([next]).collect();
                if is_sought(self.name(next)) {
                    ways.push(longer.iter().map(|id| self.name(id).to_owned()).collect());
                } else {
                    queue.push_back(longer);
                }
            }
        }
        ways
    }

    fn name<'a>(&'a self, id: &'a str) -> &'a str {
        self.names.get(id).map_or(id, String::as_str)
    }

    /// A tree for the tests of the rules: every name is its own id, and every package a member.
    #[cfg(test)]
    pub(crate) fn made_up(edges: &[(&str, &str)]) -> Self {
        let mut tree = Self::default();
        for (from, to) in edges {
            tree.members.insert((*from).to_owned(), (*from).to_owned());
            tree.needs.entry((*from).to_owned()).or_default().push((*to).to_owned());
        }
        tree
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_needed_at_run_time_is_followed() {
        let text = r#"{
            "packages": [{"id": "a#1", "name": "a"}, {"id": "b#1", "name": "b"}, {"id": "c#1", "name": "c"}],
            "workspace_members": ["a#1"],
            "resolve": {"nodes": [
                {"id": "a#1", "deps": [
                    {"pkg": "b#1", "dep_kinds": [{"kind": "dev"}]},
                    {"pkg": "c#1", "dep_kinds": [{"kind": "dev"}, {"kind": null}]}
                ]}
            ]}
        }"#;
        let resolved = Resolved::parse(text).unwrap();
        assert_eq!(resolved.ways_to("a", |_| true), [["a", "c"]]);
    }

    #[test]
    fn a_ring_of_crates_ends_the_walk() {
        let resolved = Resolved::made_up(&[("a", "b"), ("b", "a")]);
        assert!(resolved.ways_to("a", |name| name == "tokio").is_empty());
    }
}
