//! The members' manifests: who says that it depends on whom.

use std::fs;
use std::path::Path;

use anyhow::Context;
use toml::{Table, Value};

/// A crate of the workspace.
#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    /// Relative to the root, with forward slashes.
    pub(crate) folder: String,
    pub(crate) dependencies: Vec<Dependency>,
}

impl Member {
    pub(crate) fn manifest(&self) -> String {
        format!("{}/Cargo.toml", self.folder)
    }
}

/// One line of a dependency table, by the package's true name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    pub(crate) package: String,
    pub(crate) kind: Kind,
}

/// The table that a dependency stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Normal,
    Development,
    Build,
}

const TABLES: [(&str, Kind); 3] = [
    ("dependencies", Kind::Normal),
    ("dev-dependencies", Kind::Development),
    ("build-dependencies", Kind::Build),
];

/// Every member of the workspace at `root`.
pub(crate) fn members(root: &Path) -> anyhow::Result<Vec<Member>> {
    let workspace = read(&root.join("Cargo.toml"))?;
    let shared = table(&workspace, &["workspace", "dependencies"]).cloned().unwrap_or_default();
    let patterns = table(&workspace, &["workspace"])
        .and_then(|workspace| workspace.get("members"))
        .and_then(Value::as_array)
        .context("`Cargo.toml` has no `workspace.members`")?;
    let mut members = Vec::new();
    for pattern in patterns.iter().filter_map(Value::as_str) {
        for folder in folders(root, pattern)? {
            let manifest = read(&root.join(&folder).join("Cargo.toml"))?;
            members.push(member(folder, &manifest, &shared)?);
        }
    }
    Ok(members)
}

/// One member, from its parsed manifest and the root's `[workspace.dependencies]`.
pub(crate) fn member(folder: String, manifest: &Table, shared: &Table) -> anyhow::Result<Member> {
    let name = table(manifest, &["package"])
        .and_then(|package| package.get("name"))
        .and_then(Value::as_str)
        .with_context(|| format!("`{folder}/Cargo.toml` has no `package.name`"))?
        .to_owned();
    let targets = table(manifest, &["target"]).into_iter().flat_map(|targets| targets.values());
    let mut dependencies = Vec::new();
    for part in std::iter::once(manifest).chain(targets.filter_map(Value::as_table)) {
        for (key, kind) in TABLES {
            let lines = table(part, &[key]).into_iter().flatten();
            dependencies.extend(
                lines.map(|(alias, line)| Dependency {
                    package: package(alias, line, shared),
                    kind,
                }),
            );
        }
    }
    Ok(Member { name, folder, dependencies })
}

/// Sees through a rename, here or in the root, so that an alias cannot hide a banned crate.
fn package(alias: &str, line: &Value, shared: &Table) -> String {
    let inherited = line.get("workspace").and_then(Value::as_bool) == Some(true);
    let line = if inherited { shared.get(alias).unwrap_or(line) } else { line };
    line.get("package").and_then(Value::as_str).unwrap_or(alias).to_owned()
}

fn folders(root: &Path, pattern: &str) -> anyhow::Result<Vec<String>> {
    let Some(parent) = pattern.strip_suffix("/*") else {
        return Ok(vec![pattern.to_owned()]);
    };
    let mut folders = Vec::new();
    for entry in fs::read_dir(root.join(parent)).with_context(|| format!("reading `{parent}`"))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            folders.push(format!("{parent}/{}", entry.file_name().to_string_lossy()));
        }
    }
    folders.sort();
    Ok(folders)
}

fn read(path: &Path) -> anyhow::Result<Table> {
    let text = fs::read_to_string(path).with_context(|| format!("reading `{}`", path.display()))?;
    toml::from_str(&text).with_context(|| format!("parsing `{}`", path.display()))
}

fn table<'a>(start: &'a Table, path: &[&str]) -> Option<&'a Table> {
    path.iter().try_fold(start, |table, key| table.get(*key)?.as_table())
}

/// A member for the tests of the rules.
#[cfg(test)]
pub(crate) fn made_up(folder: &str, dependencies: &[(&str, Kind)]) -> Member {
    Member {
        name: folder.rsplit('/').next().unwrap_or(folder).to_owned(),
        folder: folder.to_owned(),
        dependencies: dependencies
            .iter()
            .map(|(package, kind)| Dependency { package: (*package).to_owned(), kind: *kind })
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(manifest: &str, shared: &str) -> Member {
        let (manifest, shared) =
            (toml::from_str(manifest).unwrap(), toml::from_str(shared).unwrap());
        member("crates/domain/kernel".to_owned(), &manifest, &shared).unwrap()
    }

    #[test]
    fn every_table_is_read() {
        let member = parsed(
            "[package]\nname = 'kernel'\n[dependencies]\na = '1'\n[dev-dependencies]\nb = '1'\n\
             [build-dependencies]\nc = '1'\n[target.'cfg(unix)'.dependencies]\nd = '1'\n",
            "",
        );
        let read: Vec<_> =
            member.dependencies.iter().map(|d| (d.package.as_str(), d.kind)).collect();
        assert_eq!(
            read,
            [
                ("a", Kind::Normal),
                ("b", Kind::Development),
                ("c", Kind::Build),
                ("d", Kind::Normal)
            ]
        );
    }

    #[test]
    fn a_rename_hides_nothing() {
        let member = parsed(
            "[package]\nname = 'kernel'\n[dependencies]\nclock.workspace = true\n\
             dice = { version = '1', package = 'rand' }\n",
            "clock = { version = '1', package = 'tokio' }",
        );
        let read: Vec<_> = member.dependencies.iter().map(|d| d.package.as_str()).collect();
        assert_eq!(read, ["tokio", "rand"]);
    }

    #[test]
    fn patterns_and_plain_members_are_both_found() {
        let root = tempfile::tempdir().unwrap();
        for folder in ["apps/idp", "apps/empty", "xtask"] {
            fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for folder in ["apps/idp", "xtask"] {
            let manifest = root.path().join(folder).join("Cargo.toml");
            fs::write(manifest, "[package]\nname = 'x'\n").unwrap();
        }
        fs::write(root.path().join("Cargo.toml"), "[workspace]\nmembers = ['apps/*', 'xtask']\n")
            .unwrap();
        let found = members(root.path()).unwrap();
        let folders: Vec<_> = found.iter().map(|member| member.folder.as_str()).collect();
        assert_eq!(folders, ["apps/idp", "xtask"]);
    }
}
