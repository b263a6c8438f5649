//! The tiers, read from the folder that a crate lies in.

/// Where a crate stands. A crate may know those below it, and none beside or above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tier {
    Kernel,
    /// What others signed, and with which keys: beside tenancy, which it does not know.
    Jose,
    Tenancy,
    Audit,
    /// `registry`, `credentials` and `tokens`, which do not know each other.
    Sibling,
    UseCases,
    /// What the stores that speak SQL have in common: knows records and no database.
    Rows,
    Adapter,
    /// The suites for adapters: beside the adapters, and only ever a dev-dependency.
    Contracts,
    /// What feeds readers with anything at all: no part of the product.
    Fuzzing,
    /// What the benchmarks run beside the server: no part of the product.
    Benchmarks,
    /// What runs PostgreSQL and Redis for tests: knows nothing of the product, and is never part of it.
    Servers,
    App,
    /// The project's own tools, outside the product.
    Tool,
}

impl Tier {
    /// `None` for a folder that the architecture does not know.
    pub(crate) fn of(folder: &str) -> Option<Self> {
        Some(match folder {
            "crates/domain/kernel" => Self::Kernel,
            "crates/domain/tenancy" => Self::Tenancy,
            "crates/domain/jose" => Self::Jose,
            "crates/domain/audit" => Self::Audit,
            "crates/domain/registry" | "crates/domain/credentials" | "crates/domain/tokens" => {
                Self::Sibling
            }
            "crates/usecases" => Self::UseCases,
            "crates/contracts" => Self::Contracts,
            "crates/fuzzing" => Self::Fuzzing,
            "crates/benchmarks" => Self::Benchmarks,
            "crates/servers" => Self::Servers,
            "crates/adapters/rows" => Self::Rows,
            "xtask" => Self::Tool,
            _ if folder.starts_with("crates/adapters/") => Self::Adapter,
            _ if folder.starts_with("apps/") => Self::App,
            _ => return None,
        })
    }

    pub(crate) fn height(self) -> u8 {
        match self {
            Self::Kernel | Self::Servers => 0,
            Self::Jose | Self::Tenancy => 1,
            Self::Audit => 2,
            Self::Sibling => 3,
            Self::UseCases | Self::Rows => 4,
            Self::Adapter | Self::Contracts => 5,
            Self::App | Self::Fuzzing => 6,
            Self::Benchmarks | Self::Tool => 7,
        }
    }
}

/// Whether the crate must stay free of input and output: the domain and the use cases.
pub(crate) fn is_pure(folder: &str) -> bool {
    folder.starts_with("crates/domain/") || folder == "crates/usecases"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_names_the_tier() {
        assert_eq!(Tier::of("crates/domain/tokens"), Some(Tier::Sibling));
        assert_eq!(Tier::of("crates/adapters/anything"), Some(Tier::Adapter));
        assert_eq!(Tier::of("crates/adapters/rows"), Some(Tier::Rows));
        assert_eq!(Tier::of("crates/somewhere"), None);
    }

    #[test]
    fn an_unplaced_domain_crate_is_pure_all_the_same() {
        assert!(is_pure("crates/domain/unplaced"));
        assert!(!is_pure("crates/adapters/http"));
    }
}
