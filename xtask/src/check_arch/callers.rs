//! Functions that few may call: whoever has one of them in hand could say what is not so.

use std::collections::BTreeSet;

use super::sources::SourceFile;
use crate::violation::Violation;

/// What only these places may use, in the code or in an import. Tests and examples may as well.
struct Reserved {
    uses: &'static [&'static str],
    /// Files, and folders that end in a slash.
    places: &'static [&'static str],
    what: &'static str,
    rule: &'static str,
}

const RESERVED: [Reserved; 7] = [
    Reserved {
        uses: &["from_record", "from_parts"],
        places: &["crates/adapters/", "crates/contracts/"],
        what: "it makes a record of the domain that no rule of the domain has made",
        rule: "`from_record` and `SecretHash::from_parts` only in crates/adapters and crates/contracts: the change of \
               a forged record would leave an event that lies",
    },
    Reserved {
        uses: &["Scope::new", "Scope as"],
        places: &[
            // Fills stores for benchmarks, and serves nobody.
            "crates/benchmarks/",
            "crates/contracts/",
            // A count is kept on behalf of those that were counted.
            "crates/domain/audit/src/refusals.rs",
            "crates/domain/tenancy/src/scope.rs",
            "crates/usecases/src/authenticate/",
            "crates/usecases/src/bootstrap.rs",
            "crates/usecases/src/log/acknowledge.rs",
            "crates/usecases/src/log/checkpoint_key.rs",
            "crates/usecases/src/log/retention.rs",
            "crates/usecases/src/pepper.rs",
            "crates/usecases/src/signing_key.rs",
        ],
        what: "it says itself on whose behalf it acts",
        rule: "`Scope::new` only where a caller is authenticated and where the installation acts itself; anybody else \
               is given a scope",
    },
    Reserved {
        uses: &[".begin(", "Transactor::begin"],
        places: &[
            "crates/adapters/",
            "crates/benchmarks/",
            "crates/contracts/",
            "crates/usecases/src/authenticate/begin.rs",
            "crates/usecases/src/bootstrap.rs",
            "crates/usecases/src/log/acknowledge.rs",
            "crates/usecases/src/log/checkpoint_key.rs",
            "crates/usecases/src/log/retention.rs",
            "crates/usecases/src/signing_key.rs",
        ],
        what: "it begins a transaction for a caller that it has not weighed again",
        rule: "a use case begins through `begin_as`: the caller may have ended since it authenticated",
    },
    Reserved {
        uses: &["issue::issue", "issue::*", "::issue(", ".sign(", "Signer::sign"],
        places: &[
            // The floors sign for the sake of what it costs; nothing of the product is built on them.
            "crates/benchmarks/",
            "crates/contracts/",
            // Signs checkpoints, with a key that tokens do not have.
            "crates/adapters/local/src/checkpoint_signer.rs",
            "crates/domain/audit/src/checkpoint.rs",
            "crates/domain/tokens/",
            // Signs the answer to an introspection, a JWT of another kind.
            "crates/usecases/src/tokens/introspect.rs",
            "crates/usecases/src/tokens/issue.rs",
        ],
        what: "a second path issues or signs tokens",
        rule: "tokens are issued and signed by `issue_token` alone, and answers about them by `sign_introspection`",
    },
    Reserved {
        uses: &["judge"],
        places: &[
            "crates/benchmarks/",
            "crates/domain/tokens/",
            "crates/usecases/src/authenticate/",
            "crates/usecases/src/tokens/introspect.rs",
        ],
        what: "a second path judges tokens",
        rule: "tokens are judged where callers are authenticated and where a token is introspected, and nowhere else",
    },
    Reserved {
        uses: &["jws", "VerifiedTokens", ".verified.verify"],
        places: &[
            "crates/benchmarks/",
            "crates/contracts/",
            "crates/fuzzing/",
            "crates/domain/tokens/",
            "crates/usecases/src/authenticate/verified.rs",
            // Holds the memory that `verified_token` asks.
            "crates/usecases/src/provider.rs",
        ],
        what: "a second path reads tokens",
        rule: "tokens are read by `verified_token` alone, so that whatever is remembered of one counts everywhere",
    },
    Reserved {
        uses: &["verified_token"],
        places: &[
            "crates/contracts/",
            "crates/usecases/src/authenticate/",
            "crates/usecases/src/tokens/introspect.rs",
            "crates/usecases/src/tokens/revoke.rs",
        ],
        what: "a second path reads tokens",
        rule: "tokens are read where callers are authenticated, and where a token is introspected or revoked",
    },
];

/// Uses of what is reserved, in other places than its own.
pub(crate) fn violations(files: &[SourceFile]) -> Vec<Violation> {
    files.iter().flat_map(|file| RESERVED.iter().flat_map(|one| one.violations(file))).collect()
}

impl Reserved {
    fn violations(&self, file: &SourceFile) -> Vec<Violation> {
        if self.is_place(file.path()) {
            return Vec::new();
        }
        let lines = self.lines(file.code()).into_iter().filter(|line| !file.is_test(*line));
        lines.map(|line| Violation::new(file.line(line), self.what, self.rule)).collect()
    }

