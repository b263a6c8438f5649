//! Where the instructions go: callgrind's own file, function by function.
//!
//! Its format: `fn=(3) name` begins what a function does itself, a line of position and cost each;
//! `cfn=(4) name` and `calls=5 …` say that it called another, and the line behind them what that
//! cost. A name is written once, and its number stands for it from then on.

use std::collections::{BTreeMap, HashMap};

use super::super::report::number;

/// Calls of one function by another.
#[derive(Debug, PartialEq)]
pub(super) struct Call<'a> {
    pub(super) caller: &'a str,
    pub(super) callee: &'a str,
    pub(super) times: f64,
}

/// What a line is about.
enum Line<'a> {
    /// This many instructions, of the function itself or of what it called.
    Cost {
        function: &'a str,
        instructions: f64,
    },
    Calls(Call<'a>),
}

/// The calls that are written down.
pub(super) fn calls(written: &str) -> impl Iterator<Item = Call<'_>> {
    lines(written).filter_map(|line| match line {
        Line::Calls(call) => Some(call),
        Line::Cost { .. } => None,
    })
}

/// The crates of the product, by which its functions are told from others.
const OURS: [&str; 16] = [
    "audit",
    "credentials",
    "http_api",
    "idp",
    "jose",
    "kernel",
    "local",
    "outlets",
    "postgres_store",
    "redis_cache",
    "registry",
    "sqlite_store",
    "stored_rows",
    "tenancy",
    "tokens",
    "usecases",
];

/// What the product goes through to what is not its own, where no function of its own tells: the
/// store's thread, and memory.
const DOORS: [&str; 5] =
    ["sqlite3_step", "mi_malloc_aligned", "mi_realloc_aligned", "mi_free", "malloc"];

/// The functions of the product, and the doors to what is not, that take the most for one call of what
/// is measured, inclusive of what they call: so many of them. One that calls itself is counted more
/// than once.
pub(super) fn of(written: &str, times: u32, most: usize) -> Vec<String> {
    let mut costs: BTreeMap<&str, f64> = BTreeMap::new();
    for line in lines(written) {
        if let Line::Cost { function, instructions } = line {
            *costs.entry(function).or_default() += instructions;
        }
    }
    let mut costs: Vec<_> = costs.into_iter().filter(|(name, _)| is_told(name)).collect();
    costs.sort_by(|(_, one), (_, other)| other.total_cmp(one));
    let each = f64::from(times);
    let told = costs.into_iter().take(most);
    told.map(|(name, cost)| format!("{} {name}", number(cost / each))).collect()
}

/// Whether it is a function of the product, or one of a trait that it implements, or a door. A
/// function of a library that is made for one of the product's types is not.
fn is_told(function: &str) -> bool {
    let name = function.trim_start_matches('<');
    DOORS.contains(&name)
        || OURS
            .iter()
            .any(|ours| name.strip_prefix(ours).is_some_and(|rest| rest.starts_with("::")))
}

fn lines(written: &str) -> impl Iterator<Item = Line<'_>> {
    let mut names: HashMap<&str, &str> = HashMap::new();
    let (mut function, mut callee) = ("", "");
    written.lines().filter_map(move |line| {
        if let Some(named) = line.strip_prefix("fn=") {
            function = name(&mut names, named);
        } else if let Some(named) = line.strip_prefix("cfn=") {
            callee = name(&mut names, named);
        } else if let Some(calls) = line.strip_prefix("calls=") {
            let times = calls.split(' ').next()?.parse().ok()?;
            return Some(Line::Calls(Call { caller: function, callee, times }));
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let instructions = line.split(' ').nth(1)?.parse().ok()?;
            return Some(Line::Cost { function, instructions });
        }
        None
    })
}

/// The name that is written, or that was written with this number.
fn name<'a>(names: &mut HashMap<&'a str, &'a str>, named: &'a str) -> &'a str {
    let Some((number, rest)) = named.split_once(')') else { return named };
    let name = rest.trim_start();
    if name.is_empty() {
        return names.get(number).copied().unwrap_or(named);
    }
    // Where a function calls itself, its deeper levels have a name of their own: they are the same.
    names.insert(number, name);
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    const WRITTEN: &str = "fn=(1) <tokens::jws::Reader as core::fmt::Debug>::fmt\n10 5\n+2 7\n\
                           cfn=(2) usecases::tokens::issue\ncalls=3 30\n* 400\n\nfn=(2)\n30 390\n\
                           cfn=(3) memmove\ncalls=6 9\n-1 10\n";

    #[test]
    fn a_name_that_was_written_once_is_known_by_its_number() {
        let calls: Vec<_> = calls(WRITTEN).collect();
        let first = "<tokens::jws::Reader as core::fmt::Debug>::fmt";
        let second = "usecases::tokens::issue";
        assert_eq!(calls[0], Call { caller: first, callee: second, times: 3.0 });
        assert_eq!(calls[1], Call { caller: second, callee: "memmove", times: 6.0 });
    }

    #[test]
    fn a_function_takes_what_it_does_and_what_it_calls() {
        let told = of(WRITTEN, 10, 9);
        assert_eq!(told.len(), 2, "only those of the product: {told:?}");
        assert!(told[0].starts_with("41.2 <tokens::jws::Reader"), "{told:?}");
        assert_eq!(told[1], "40.0 usecases::tokens::issue");
    }
}
