//! The small types of configured values, and how each is read from text.

use std::num::NonZeroU32;
use std::path::PathBuf;

use kernel::Secret;
use postgres_store::{InvalidLogin, Login};

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

/// Where everything is kept.
#[derive(Debug, Clone)]
pub enum Database {
    /// In a file of the embedded store.
    File(PathBuf),
    /// On a PostgreSQL server, which replicas share.
    Server(Box<Login>),
}

/// Why a database URL is not taken. No variant holds the URL: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidDatabase {
    /// A PostgreSQL server, told in another form.
    #[error(transparent)]
    Server(#[from] InvalidLogin),
    /// Another scheme.
    #[error("its scheme is neither `sqlite:` nor `postgres:`")]
    Scheme,
    /// A database in memory, which would lose every acknowledged change at the next stop.
    #[error("a store in memory would forget everything at the next stop")]
    InMemory,
    /// Parameters or escapes, which might switch durability off, or mean another file.
    #[error("after `sqlite:` there must be a plain path, without `?`, `#` or `%`")]
    NotAPath,
}

impl Database {
    /// Reads a `sqlite:` or a `postgres:` URL.
    ///
    /// # Errors
    /// Tells the first rule that the URL breaks.
    pub(super) fn parse(text: &str) -> Result<Self, InvalidDatabase> {
        let (scheme, rest) = text.split_once(':').ok_or(InvalidDatabase::Scheme)?;
        match scheme {
            "sqlite" => file(rest).map(Self::File),
            "postgres" | "postgresql" => Ok(Self::Server(Box::new(Login::parse(text)?))),
            _ => Err(InvalidDatabase::Scheme),
        }
    }
}

/// The path after `sqlite:`.
fn file(rest: &str) -> Result<PathBuf, InvalidDatabase> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.starts_with(":memory:") || path.contains("mode=memory") {
        Err(InvalidDatabase::InMemory)
    } else if path.is_empty() || path.ends_with('/') || path.contains(['?', '#', '%', '\0']) {
        Err(InvalidDatabase::NotAPath)
    } else {
        Ok(PathBuf::from(path))
    }
}

/// Where Redis is. It shows nothing of the URL, which may hold a password.
#[derive(Debug, Clone)]
pub struct RedisUrl(Secret);

/// The text is no URL of a Redis. It is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("its scheme must be `redis:` or `rediss:`, and a host must follow")]
pub struct InvalidRedisUrl;

impl RedisUrl {
    pub(super) fn parse(text: &str) -> Result<Self, InvalidRedisUrl> {
        let url = url::Url::parse(text).map_err(|_| InvalidRedisUrl)?;
        let known = matches!(url.scheme(), "redis" | "rediss") && url.has_host();
        if known { Ok(Self(Secret::from(text.to_owned()))) } else { Err(InvalidRedisUrl) }
    }

    /// The URL, with whatever is secret in it.
    pub fn secret(&self) -> &Secret {
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
            ("postgres://root:word@db", Err(Server(InvalidLogin))),
            ("postgresql://db:port/idp", Err(Server(InvalidLogin))),
            ("mysql://db/idp", Err(Scheme)),
            ("idp.sqlite", Err(Scheme)),
            ("sqlite::memory:", Err(InMemory)),
            ("sqlite://:memory:", Err(InMemory)),
            ("sqlite:idp.sqlite?mode=memory", Err(InMemory)),
            ("sqlite:idp.sqlite?immutable=1", Err(NotAPath)),
            ("sqlite:", Err(NotAPath)),
            ("sqlite:///var/lib/", Err(NotAPath)),
        ] {
            let parsed = Database::parse(text).map(|database| match database {
                Database::File(path) => path,
                Database::Server(_) => panic!("{text}"),
            });
            assert_eq!(parsed, outcome.map(PathBuf::from), "{text}");
        }
    }

    #[test]
    fn a_database_server_is_taken_by_both_of_its_schemes() {
        for text in ["postgres://root:word@db/idp", "postgresql://db/idp?sslmode=require"] {
            assert!(matches!(Database::parse(text), Ok(Database::Server(_))), "{text}");
        }
    }

    #[test]
    fn the_rules_of_a_redis_url() {
        for text in ["redis://cache:6379", "rediss://:word@cache/1", "redis://[::1]:6379/"] {
            assert!(RedisUrl::parse(text).is_ok(), "{text}");
        }
        for text in ["", "cache:6379", "redis:", "redis://", "http://cache", "unix:///run/redis"] {
            assert!(RedisUrl::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_redis_url_shows_nothing() {
        let shown = format!("{:?}", RedisUrl::parse("redis://:canary@cache").unwrap());
        assert!(!shown.contains("canary") && !shown.contains("cache"), "{shown}");
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
