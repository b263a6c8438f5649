//! Ids, times and scopes without any adapter: the caller brings the clock and the randomness.

use kernel::{AgentId, Entropy, EntropyUnavailable, ScopeSet, Timestamp};

struct Fixed;

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), EntropyUnavailable> {
        buffer.fill(7);
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let now: Timestamp = "2026-11-21T08:00:00Z".parse()?;
    let agent = AgentId::generate(now, &Fixed)?;
    let asked: ScopeSet = "resume:read".parse()?;
    let allowed: ScopeSet = "resume:read resume:write".parse()?;
    assert!(asked.is_within(&allowed));
    assert_eq!(agent.to_string().parse::<AgentId>()?, agent);
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_example_runs() {
        super::main().unwrap();
    }
}
