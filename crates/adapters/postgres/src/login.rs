//! Logging in: what a URL says, and what can be wrong with it in words that an operator can act on.

use std::{fmt, io, time::Duration};

use sqlx::{
    ConnectOptions, Executor, PgConnection,
    error::DatabaseError,
    postgres::{PgConnectOptions, PgSslMode},
};
use thiserror::Error;
use tokio::time::timeout;

/// How long a first connection may take.
const FIRST: Duration = Duration::from_secs(5);

/// The text is no URL of a PostgreSQL database. It is not repeated: there may be a password in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "it must be `postgres://user:password@host:port/database`, with special characters in percent \
     encoding"
)]
pub struct InvalidLogin;

/// Where the database is, and who logs in. It shows no password.
#[derive(Clone)]
pub struct Login(PgConnectOptions);

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Login").field(&self.place()).finish()
    }
}

impl Login {
    /// Reads a `postgres:` URL. `sslmode`, `sslrootcert`, `sslcert` and `sslkey` are its parameters.
    ///
    /// # Errors
    /// [`InvalidLogin`]
    pub fn parse(url: &str) -> Result<Self, InvalidLogin> {
        let known = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let options: PgConnectOptions = url.parse().map_err(|_| InvalidLogin)?;
        // A password with a `/` that was not escaped ends the host, and the rest of it would be told
        // as the name of the database.
        let is_name = |name: &str| !name.is_empty() && !name.contains(['/', '@', ':', '?', '#']);
        let names_database = options.get_database().is_some_and(is_name);
        if known && names_database { Ok(Self(options)) } else { Err(InvalidLogin) }
    }

    /// Host, port and database, for a message.
    #[must_use]
    pub fn place(&self) -> String {
        let database = self.0.get_database().unwrap_or_default();
        match self.0.get_socket() {
            Some(socket) => format!("{}/{database}", socket.display()),
            None => format!("{}:{}/{database}", self.0.get_host(), self.0.get_port()),
        }
    }

    /// Whether the way there is either within this machine, or by TLS and no other.
    #[must_use]
    pub fn is_private(&self) -> bool {
        let host = self.0.get_host().trim_matches(['[', ']']);
        let within = self.0.get_socket().is_some()
            || host.starts_with('/')
            || host == "localhost"
            || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
        within || self.demands_tls()
    }

    fn demands_tls(&self) -> bool {
        let mode = self.0.get_ssl_mode();
        matches!(mode, PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull)
    }

    pub(crate) const fn options(&self) -> &PgConnectOptions {
        &self.0
    }

    /// Connects as whoever logs in.
    pub(crate) async fn connect(&self) -> Result<PgConnection, LoginError> {
        self.connect_by(&self.0.clone().application_name("idp").disable_statement_logging()).await
    }

    /// Connects by these settings, made from this login's.
    pub(crate) async fn connect_by(
        &self,
        settings: &PgConnectOptions,
    ) -> Result<PgConnection, LoginError> {
        let connected = async {
            let mut connection = settings.connect().await?;
            connection.execute("SELECT 1").await?;
            Ok(connection)
        };
        match timeout(FIRST, Box::pin(connected)).await {
            Ok(connected) => connected.map_err(|error| self.explain(error)),
            Err(_) => Err(LoginError::Silent { place: self.place() }),
        }
    }

    fn explain(&self, error: sqlx::Error) -> LoginError {
        let place = self.place();
        if let Some(refusal) = error.as_database_error() {
            return self.explain_refusal(refusal);
        }
        let sqlx::Error::Io(source) = error else {
            let of_tls = matches!(error, sqlx::Error::Tls(_)) && self.demands_tls();
            return if of_tls {
                LoginError::Tls { place }
            } else {
                LoginError::NoPostgres { place }
            };
        };
        // A certificate that does not hold is told so.
        if source.kind() == io::ErrorKind::InvalidData && self.demands_tls() {
            return LoginError::Tls { place };
        }
        if self.misses_a_file(&source) {
            return LoginError::File { place, source };
        }
        LoginError::Unreachable { place, source }
    }

    /// Whether a file cannot be read, where no socket is one: then it is one of a certificate.
    fn misses_a_file(&self, error: &io::Error) -> bool {
        let of_files = [io::ErrorKind::NotFound, io::ErrorKind::PermissionDenied];
        self.0.get_socket().is_none()
            && !self.0.get_host().starts_with('/')
            && of_files.contains(&error.kind())
    }

    fn explain_refusal(&self, refusal: &dyn DatabaseError) -> LoginError {
        let (place, user) = (self.place(), self.0.get_username().to_owned());
        let database = self.0.get_database().unwrap_or_default().to_owned();
        match refusal.code().as_deref() {
            Some("28P01" | "28000") => LoginError::Refused { place, user },
            Some("3D000") => LoginError::NoDatabase { place, database },
            // The role that the server acts as is not there, or is not this user's to take.
            Some("22023") => LoginError::NoRole { place },
            Some("42501") => LoginError::NotMember { place, user },
            Some("53300") => LoginError::Full { place },
            code => LoginError::Other { place, code: code.unwrap_or_default().to_owned() },
        }
    }
}

