//! Client secrets: made once, kept as keyed hashes, rotated and revoked.
