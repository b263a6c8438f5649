//! `cargo xtask migrate`: a migration that shipped is never edited, and both engines hold the same ones.
//!
//! A database remembers which migrations it ran, not what they said: editing one that ran somewhere makes two schemas under
//! one version. So each file's SHA-256 is recorded, in the form that `sha256sum --check` reads, in the commit that adds the file.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context;
use data_encoding::HEXLOWER;
use ring::digest;

use crate::violation::{self, Violation};

const FOLDER: &str = "migrations";
const RECORD: &str = "migrations/checksums.txt";
const ENGINES: [&str; 2] = ["migrations/sqlite", "migrations/postgres"];

const SHIPPED: &str = "a migration that shipped is never edited; write a new one";
const RECORDED: &str = "each migration is recorded with `cargo xtask migrate --record`";
const NAMED: &str = "a migration is `migrations/<engine>/NNNN_name.sql`, each number once";
const TWINS: &str = "both engines hold migrations of the same numbers and names";

/// What is on the disk, and what was recorded of it: checksums by path.
#[derive(Debug, Default)]
struct Migrations {
    engines: Vec<&'static str>,
    files: BTreeMap<String, String>,
    recorded: BTreeMap<String, String>,
}

/// Checks the migrations and lists them.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let migrations = Migrations::read(root)?;
    violation::none_of(migrations.violations())?;
    for path in migrations.files.keys() {
        println!("{path}");
    }
    println!("{} migrations, each as it was recorded", migrations.files.len());
    Ok(())
}

/// Appends the checksums of new files. An entry that is there already is never touched.
pub(crate) fn record(root: &Path) -> anyhow::Result<()> {
    let mut migrations = Migrations::read(root)?;
    let new: Vec<_> =
        migrations.unrecorded().map(|(path, sum)| (path.clone(), sum.clone())).collect();
    migrations.recorded.extend(new.iter().cloned());
    violation::none_of(migrations.violations())?;
    let mut text = read_record(root)?;
    for (path, sum) in &new {
        text.push_str(&format!("{sum}  {path}\n"));
        println!("recorded {path}");
    }
    if new.is_empty() {
        println!("nothing new to record");
        return Ok(());
    }
    fs::write(root.join(RECORD), text).with_context(|| format!("writing `{RECORD}`"))
}

/// What `check-arch` asks of the migrations.
pub(crate) fn violations(root: &Path) -> anyhow::Result<Vec<Violation>> {
    Ok(Migrations::read(root)?.violations())
}

impl Migrations {
    fn read(root: &Path) -> anyhow::Result<Self> {
        let mut read = Self { recorded: parse_record(&read_record(root)?)?, ..Self::default() };
        for engine in ENGINES {
            let folder = root.join(engine);
            if !folder.is_dir() {
                continue;
            }
            read.engines.push(engine);
            for entry in fs::read_dir(&folder).with_context(|| format!("reading `{engine}`"))? {
                let entry = entry?;
                let path = format!("{engine}/{}", entry.file_name().to_string_lossy());
                let bytes = fs::read(entry.path()).with_context(|| format!("reading `{path}`"))?;
                read.files.insert(path, checksum(&bytes));
            }
        }
        Ok(read)
    }

    fn unrecorded(&self) -> impl Iterator<Item = (&String, &String)> {
        self.files.iter().filter(|(path, _)| !self.recorded.contains_key(*path))
    }

    fn violations(&self) -> Vec<Violation> {
        let mut found = self.edited();
        found.extend(self.unrecorded().map(|(path, _)| {
            Violation::new(path.as_str(), "its checksum is not recorded", RECORDED)
        }));
        found.extend(self.misnamed());
        found.extend(self.without_twin());
        found
    }

    fn edited(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for (path, recorded) in &self.recorded {
            match self.files.get(path) {
                Some(sum) if sum == recorded => {}
                Some(_) => found.push(Violation::new(path.as_str(), "it was edited", SHIPPED)),
                None => found.push(Violation::new(path.as_str(), "it is gone", SHIPPED)),
            }
        }
        found
    }

    fn misnamed(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        let mut numbers: BTreeMap<(&str, &str), &str> = BTreeMap::new();
        for path in self.files.keys() {
            let Some((engine, number)) = numbered(path) else {
                found.push(Violation::new(path.as_str(), "its name is of another form", NAMED));
                continue;
            };
            if let Some(other) = numbers.insert((engine, number), path) {
                let what = format!("its number is that of `{other}`");
                found.push(Violation::new(path.as_str(), what, NAMED));
            }
        }
        found
    }

