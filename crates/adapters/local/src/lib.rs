//! In-process stand-ins: clock, randomness, sealing, signing and rate limits.
