//! A client secret without any store: made, hashed, presented, rotated.

use credentials::{
    ClientSecret, Credential, LiveCount, NewCredential, Overlap, Pepper, Peppers, PresentedSecret,
};
use kernel::{CredentialId, Entropy, EntropyUnavailable, Standing, Timestamp};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(7);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let peppers = Peppers::single(Pepper::new(&[3; 32]));

    let id = CredentialId::generate(now, &Fixed)?;
    let secret = ClientSecret::generate(id, &Fixed)?;
    let hash = peppers.hash(secret.presented());
    let new = NewCredential {
        id,
        agent: "0192f0c1-2f3a-7b4c-8d5e-6f708192a3b4".parse()?,
        organization: "0192f0c1-2f3a-7b4c-8d5e-6f708192a3b5".parse()?,
        name: Some("laptop".parse()?),
        expires_at: None,
        hash: hash.clone(),
    };
    let credential = Credential::generate(new, LiveCount(0), now)?.into_after();

    let presented = PresentedSecret::try_from(&secret.into_text())?;
    assert!(peppers.verify(&presented, &credential.record().hash));

    let successor = (CredentialId::generate(now, &Fixed)?, hash);
    let rotation = credential.rotate(successor, Overlap::default(), LiveCount(1), now)?;
    assert_eq!(rotation.old().authenticates(now), Standing::Ended);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs() {
        super::main().unwrap();
    }
}
