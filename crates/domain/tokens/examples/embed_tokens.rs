//! Issuing and judging a token without any adapter: the caller brings the signer.

use std::{
    collections::BTreeSet,
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use kernel::{Entropy, EntropyUnavailable, ExposeSecret, Standing, Timestamp};
use tokens::{
    Algorithm, Client, Facts, Jwk, KeyId, Lifetime, Signer, TokenPolicy, TokenRequest,
    issue::issue, judge::judge, jws::verify, port::SigningFailed,
};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(7);
        Ok(())
    }
}

/// A stand-in for real signatures: 32 bytes that depend on the message.
struct Toy(Jwk);

impl Toy {
    fn tag(message: &[u8]) -> Vec<u8> {
        ring::digest::digest(&ring::digest::SHA256, message).as_ref().to_vec()
    }
}

impl Signer for Toy {
    fn active(&self) -> Option<(KeyId, Algorithm)> {
        Some((self.0.thumbprint(), self.0.algorithm()))
    }

    fn algorithm(&self, key: &KeyId) -> Option<Algorithm> {
        (*key == self.0.thumbprint()).then(|| self.0.algorithm())
    }

    async fn sign(&self, _: &KeyId, message: &[u8]) -> Result<Vec<u8>, SigningFailed> {
        Ok(Self::tag(message))
    }

    fn verifies(&self, _: &KeyId, message: &[u8], signature: &[u8]) -> bool {
        Self::tag(message) == signature
    }

    fn published(&self) -> Vec<Jwk> {
        vec![self.0.clone()]
    }
}

/// The toy signer never waits, so one poll is enough and no runtime is needed.
fn finish<F: Future>(work: F) -> Option<F::Output> {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => Some(output),
        Poll::Pending => None,
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let policy =
        TokenPolicy { issuer: "https://idp.example.com".parse()?, lifetime: Lifetime::default() };
    let client = Client {
        agent: "0192f0c1-2f3a-7b4c-8d5e-6f708192a3b4".parse()?,
        organization: "0192f0c1-2f3a-7b4c-8d5e-6f708192a3b5".parse()?,
        agent_type: "screener",
        credential: "0192f0c1-2f3a-7b4c-8d5e-6f708192a3b6".parse()?,
        grantable: "resume:read".parse()?,
        standing: Standing::GOOD,
        dpop_bound: false,
    };
    let signer = Toy(Jwk::P256 { x: [1; 32], y: [2; 32] });
    let (key, algorithm) = signer.active().ok_or("there is a key")?;

    let unsigned = issue(TokenRequest::default(), &client, &BTreeSet::new(), &policy, now, &Fixed)?;
    let token = finish(unsigned.sign((&key, algorithm), &signer)).ok_or("never waits")??;

    let verified = verify(token.expose_secret(), &policy.issuer, &signer)?;
    let (standing, grantable) = (Standing::GOOD, client.grantable);
    let facts = Facts { standing, revoked: false, key_ended: false, grantable };
    assert_eq!(judge(&verified, &facts, now)?.to_string(), "resume:read");
    let ended = Facts { standing: Standing::Ended, ..facts };
    assert!(judge(&verified, &ended, now).is_err());
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs() {
        super::main().unwrap();
    }
}
