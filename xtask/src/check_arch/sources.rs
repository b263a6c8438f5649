//! Rules about the text of the Rust files.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::rust_text::RustText;
use crate::violation::Violation;

const FOLDERS: [&str; 3] = ["apps", "crates", "xtask"];
const LONGEST_FILE: usize = 600;

/// Files that may be longer than the rest, each with its reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// A Rust file of the tree.
#[derive(Debug)]
pub(crate) struct SourceFile {
    path: String,
    text: String,
    halves: RustText,
    /// The lines of its `#[cfg(test)]` items, from 1.
    tests: Vec<std::ops::RangeInclusive<usize>>,
    /// Whether all of it is a test, since whoever declares it says so.
    is_test_module: bool,
}

impl SourceFile {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let (path, text) = (path.into(), text.into());
        let halves = RustText::of(&text);
        let tests = test_items(&halves.code);
        Self { path, text, halves, tests, is_test_module: false }
    }

    /// Relative to the root, with forward slashes.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// How a line of this file is named to the reader.
    pub(crate) fn line(&self, number: usize) -> String {
        format!("{}:{number}", self.path)
    }

    /// Its text without comments and texts.
    pub(crate) fn code(&self) -> &str {
        &self.halves.code
    }

    /// Its lines without comments and texts, each with its number.
    pub(crate) fn code_lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.halves.code.lines())
    }

    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.is_test_module
            || self.path.contains("/tests/")
            || self.tests.iter().any(|range| range.contains(&line))
    }

    /// The modules that it declares to be tests and that lie in files of their own, as paths without an ending.
    fn test_modules(&self) -> impl Iterator<Item = String> {
        let path = self.path.trim_end_matches(".rs");
        let folder = ["/lib", "/main", "/mod"].iter().find_map(|name| path.strip_suffix(name));
        let folder = folder.unwrap_or(path);
        let lines = self
            .code_lines()
            .filter(|(line, _)| self.tests.iter().any(|range| range.contains(line)));
        let declared = lines.filter(|(_, line)| line.trim_end().ends_with(';'));
        let names =
            declared.filter_map(|(_, line)| words(line).skip_while(|word| *word != "mod").nth(1));
        names.map(move |name| format!("{folder}/{name}"))
    }
}

/// Every Rust file of the tree.
pub(crate) fn read(root: &Path) -> anyhow::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    for folder in FOLDERS {
        read_folder(root, folder, &mut files)?;
    }
    Ok(with_tests_marked(files))
}

/// The files of a tree, each knowing whether another one declares it to be a test.
pub(crate) fn with_tests_marked(mut files: Vec<SourceFile>) -> Vec<SourceFile> {
    let modules: Vec<String> = files.iter().flat_map(SourceFile::test_modules).collect();
    for file in &mut files {
        file.is_test_module = modules.iter().any(|module| {
            file.path
                .strip_prefix(module)
                .is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
        });
    }
    files
}

fn read_folder(root: &Path, folder: &str, files: &mut Vec<SourceFile>) -> anyhow::Result<()> {
    let reading = || format!("reading `{folder}`");
    for entry in fs::read_dir(root.join(folder)).with_context(reading)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        let generated = name.starts_with('.') || name == "target" || name == "node_modules";
        if entry.file_type()?.is_dir() && !generated {
            read_folder(root, &path, files)?;
        } else if entry.file_type()?.is_file() && name.ends_with(".rs") {
            files.push(SourceFile::new(
                path,
                fs::read_to_string(entry.path()).with_context(reading)?,
            ));
        }
    }
    Ok(())
}

/// What the rules of this file find.
pub(crate) fn violations(files: &[SourceFile]) -> Vec<Violation> {
    const RULES: [fn(&SourceFile) -> Vec<Violation>; 7] =
        [purpose, lints, tasks, skipped_tests, type_names, file_name, length];
    files.iter().flat_map(|file| RULES.iter().flat_map(|rule| rule(file))).collect()
}

