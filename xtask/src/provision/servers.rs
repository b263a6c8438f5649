//! The servers that tests talk to: those that the environment names, else private ones that end with the tests.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

use ::servers::{Postgres, Redis};
use anyhow::{Context, bail};

const FOLDER: &str = "target/servers";

/// Held for as long as a run uses its folder, also by the kernel: it lets go when the run is killed.
const LOCK: &str = "in-use";

/// A server that tests find by a variable.
struct Server {
    variable: &'static str,
    name: &'static str,
    schemes: [&'static str; 2],
}

const DATABASE: Server = Server {
    variable: "DATABASE_URL",
    name: "PostgreSQL",
    schemes: ["postgres://", "postgresql://"],
};

const CACHE: Server =
    Server { variable: "REDIS_URL", name: "Redis", schemes: ["redis://", "rediss://"] };

/// How to reach both servers. Those that were started here end when this is dropped.
#[derive(Debug)]
pub(crate) struct Servers {
    variables: Vec<(&'static str, String)>,
    // In this order: a server ends before its folder goes.
    postgres: Option<Postgres>,
    redis: Option<Redis>,
    _folder: Folder,
}

impl Servers {
    /// Those that the variables name, and private ones for those that are unset.
    pub(crate) fn given_or_private(
        root: &Path,
        variable: impl Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let database = given(&DATABASE, &variable)?;
        let cache = given(&CACHE, &variable)?;
        let folder = Folder::new(&root.join(FOLDER))?;
        let path = folder.path.clone();
        let mut all = Self { variables: Vec::new(), postgres: None, redis: None, _folder: folder };
        let database = match database {
            Some(url) => url,
            None => all.postgres.insert(Postgres::start(&path.join("postgres"))?).url(),
        };
        let cache = match cache {
            Some(url) => url,
            None => all.redis.insert(Redis::start(&path.join("redis"))?).url(),
        };
        all.variables = vec![(DATABASE.variable, database), (CACHE.variable, cache)];
        Ok(all)
    }

    /// What tests must find in their environment.
    pub(crate) fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }
}

/// The URL that the variable holds, if it is set; never told in an error, since it may hold a password.
fn given(
    server: &Server,
    variable: impl Fn(&str) -> Option<String>,
) -> anyhow::Result<Option<String>> {
    let url = variable(server.variable).filter(|url| !url.is_empty());
    let is_right = |url: &String| server.schemes.iter().any(|scheme| url.starts_with(scheme));
    if url.as_ref().is_none_or(is_right) {
        return Ok(url);
    }
    let Server { variable, name, schemes: [scheme, _] } = server;
    bail!(
        "{variable} is not the URL of a {name} ({scheme}...); the tests need one; unset {variable} and they run a private one"
    )
}

/// A folder of this run alone, deleted with all that it holds when it is dropped.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// A new one among those of other runs, after deleting what runs that were killed have left.
    pub(crate) fn new(parent: &Path) -> anyhow::Result<Self> {
        for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
            if is_left_over(&entry.path()) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
        let path = parent.join(std::process::id().to_string());
        let making = || format!("making `{}`", path.display());
        fs::create_dir_all(&path).with_context(making)?;
        let lock = File::create(path.join(LOCK)).with_context(making)?;
        lock.try_lock().with_context(making)?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Whether nobody holds the lock. One without a lock file may be in the making.
fn is_left_over(folder: &Path) -> bool {
    let lock = File::open(folder.join(LOCK));
    lock.is_ok_and(|lock| !matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variable: &'static str, value: &'static str) -> impl Fn(&str) -> Option<String> {
        move |asked| (asked == variable).then(|| value.to_owned())
    }

    #[test]
    fn what_the_environment_names_is_used_and_nothing_is_started_for_it() {
        let root = tempfile::tempdir().unwrap();
        let url = "postgresql://somebody@somewhere/else";
        let servers =
            Servers::given_or_private(root.path(), environment("DATABASE_URL", url)).unwrap();
        assert!(servers.postgres.is_none());
        assert_eq!(servers.variables()[0], ("DATABASE_URL", url.to_owned()));
        let (name, private) = &servers.variables()[1];
        assert!(*name == "REDIS_URL" && private.starts_with("redis://127.0.0.1:"), "{private}");
    }

    #[test]
    fn a_url_of_another_kind_is_refused_and_not_told() {
        let root = tempfile::tempdir().unwrap();
        for variable in ["DATABASE_URL", "REDIS_URL"] {
            let url = environment(variable, "mysql://root:canary@localhost/");
            let error = Servers::given_or_private(root.path(), url).unwrap_err().to_string();
            assert!(error.starts_with(variable) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn an_empty_variable_is_unset() {
        assert_eq!(given(&CACHE, environment("REDIS_URL", "")).unwrap(), None);
    }

    #[test]
    fn the_folder_of_a_killed_run_is_deleted_and_that_of_a_living_one_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let [dead, living] = ["dead", "living"].map(|name| parent.path().join(name));
        for folder in [&dead, &living] {
            fs::create_dir_all(folder).unwrap();
        }
        File::create(dead.join(LOCK)).unwrap();
        let lock = File::create(living.join(LOCK)).unwrap();
        lock.lock().unwrap();
        let folder = Folder::new(parent.path()).unwrap();
        assert!(!dead.exists() && living.exists() && folder.path.exists());
        let path = folder.path.clone();
        drop(folder);
        assert!(!path.exists());
    }
}
