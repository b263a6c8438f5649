//! The project's own tools: cargo xtask.

fn main() {}