    fn is_place(&self, path: &str) -> bool {
        let is_in = |place: &&str| {
            if place.ends_with('/') { path.starts_with(*place) } else { path == *place }
        };
        // An example is the program of somebody who has only this crate.
        path.contains("/examples/") || self.places.iter().any(is_in)
    }

    /// The lines of its uses, each once.
    fn lines(&self, code: &str) -> BTreeSet<usize> {
        let imports = imports(code);
        let mut lines = BTreeSet::new();
        for name in self.uses {
            lines.extend(uses_of(name, code).map(line_after));
            let imported = imports.iter().filter(|(_, path)| uses_of(name, path).next().is_some());
            lines.extend(imported.map(|(line, _)| *line));
        }
        lines
    }
}

/// For each use of the name, as a whole word and not where it is defined, the text before it.
fn uses_of<'a>(name: &'a str, code: &'a str) -> impl Iterator<Item = &'a str> {
    let starts = name.starts_with(is_of_a_word);
    let ends = name.ends_with(is_of_a_word);
    code.match_indices(name).filter_map(move |(at, _)| {
        let (before, rest) = code.split_at_checked(at)?;
        let after = rest.strip_prefix(name)?;
        let is_part =
            (starts && before.ends_with(is_of_a_word)) || (ends && after.starts_with(is_of_a_word));
        (!is_part && !before.ends_with("fn ")).then_some(before)
    })
}

fn is_of_a_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

fn line_after(before: &str) -> usize {
    before.matches('\n').count() + 1
}

/// Every path that is imported, written out, with the line of its `use`.
fn imports(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for before in uses_of("use", code) {
        let Some(tree) = code.strip_prefix(before).and_then(|rest| rest.strip_prefix("use")) else {
            continue;
        };
        // `use<'a>` is of another kind.
        if let Some((tree, _)) =
            tree.split_once(';').filter(|_| tree.starts_with(char::is_whitespace))
        {
            let mut paths = Vec::new();
            write_out("", tree, &mut paths);
            let line = line_after(before);
            found.extend(paths.into_iter().map(|path| (line, path)));
        }
    }
    found
}

