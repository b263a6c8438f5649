// Only a token whose signature held can be revoked.
use kernel::{AgentId, Timestamp, TokenId};
use tokens::TokenRevoked;

fn forge(id: TokenId, agent: AgentId, at: Timestamp) -> TokenRevoked {
    TokenRevoked { id, agent, expires_at: at, at }
}

fn main() {}