fn purpose(file: &SourceFile) -> Vec<Violation> {
    // The compiler's words about a compile-fail file cite its lines: those files hold the failure and nothing else.
    if file.path.contains("/tests/compile_fail/") || file.text.starts_with("//!") {
        return Vec::new();
    }
    vec![Violation::new(
        file.line(1),
        "the first line does not say what the file is for",
        "every Rust file starts with `//!`",
    )]
}

fn lints(file: &SourceFile) -> Vec<Violation> {
    let refused = |(number, line): &(usize, &str)| {
        (line.contains("#[allow(") || line.contains("#![allow(")) && !file.is_test(*number)
    };
    let told = |(number, _)| {
        Violation::new(
            file.line(number),
            "a lint is allowed without a word",
            "outside tests, `#[expect(…, reason = \"…\")]` instead of `#[allow(…)]`",
        )
    };
    file.code_lines().filter(refused).map(told).collect()
}

fn tasks(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::new();
    for (number, line) in (1..).zip(file.halves.comments.lines()) {
        for mark in ["TODO", "FIXME"] {
            if words(line).any(|word| word == mark) && !names_an_issue(line) {
                let what = format!("a `{mark}` that nobody can find again");
                let rule = "a `TODO` or `FIXME` names its issue: `#12`";
                found.push(Violation::new(file.line(number), what, rule));
            }
        }
    }
    found
}

fn names_an_issue(line: &str) -> bool {
    line.split('#').skip(1).any(|rest| rest.starts_with(|char: char| char.is_ascii_digit()))
}

fn skipped_tests(file: &SourceFile) -> Vec<Violation> {
    let ignored = |line: &str| {
        line.split("#[ignore").skip(1).any(|rest| rest.trim_start().starts_with([']', '=']))
    };
    file.code_lines()
        .filter(|(_, line)| ignored(line))
        .map(|(number, _)| {
            Violation::new(file.line(number), "a test is skipped", "no test is ignored")
        })
        .collect()
}

fn type_names(file: &SourceFile) -> Vec<Violation> {
    let mut found = Vec::new();
    for (number, line) in file.code_lines() {
        let names = words(line).zip(words(line).skip(1)).filter_map(|(keyword, name)| {
            matches!(keyword, "struct" | "enum" | "trait" | "type" | "union").then_some(name)
        });
        for name in names.filter(|n| ["Manager", "Helper", "Utils"].iter().any(|w| n.contains(w))) {
            let what = format!("`{name}` does not say what it does");
            let rule = "no `Manager`, `Helper` or `Utils` in the name of a type";
            found.push(Violation::new(file.line(number), what, rule));
        }
    }
    found
}

fn file_name(file: &SourceFile) -> Vec<Violation> {
    const REFUSED: [&str; 5] = ["utils", "util", "common", "helpers", "helper"];
    let module = file.path.trim_end_matches(".rs").trim_end_matches("/mod");
    let name = module.rsplit('/').next().unwrap_or(module);
    if !REFUSED.contains(&name) {
        return Vec::new();
    }
    let what = format!("`{name}` does not say what the module is for");
    vec![Violation::new(file.path.as_str(), what, "a module is named after its one idea")]
}

fn length(file: &SourceFile) -> Vec<Violation> {
    if LONG_FILES.iter().any(|(path, _)| *path == file.path) {
        return Vec::new();
    }
    let tests: usize = file.tests.iter().map(|range| range.clone().count()).sum();
    let lines = file.text.lines().count().saturating_sub(tests);
    if lines <= LONGEST_FILE {
        return Vec::new();
    }
    let what = format!("{lines} lines without its tests");
    let rule = "at most 600 lines; split it, or list it with a reason in \
                `xtask/src/check_arch/sources.rs`";
    vec![Violation::new(file.path.as_str(), what, rule)]
}

fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|char: char| !char.is_alphanumeric() && char != '_').filter(|word| !word.is_empty())
}

