//! SQL is spoken in the two store crates, and nowhere else.

use super::manifests::Member;
use super::sources::SourceFile;
use crate::violation::Violation;

const RULE: &str = "`sqlx` only in crates/adapters/sqlite and crates/adapters/postgres";
const STORES: [&str; 2] = ["crates/adapters/sqlite", "crates/adapters/postgres"];

/// Members that name the crate without being a store.
pub(crate) fn dependencies(members: &[Member]) -> Vec<Violation> {
    let mut found = Vec::new();
    for member in members.iter().filter(|member| !STORES.contains(&member.folder.as_str())) {
        for dependency in member.dependencies.iter().filter(|d| d.package.starts_with("sqlx")) {
            let what = format!("`{}` depends on `{}`", member.name, dependency.package);
            found.push(Violation::new(member.manifest(), what, RULE));
        }
    }
    found
}

/// Files that use the crate outside a store, however it came into their reach.
pub(crate) fn text(files: &[SourceFile]) -> Vec<Violation> {
    let outside = |file: &&SourceFile| {
        !STORES.iter().any(|store| file.path().starts_with(&format!("{store}/")))
    };
    let mut found = Vec::new();
    for file in files.iter().filter(outside) {
        for (number, line) in file.code_lines() {
            if line.contains("sqlx::") {
                found.push(Violation::new(
                    file.line(number),
                    "it speaks SQL outside a store",
                    RULE,
                ));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::manifests::{Kind, made_up};
    use super::*;

    #[test]
    fn a_direct_dependency_outside_the_stores_is_refused() {
        let members = [
            made_up("crates/adapters/http", &[("sqlx-core", Kind::Development)]),
            made_up("crates/adapters/sqlite", &[("sqlx", Kind::Normal)]),
        ];
        assert_eq!(dependencies(&members).len(), 1);
    }

    #[test]
    fn its_use_outside_the_stores_is_refused() {
        let text_of = |path: &str| SourceFile::new(path, "//! A file.\nfn f(_: sqlx::Error) {}\n");
        let files =
            [text_of("apps/idp/src/main.rs"), text_of("crates/adapters/postgres/src/lib.rs")];
        let found = text(&files);
        assert_eq!(found.len(), 1);
        assert!(found.iter().any(|v| v.to_string().starts_with("apps/idp/src/main.rs:2")));
    }

    #[test]
    fn a_comment_or_a_text_may_name_it() {
        let file = SourceFile::new(
            "apps/idp/src/a.rs",
            "//! Not sqlx::Error.\nconst A: &str = \"sqlx::\";\n",
        );
        assert_eq!(text(&[file]), []);
    }
}