/// Why nobody can log in, and what to do about it. No variant holds the password.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Nothing answers there.
    #[error("no database answers at {place}; start it, or set DATABASE_URL to where it is")]
    Unreachable {
        /// Host, port and database.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that the URL names cannot be read.
    #[error(
        "a certificate that DATABASE_URL names for {place} cannot be read; see `sslrootcert`, \
         `sslcert` and `sslkey`"
    )]
    File {
        /// Host, port and database.
        place: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Something takes the connection, and says nothing.
    #[error("what answers at {place} says nothing; see whether the database hangs")]
    Silent {
        /// Host, port and database.
        place: String,
    },
    /// TLS was asked for, and not offered, or its certificate does not hold.
    #[error(
        "{place} offers no TLS that can be trusted; switch it on there, give its authority by \
         `sslrootcert`, or ask for no TLS by another `sslmode`"
    )]
    Tls {
        /// Host, port and database.
        place: String,
    },
    /// Something else than PostgreSQL answers.
    #[error("what answers at {place} does not speak as PostgreSQL does")]
    NoPostgres {
        /// Host, port and database.
        place: String,
    },
    /// The user or its password is not taken.
    #[error("{place} refuses user `{user}` or its password; correct DATABASE_URL")]
    Refused {
        /// Host, port and database.
        place: String,
        /// Who tried to log in.
        user: String,
    },
    /// There is no such database.
    #[error("there is no database `{database}` at {place}; create it, then run `idp migrate`")]
    NoDatabase {
        /// Host, port and database.
        place: String,
        /// Its name.
        database: String,
    },
    /// The server's role is not there.
    #[error("there is no role `idp_app` at {place}; run `idp migrate` as an administrator first")]
    NoRole {
        /// Host, port and database.
        place: String,
    },
    /// The user may not act as the server.
    #[error("user `{user}` may not act as `idp_app` at {place}; run `GRANT idp_app TO {user}`")]
    NotMember {
        /// Host, port and database.
        place: String,
        /// Who logs in.
        user: String,
    },
    /// There are as many connections as the server allows.
    #[error("{place} takes no more connections; raise its `max_connections`, or lower ours")]
    Full {
        /// Host, port and database.
        place: String,
    },
    /// Anything else that the server refuses for.
    #[error("{place} refuses the connection (code {code}); its log says why")]
    Other {
        /// Host, port and database.
        place: String,
        /// The SQLSTATE.
        code: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_shows_no_password() {
        let login = Login::parse("postgres://admin:canary@db.example:5433/idp").unwrap();
        assert_eq!(format!("{login:?}"), "Login(\"db.example:5433/idp\")");
    }

    #[test]
    fn text_that_names_no_database_is_refused_and_not_repeated() {
        for bad in [
            "",
            "postgres",
            "mysql://u:canary@h/d",
            "postgres://u:canary@h:port/d",
            // Passwords that were not escaped.
            "postgres://idp:5432/canary@db/idp",
            "postgres://idp:/canary@db/idp",
            "postgres://idp:5432/canary%40db",
        ] {
            let error = Login::parse(bad).unwrap_err();
            assert!(!error.to_string().contains("canary"), "{bad}");
        }
    }

    #[test]
    fn sm_02_a_way_across_a_network_is_private_by_tls_alone() {
        let private = |url: &str| Login::parse(url).unwrap().is_private();
        for (url, expected) in [
            ("postgres://u@localhost/d", true),
            ("postgres://u@127.0.0.1/d", true),
            ("postgres://u@[::1]/d", true),
            ("postgres://u@db.example/d", false),
            ("postgres://u@localhost.example/d", false),
            ("postgres://u@db.example/d?sslmode=prefer", false),
            ("postgres://u@db.example/d?sslmode=require", true),
            ("postgres://u@db.example/d?sslmode=verify-full", true),
        ] {
            assert_eq!(private(url), expected, "{url}");
        }
    }

    #[test]
    fn a_certificate_that_does_not_hold_or_cannot_be_read_is_no_database_that_is_away() {
        let login = Login::parse("postgres://u@db.example/d?sslmode=verify-full").unwrap();
        let told = |kind: io::ErrorKind| login.explain(sqlx::Error::Io(kind.into()));
        assert!(matches!(told(io::ErrorKind::InvalidData), LoginError::Tls { .. }));
        assert!(matches!(told(io::ErrorKind::NotFound), LoginError::File { .. }));
        let away = told(io::ErrorKind::ConnectionRefused);
        assert!(matches!(away, LoginError::Unreachable { .. }));
    }
}
