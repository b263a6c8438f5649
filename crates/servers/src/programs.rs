//! The machine's own programs: where they lie, and whether they are new enough.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Error;

const OLDEST_POSTGRES: u32 = 14;
const OLDEST_REDIS: u32 = 7;

/// Where Debian keeps PostgreSQL, a folder for each version, none of them in PATH.
const DEBIAN_POSTGRES: &str = "/usr/lib/postgresql";

/// The folder that holds `postgres` and `initdb`: of the one in PATH, else of the newest of Debian's.
pub(crate) fn postgres() -> Result<PathBuf, Error> {
    // Through links: what lies beside the program itself is of the same version.
    let in_path = in_path("postgres").and_then(|program| fs::canonicalize(program).ok());
    let in_path = in_path.and_then(|program| program.parent().map(Path::to_path_buf));
    let mut debian: Vec<(u32, PathBuf)> = fs::read_dir(DEBIAN_POSTGRES)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    debian.sort();
    let newest_first = debian.into_iter().rev().map(|(_, folder)| folder);
    let will_do = |folder: &PathBuf| {
        let version = version(&folder.join("postgres"), ") ");
        folder.join("initdb").is_file() && version.is_some_and(|found| found >= OLDEST_POSTGRES)
    };
    in_path.into_iter().chain(newest_first).find(will_do).ok_or(Error::Missing {
        what: "PostgreSQL (14 or newer)",
        packages: "postgresql redis-server",
    })
}

/// `redis-server`, or the program that takes its place.
pub(crate) fn redis() -> Result<PathBuf, Error> {
    let will_do =
        |program: &PathBuf| version(program, "v=").is_some_and(|found| found >= OLDEST_REDIS);
    ["redis-server", "valkey-server"].into_iter().filter_map(in_path).find(will_do).ok_or(
        Error::Missing { what: "redis-server (7 or newer)", packages: "postgresql redis-server" },
    )
}

/// The program of this name in PATH.
#[expect(clippy::disallowed_methods, reason = "PATH is where the machine keeps its programs")]
pub(crate) fn in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// What a program prints, or nothing where it is missing or fails.
pub(crate) fn answer(program: impl AsRef<OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    let printed = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(printed)
}

fn version(program: &Path, before: &str) -> Option<u32> {
    number_after(&answer(program, &["--version"])?, before)
}

fn number_after(text: &str, before: &str) -> Option<u32> {
    let (_, rest) = text.split_once(before)?;
    rest.split(|char: char| !char.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        let postgres = "postgres (PostgreSQL) 16.4 (Debian 16.4-1.pgdg120+1)\n";
        assert_eq!(number_after(postgres, ") "), Some(16));
        assert_eq!(number_after("postgres (PostgreSQL) 18beta1", ") "), Some(18));
        let redis = "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64\n";
        assert_eq!(number_after(redis, "v="), Some(7));
        assert_eq!(number_after("who knows", "v="), None);
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_install() {
        assert_eq!(in_path("no-such-program-here"), None);
        let told = Error::Missing { what: "this", packages: "postgresql redis-server" }.to_string();
        assert!(told.contains("`sudo apt-get install postgresql redis-server`"), "{told}");
    }
}