    fn without_twin(&self) -> Vec<Violation> {
        let mut found = Vec::new();
        for path in self.files.keys() {
            let Some((engine, name)) = path.rsplit_once('/') else {
                continue;
            };
            for other in self.engines.iter().filter(|other| **other != engine) {
                let twin = format!("{other}/{name}");
                if !self.files.contains_key(&twin) {
                    let what = format!("`{twin}` is missing");
                    found.push(Violation::new(path.as_str(), what, TWINS));
                }
            }
        }
        found
    }
}

/// The engine's folder and the four digits, where the path is of the form that is asked for.
fn numbered(path: &str) -> Option<(&str, &str)> {
    let (engine, file) = path.rsplit_once('/')?;
    let (number, name) = file.strip_suffix(".sql")?.split_once('_')?;
    let digits = number.len() == 4 && number.bytes().all(|byte| byte.is_ascii_digit());
    let words = !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    (digits && words).then_some((engine, number))
}

fn checksum(bytes: &[u8]) -> String {
    HEXLOWER.encode(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn read_record(root: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(root.join(RECORD)) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error).with_context(|| format!("reading `{RECORD}`")),
    }
}

fn parse_record(text: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let mut recorded = BTreeMap::new();
    for line in text.lines() {
        let (sum, path) = line
            .split_once("  ")
            .filter(|(sum, path)| sum.len() == 64 && path.starts_with(FOLDER))
            .with_context(|| format!("`{RECORD}` has a line of another form: `{line}`"))?;
        if recorded.insert(path.to_owned(), sum.to_owned()).is_some() {
            anyhow::bail!("`{RECORD}` names `{path}` twice");
        }
    }
    Ok(recorded)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tree with these migrations, all recorded.
    fn tree(paths: &[&str]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        let mut sums = String::new();
        for path in paths {
            add(root.path(), path, path);
            sums.push_str(&format!("{}  {path}\n", checksum(path.as_bytes())));
        }
        fs::create_dir_all(root.path().join(FOLDER)).unwrap();
        fs::write(root.path().join(RECORD), sums).unwrap();
        root
    }

    fn add(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn told(root: &Path) -> String {
        violations(root).unwrap().iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn twins_that_are_recorded_pass() {
        let root =
            tree(&["migrations/sqlite/0001_agents.sql", "migrations/postgres/0001_agents.sql"]);
        assert_eq!(told(root.path()), "");
    }

    #[test]
    fn one_engine_alone_needs_no_twins() {
        assert_eq!(told(tree(&["migrations/sqlite/0001_agents.sql"]).path()), "");
        assert_eq!(told(tree(&[]).path()), "");
    }

    #[test]
    fn an_edit_of_a_recorded_file_is_refused_and_cannot_be_recorded() {
        let root = tree(&["migrations/sqlite/0001_agents.sql"]);
        add(root.path(), "migrations/sqlite/0001_agents.sql", "something else");
        assert!(told(root.path()).contains("it was edited"));
        let before = read_record(root.path()).unwrap();
        assert!(record(root.path()).is_err());
        assert_eq!(read_record(root.path()).unwrap(), before);
    }

    #[test]
    fn a_recorded_file_that_is_gone_is_refused() {
        let root = tree(&["migrations/sqlite/0001_agents.sql"]);
        fs::remove_file(root.path().join("migrations/sqlite/0001_agents.sql")).unwrap();
        assert!(told(root.path()).contains("it is gone"));
    }

    #[test]
    fn a_new_file_is_refused_until_it_is_recorded() {
        let root = tree(&["migrations/sqlite/0001_agents.sql"]);
        add(root.path(), "migrations/sqlite/0002_tokens.sql", "new");
        assert!(told(root.path()).contains("not recorded"));
        let before = read_record(root.path()).unwrap();
        record(root.path()).unwrap();
        assert_eq!(told(root.path()), "");
        assert!(read_record(root.path()).unwrap().starts_with(&before));
    }

    #[test]
    fn a_name_of_another_form_is_refused() {
        for name in ["1_agents.sql", "0001-agents.sql", "0001_Agents.sql", "0001_agents.txt"] {
            let root = tree(&[&format!("migrations/sqlite/{name}")]);
            assert!(told(root.path()).contains("of another form"), "{name}");
        }
    }

    #[test]
    fn a_number_used_twice_is_refused() {
        let root =
            tree(&["migrations/sqlite/0001_agents.sql", "migrations/sqlite/0001_tokens.sql"]);
        assert!(told(root.path()).contains("its number is that of"));
    }

    #[test]
    fn a_migration_of_one_engine_only_is_refused() {
        let root =
            tree(&["migrations/sqlite/0001_agents.sql", "migrations/postgres/0001_agent.sql"]);
        assert_eq!(told(root.path()).matches("is missing").count(), 2);
    }

    #[test]
    fn a_damaged_record_is_an_error() {
        assert!(parse_record("abc  migrations/sqlite/0001_agents.sql").is_err());
    }
}
