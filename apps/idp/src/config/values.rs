//! The small types of configured values, and how each is read from text.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

/// What the server takes for granted, and what it refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// On one's own machine: missing keys are made, http is fine.
    Development,
    /// Everywhere else: what is unsafe is refused.
    Production,
}

impl Mode {
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "development" => Some(Self::Development),
            "production" => Some(Self::Production),
            _ => None,
        }
    }

    /// Its name, as it is configured.
    pub fn name(self) -> &'static str {
        match self {
            Self::Development => "development",
            Self::Production => "production",
        }
    }
}

/// How many connections are served at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionLimit(NonZeroU32);

impl ConnectionLimit {
    pub(super) fn new(count: u64) -> Option<Self> {
        let count = u32::try_from(count).ok().filter(|count| *count <= 65_536)?;
        NonZeroU32::new(count).map(Self)
    }

    /// The number.
    pub fn get(self) -> NonZeroU32 {
        self.0
    }
}

/// The file of the embedded store, as a `sqlite:` URL names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseFile(PathBuf);

/// Why a database URL is not taken. No variant holds the URL: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDatabase {
    /// A database server, which this build cannot speak to.
    #[error(
        "this build has the embedded store only; unset it to use a file in the data folder, or \
         give `sqlite:` and a path"
    )]
    NotBuilt,
    /// Another scheme.
    #[error("its scheme is not `sqlite:`")]
    Scheme,
    /// A database in memory, which would lose every acknowledged change at the next stop.
    #[error("a store in memory would forget everything at the next stop")]
    InMemory,
    /// Parameters or escapes, which might switch durability off, or mean another file.
    #[error("after `sqlite:` there must be a plain path, without `?`, `#` or `%`")]
    NotAPath,
}

impl DatabaseFile {
    /// Reads a `sqlite:` URL.
    ///
    /// # Errors
    /// Tells the first rule that the URL breaks.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidDatabase> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidDatabase::Scheme)?;
        match scheme {
            "sqlite" => {}
            "postgres" | "postgresql" => return Err(InvalidDatabase::NotBuilt),
            _ => return Err(InvalidDatabase::Scheme),
        }
        let path = rest.strip_prefix("//").unwrap_or(rest);
        if path.starts_with(":memory:") || path.contains("mode=memory") {
            Err(InvalidDatabase::InMemory)
        } else if path.is_empty() || path.ends_with('/') || path.contains(['?', '#', '%', '\0']) {
            Err(InvalidDatabase::NotAPath)
        } else {
            Ok(Self(PathBuf::from(path)))
        }
    }

    /// The path of the file.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_of_a_database_url() {
        use InvalidDatabase::*;
        for (text, outcome) in [
            ("sqlite:idp.sqlite", Ok("idp.sqlite")),
            ("sqlite://data/idp.sqlite", Ok("data/idp.sqlite")),
            ("sqlite:///var/lib/idp.sqlite", Ok("/var/lib/idp.sqlite")),
            ("sqlite:/var/lib/idp.sqlite", Ok("/var/lib/idp.sqlite")),
            ("postgres://root:word@db/idp", Err(NotBuilt)),
            ("postgresql://db/idp", Err(NotBuilt)),
            ("mysql://db/idp", Err(Scheme)),
            ("idp.sqlite", Err(Scheme)),
            ("sqlite::memory:", Err(InMemory)),
            ("sqlite://:memory:", Err(InMemory)),
            ("sqlite:idp.sqlite?mode=memory", Err(InMemory)),
            ("sqlite:idp.sqlite?immutable=1", Err(NotAPath)),
            ("sqlite:", Err(NotAPath)),
            ("sqlite:///var/lib/", Err(NotAPath)),
        ] {
            let parsed = DatabaseFile::parse(text);
            assert_eq!(parsed, outcome.map(|path| DatabaseFile(PathBuf::from(path))), "{text}");
        }
    }

    #[test]
    fn a_limit_of_connections_has_both_ends() {
        assert!(ConnectionLimit::new(0).is_none());
        assert!(ConnectionLimit::new(1).is_some());
        assert!(ConnectionLimit::new(65_536).is_some());
        assert!(ConnectionLimit::new(65_537).is_none());
        assert!(ConnectionLimit::new(u64::MAX).is_none());
    }
}
