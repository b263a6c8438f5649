//! The ports on one SQLite file: one writer that commits in groups, many readers.