fn write_out(prefix: &str, tree: &str, paths: &mut Vec<String>) {
    let Some((head, branches)) = tree.split_once('{') else {
        return paths.push(format!("{prefix}{}", tree.trim()));
    };
    let prefix = format!("{prefix}{}", head.trim());
    let branches = branches.trim_end().trim_end_matches(',');
    let branches = branches.strip_suffix('}').unwrap_or(branches);
    let mut depth = 0_u32;
    let parts = branches.split(|char: char| {
        match char {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        char == ',' && depth == 0
    });
    for part in parts.filter(|part| !part.trim().is_empty()) {
        write_out(&prefix, part, paths);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sources;
    use super::*;

    /// The lines of one file where something is found.
    fn found(path: &str, body: &str) -> Vec<String> {
        let file = SourceFile::new(path, format!("//! A file.\n{body}"));
        let told = violations(&[file]).into_iter().map(|found| found.to_string());
        told.map(|text| text.split(": ").take(1).collect()).collect()
    }

    const USE_CASE: &str = "crates/usecases/src/agents/update.rs";

    #[test]
    fn a_record_that_is_made_by_hand_is_refused_outside_the_stores() {
        let forged = "fn f(r: AgentRecord) -> Agent {\n    Agent::from_record(r)\n}\n";
        assert_eq!(found(USE_CASE, forged), [format!("{USE_CASE}:3")]);
        assert_eq!(found("crates/domain/registry/src/agent.rs", forged).len(), 1);
        assert_eq!(found("apps/idp/src/compose.rs", forged).len(), 1);
        assert_eq!(found(USE_CASE, "fn f() { rows.map(Agent::from_record); }\n").len(), 1);
        assert_eq!(found(USE_CASE, "fn f() { SecretHash::from_parts(v, m); }\n").len(), 1);
        assert!(found("crates/adapters/postgres/src/agents.rs", forged).is_empty());
        assert!(found("crates/contracts/src/sample.rs", forged).is_empty());
    }

    #[test]
    fn what_is_reserved_may_be_defined_named_in_words_and_used_in_tests() {
        let agent = "crates/domain/registry/src/agent.rs";
        assert!(found(agent, "pub const fn from_record(r: AgentRecord) -> Self {\n").is_empty());
        assert!(found(agent, "// from_record\nconst A: &str = \"from_record\";\n").is_empty());
        assert!(found(agent, "fn f() { not_from_record(r) }\n").is_empty());
        let test = "#[cfg(test)]\nmod tests {\n    fn f() { Agent::from_record(r); }\n}\n";
        assert!(found(agent, test).is_empty());
        assert!(found("apps/idp/tests/tour.rs", "fn f() { Scope::new(o, a, r); }\n").is_empty());
    }

    #[test]
    fn a_file_is_a_test_because_it_is_declared_one_and_not_by_its_name() {
        let forgery = "//! A file.\nfn f() { Agent::from_record(r); }\n";
        let tree = |parent: &str| {
            let files = vec![
                SourceFile::new("crates/domain/registry/src/agent.rs", parent),
                SourceFile::new("crates/domain/registry/src/agent/tests.rs", forgery),
            ];
            violations(&sources::with_tests_marked(files)).len()
        };
        assert_eq!(tree("//! A file.\n#[cfg(test)]\nmod tests;\n"), 0);
        assert_eq!(tree("//! A file.\nmod tests;\n"), 1);
    }

    #[test]
    fn a_scope_that_is_made_outside_authentication_is_refused() {
        let made = "fn f() { let scope = Scope::new(organization, actor, origin); }\n";
        assert_eq!(found(USE_CASE, made).len(), 1);
        assert_eq!(found("crates/usecases/src/caller.rs", made).len(), 1);
        assert_eq!(found("crates/adapters/http/src/caller.rs", made).len(), 1);
        assert_eq!(found(USE_CASE, "use tenancy::Scope as Behalf;\n").len(), 1);
        assert_eq!(found(USE_CASE, "use tenancy::{Actor, Scope as Behalf};\n").len(), 1);
        assert!(found(USE_CASE, "fn f() { ScopeSet::new([]); }\n").is_empty());
        for place in ["authenticate/bearer.rs", "bootstrap.rs", "signing_key.rs"] {
            assert!(found(&format!("crates/usecases/src/{place}"), made).is_empty(), "{place}");
        }
    }

    #[test]
    fn a_transaction_that_begins_without_weighing_its_caller_is_refused() {
        let begun = "async fn f() { self.parts.store.begin(caller.scope().clone()).await?; }\n";
        assert_eq!(found(USE_CASE, begun).len(), 1);
        assert_eq!(found(USE_CASE, "fn f() { Transactor::begin(store, scope); }\n").len(), 1);
        assert!(found(USE_CASE, "fn f() { self.begin_as(caller); }\n").is_empty());
        assert!(found("crates/usecases/src/authenticate/begin.rs", begun).is_empty());
    }

    #[test]
    fn a_second_path_that_issues_is_refused() {
        for body in [
            "use tokens::issue::issue;\n",
            "use tokens::{\n    Client,\n    issue::{GRANT_TYPE, issue},\n};\n",
            "use ::tokens::issue::{self, issue as make};\n",
            "use tokens::issue::*;\n",
            "use tokens::issue as made;\nfn f() { made::issue(r); }\n",
            "fn f() { unsigned.sign(key, signer); }\n",
            "fn f() { Signer::sign(signer, key, claims); }\n",
        ] {
            for path in ["crates/usecases/src/tokens/exchange.rs", "crates/adapters/http/src/a.rs"]
            {
                assert_eq!(found(path, body).len(), 1, "{path}: {body}");
            }
            assert!(found("crates/usecases/src/tokens/issue.rs", body).is_empty(), "{body}");
        }
        let others = "use tokens::issue::GRANT_TYPE;\nmod issue;\nfn f() { server.issue(c); }\n";
        assert!(found("crates/adapters/http/src/a.rs", others).is_empty());
    }

    #[test]
    fn a_second_path_that_judges_or_reads_is_refused() {
        let judges = ["use tokens::judge::judge;\n", "use tokens::{Facts, judge};\n"];
        let reads = [
            "use tokens::jws::verify;\n",
            "use tokens::{Claims, jws::{self}};\n",
            "fn f() { tokens::jws::verify(token, issuer, signer); }\n",
            "fn f() { self.verified.verify(token, issuer, signer); }\n",
            "fn f() { VerifiedTokens::new().verify(token, issuer, signer); }\n",
        ];
        let asks = ["fn f() { self.verified_token(text); }\n"];
        let (introspect, revoke) =
            ("crates/usecases/src/tokens/introspect.rs", "crates/usecases/src/tokens/revoke.rs");
        for (bodies, place, others) in [
            (&judges[..], introspect, revoke),
            (&reads, "crates/usecases/src/authenticate/verified.rs", introspect),
            (&asks, revoke, USE_CASE),
        ] {
            for body in bodies {
                let elsewhere = ["crates/usecases/src/tokens/issue.rs", "apps/idp/src/compose.rs"];
                for path in elsewhere.iter().chain(&[USE_CASE, others]) {
                    assert_eq!(found(path, body).len(), 1, "{path}: {body}");
                }
                assert!(found(place, body).is_empty(), "{place}: {body}");
            }
        }
        assert!(found(USE_CASE, "fn f() { peppers.verify(secret, hash); }\n").is_empty());
    }

    #[test]
    fn every_place_is_there() {
        let places = RESERVED.iter().flat_map(|one| one.places);
        for place in places {
            assert!(crate::root().join(place).exists(), "{place}");
        }
    }

    #[test]
    fn imports_are_written_out() {
        let code = "fn f() -> impl A + use<'a> {}\nuse a::{\n    b::{self, c as d},\n    e,\n};\npub use f;\n";
        let expected = [(2, "a::b::self"), (2, "a::b::c as d"), (2, "a::e"), (6, "f")];
        let expected = expected.map(|(line, path)| (line, path.to_owned()));
        assert_eq!(imports(code), expected);
    }
}
