//! What AgentIdP does, one use case a file, over the domain's ports.
