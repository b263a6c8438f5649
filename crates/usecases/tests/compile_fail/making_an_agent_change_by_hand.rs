// Only the agent itself makes its changes: one made by hand could skip the life cycle.
use registry::{Agent, AgentCause, AgentChange};

fn forge(after: Agent) -> AgentChange {
    AgentChange { expected: None, after, cause: AgentCause::Decommissioned }
}

fn main() {}
