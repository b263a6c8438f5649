//! The documents of the project say what is so: every key with its default, every test that holds
//! an invariant, every link.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use idp::config::{
    Config, Sources,
    keys::{self, Fallback},
};

/// Two keys of nobody, for a configuration that is in production.
const SEALING_KEY: &str = "DZm92528ZSVGZPimuxJkzNMYEVEHxtW4a3TiienTDWs=";
const PEPPER: &str = "6UzxitPc8DGKKBDFfCV5TEIWrvs2Rpgg8vgoOn863Ts=";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn text(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| format!("{}: {error}", path.display()))
}

/// Every document, as a path from the root.
fn documents() -> Vec<PathBuf> {
    let mut documents: Vec<_> =
        ["README.md", "CHANGELOG.md"].iter().map(|name| root().join(name)).collect();
    for folder in ["docs", "docs/adr"] {
        let entries = fs::read_dir(root().join(folder)).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        documents.extend(paths.filter(|path| path.extension().is_some_and(|end| end == "md")));
    }
    documents
}

/// The texts between backticks.
fn quoted(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn every_key_is_documented_with_its_default() {
    let document = text("docs/configuration.md");
    for key in keys::ALL {
        let default = match key.fallback {
            Fallback::Unset => "unset".to_owned(),
            Fallback::EmptyList => "none".to_owned(),
            Fallback::Number(number) => format!("`{number}`"),
            Fallback::Text(default) | Fallback::List(default) => format!("`{default}`"),
        };
        let row = format!("| `{}` | `{}` | {default} |", key.variable, key.name);
        assert_eq!(document.matches(&row).count(), 1, "{row}");
    }
    let rows = document.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, keys::ALL.len(), "a key is documented that there is not");
}

#[test]
fn the_file_in_the_documentation_is_a_valid_configuration() {
    let document = text("docs/configuration.md");
    let example = document.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("idp.toml");
    fs::write(&file, example).unwrap();
    let environment = [("IDP_SEALING_KEY", SEALING_KEY), ("IDP_PEPPER", PEPPER)];
    let environment = environment.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let loaded = Config::load(&Sources { environment, file: Some(file) });
    assert!(loaded.is_ok(), "{:?}", loaded.err());
}

/// Fails unless the last column of each row names a place that is there, and only functions that are
/// defined in one of its files. Returns how many.
fn functions_named_in<'a>(rows: impl Iterator<Item = &'a str>) -> usize {
    let mut named = 0;
    for row in rows {
        let held_by = row.rsplit('|').nth(1).unwrap();
        let (paths, names): (Vec<_>, Vec<_>) =
            quoted(held_by).partition(|one| one.contains(['/', '.']));
        assert!(!paths.is_empty(), "nothing holds: {row}");
        let files = paths.iter().filter(|path| !path.ends_with('/'));
        let sources: String = files.map(text).collect();
        for name in names {
            named += 1;
            let defined = [format!("fn {name}("), format!("fn {name}<")];
            let is_there = defined.iter().any(|form| sources.contains(form));
            assert!(is_there, "`{name}` is not in {paths:?}: {row}");
        }
        for path in paths {
            assert!(root().join(path).exists(), "`{path}` is not there: {row}");
        }
    }
    named
}

#[test]
fn whoever_is_said_to_hold_an_invariant_is_there() {
    let document = text("docs/architecture.md");
    let section = document.split("\n## What never happens\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| ") && line.contains('`'));
    let named = functions_named_in(rows);
    assert!(named > 20, "only {named} checks are named");
}

#[test]
fn whatever_is_said_to_hold_a_rule_that_others_test_for_is_there() {
    let document = text("docs/conformance.md");
    let modules = document.lines().filter(|line| line.starts_with("| `"));
    assert!(functions_named_in(modules) >= 13);
    let holds = |row: &&str| row.starts_with("| ") && row.rsplit('|').nth(1).unwrap().contains('`');
    functions_named_in(document.lines().filter(holds));
}

#[test]
fn every_path_that_a_document_names_is_there() {
    for document in documents() {
        for path in text(&document).lines().flat_map(quoted).filter(|one| is_path(one)) {
            assert!(root().join(path).exists(), "`{path}` in {}", document.display());
        }
    }
}

fn is_path(text: &str) -> bool {
    let roots = ["apps/", "crates/", "docs/", "migrations/", "tests/", "xtask/"];
    roots.iter().any(|root| text.starts_with(root)) && !text.contains(['*', ' ', '{', '<', '…'])
}

#[test]
fn every_link_leads_somewhere() {
    for document in documents() {
        let content = text(&document);
        let links = content.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let target = document.parent().unwrap().join(link.split('#').next().unwrap());
            assert!(target.exists(), "`{link}` in {}", document.display());
        }
    }
}

#[test]
fn every_decision_is_in_the_index_once_and_says_what_a_decision_says() {
    let index = text("docs/adr/README.md");
    let decisions: Vec<_> = documents()
        .into_iter()
        .filter(|path| path.parent().unwrap().ends_with("docs/adr") && !path.ends_with("README.md"))
        .collect();
    for decision in &decisions {
        let name = decision.file_name().unwrap().to_str().unwrap();
        assert_eq!(index.matches(&format!("({name})")).count(), 1, "{name}");
        let content = text(decision);
        for part in ["\n## Context\n", "\n## Decision\n", "\n## Consequences\n", "\n## Rejected\n"]
        {
            assert!(content.contains(part), "{name} has no{part}");
        }
        let number = name.split('-').next().unwrap();
        assert!(content.starts_with(&format!("# {number} ")), "{name}");
    }
    for number in 1..=decisions.len() {
        assert!(index.contains(&format!("({number:04}-")), "{number} is missing");
    }
}