/// The lines of each `#[cfg(test)]` item, from its attribute to its closing brace.
fn test_items(code: &str) -> Vec<std::ops::RangeInclusive<usize>> {
    let mut items = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (number, line) in (1..).zip(code.lines()) {
        if open.is_none() && line.contains("#[cfg(test)]") {
            open = Some((number, 0));
        }
        for char in line.chars() {
            let Some((start, depth)) = open else { break };
            open = match (char, depth) {
                ('}', 0 | 1) | (';', 0) => {
                    items.push(start..=number);
                    None
                }
                ('{', _) => Some((start, depth + 1)),
                ('}', _) => Some((start, depth - 1)),
                _ => open,
            };
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found in one file whose first line is right.
    fn found(path: &str, body: &str) -> usize {
        violations(&[SourceFile::new(path, format!("//! A file.\n{body}"))]).len()
    }

    const HERE: &str = "crates/domain/kernel/src/ids.rs";

    #[test]
    fn a_clean_file_passes() {
        let body = "// TODO(#12): more.\n#[expect(dead_code, reason = \"soon\")]\nstruct Clean;\n";
        assert_eq!(found(HERE, body), 0);
    }

    #[test]
    fn a_file_without_a_purpose_is_refused() {
        assert_eq!(violations(&[SourceFile::new(HERE, "struct Bare;\n")]).len(), 1);
        let compile_fail = "crates/domain/audit/tests/compile_fail/entry.rs";
        assert_eq!(violations(&[SourceFile::new(compile_fail, "fn main() {}\n")]), []);
    }

    #[test]
    fn an_allowed_lint_is_refused_outside_tests() {
        assert_eq!(found(HERE, "#[allow(dead_code)]\nstruct A;\n"), 1);
        assert_eq!(found(HERE, "#![allow(dead_code)]\n"), 1);
        assert_eq!(found("crates/contracts/tests/all.rs", "#![allow(dead_code)]\n"), 0);
        assert_eq!(
            found(HERE, "#[cfg(test)]\nmod tests {\n#[allow(dead_code)]\nfn a() {}\n}\n"),
            0
        );
        assert_eq!(found(HERE, "#[cfg(test)]\nmod tests;\n#[allow(dead_code)]\nfn a() {}\n"), 1);
    }

    #[test]
    fn a_task_without_an_issue_is_refused() {
        assert_eq!(found(HERE, "// TODO: later\n"), 1);
        assert_eq!(found(HERE, "/* FIXME (see # below) */\n"), 1);
        assert_eq!(found(HERE, "// FIXME(#3): later\nconst A: &str = \"TODO\";\n"), 0);
    }

    #[test]
    fn an_ignored_test_is_refused_in_tests_too() {
        let path = "crates/contracts/tests/all.rs";
        assert_eq!(found(path, "#[ignore]\nfn a() {}\n"), 1);
        assert_eq!(found(path, "#[ignore = \"slow\"]\nfn a() {}\n"), 1);
        assert_eq!(found(path, "#[ignored_by_nobody]\nfn a() {}\n"), 0);
    }

    #[test]
    fn an_empty_name_for_a_type_is_refused() {
        assert_eq!(found(HERE, "pub(crate) struct AgentManager;\n"), 1);
        assert_eq!(found(HERE, "trait HelperOf {}\n"), 1);
        assert_eq!(found(HERE, "fn manage(_: Vec<u8>) {}\n"), 0);
    }

    #[test]
    fn an_empty_name_for_a_module_is_refused() {
        assert_eq!(found("crates/usecases/src/utils.rs", ""), 1);
        assert_eq!(found("apps/idp/tests/common/mod.rs", ""), 1);
        assert_eq!(found("crates/usecases/src/common_name.rs", ""), 0);
    }

    #[test]
    fn a_long_file_is_refused_and_its_tests_do_not_count() {
        let long = "struct A;\n".repeat(LONGEST_FILE);
        assert_eq!(found(HERE, &long), 1);
        assert_eq!(found(HERE, &format!("#[cfg(test)]\nmod tests {{\n{long}}}\n")), 0);
    }

    #[test]
    fn the_lines_of_test_items_are_found() {
        let code = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() { if c {} }\n}\nfn d() {}\n\
                    #[cfg(test)]\nuse e::f;\nfn g() {}\n";
        assert_eq!(test_items(code), [2..=5, 7..=8]);
    }
}
