//! TLS that is asked for and not offered. Apart from the other tests: what cryptography a process
//! has installed is one for all of it.

use std::sync::Arc;

use kernel::Secret;
use local::SystemClock;
use redis_cache::{ConnectError, Options, RedisCache};

#[test]
fn tls_that_is_not_offered_is_told_as_such_and_not_done_without() {
    rustls::crypto::ring::default_provider().install_default().unwrap();
    contracts::run(async {
        let folder = tempfile::tempdir().unwrap();
        let server = servers::Redis::start(folder.path()).unwrap();
        let url = Secret::from(format!("rediss://:canary@127.0.0.1:{}/", server.port()));
        let clock = Arc::new(SystemClock::new());
        let error = RedisCache::connect(&url, clock, Options::default()).await.err().unwrap();
        assert!(matches!(error, ConnectError::Tls(_)), "{error:?}");
    });
}
