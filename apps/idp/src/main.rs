//! The idp server and command line.

fn main() {}
