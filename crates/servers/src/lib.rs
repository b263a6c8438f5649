//! PostgreSQL and Redis of this machine, run privately: for tests and for `cargo xtask`, never part of the product.
//!
//! Each server is a child of this process, on a port of 127.0.0.1 that was free, with all that it writes in one folder. It can be
//! killed as by a power cut, frozen and thawed, stopped, and started again on the same port, with what it had made durable.
//!
//! It ends when its value is dropped. Where this process ends without dropping it, even by SIGKILL, the kernel ends the server
//! (on Linux, where `setpriv` is installed); only files stay then.
//!
//! All of it blocks the calling thread, for a bounded time.
//!
//! ```no_run
//! let folder = std::path::Path::new("target/servers/example");
//! let mut postgres = servers::Postgres::start(folder)?;
//! let url = postgres.url();
//! postgres.kill()?;
//! postgres.restart()?;
//! assert_eq!(postgres.url(), url);
//! # Ok::<(), servers::Error>(())
//! ```

mod account;
#[cfg(feature = "certificates")]
pub mod certificates;
mod error;
mod patience;
mod port;
mod postgres;
mod process;
mod programs;
mod redis;
mod service;

pub use error::Error;
pub use port::free_port;
pub use postgres::Postgres;
pub use redis::Redis;
