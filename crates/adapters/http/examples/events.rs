//! Prints `docs/events.md`: every kind of audit event, from the domain's catalogue and the table of
//! routes. `cargo xtask events` writes what this prints.
#![expect(clippy::print_stdout, reason = "it is made to print")]

use audit::{Action, ResourceKind, catalogue::Description};
use http_api::{route::Route, routes};

const HEAD: &str = "\
# The events of the audit log

Written by `cargo xtask events`; do not edit.
What is hashed of an event, and how it is verified, stands in [audit-format.md](audit-format.md).

Every event has an id, the organization in whose log it is, its action, its outcome, the time, and the id of the request that asked;
`internal` is the id of what no request asked for.
Where there is one it has the agent that acted, the thing that it is about, the address and the user agent that the request came with.
Its metadata has the members that are listed here, and no others; members may be added in a later release.
No event holds a secret, a token or a key, only their ids.

Metadata is cut where it is too large: a member of more than 8 KiB becomes an object with its beginning, its length and its SHA-256, and where all
of them are too large together the largest are left out, and the member `cut` has the length and the SHA-256 of the whole.

Of refusals that come in numbers the first of a minute are told one by one, and the rest by one event with `count`
([0026](adr/0026-what-is-refused-often-is-counted.md)). Such an event tells what they have in common: where they differ in agent, address, user agent or
resource, it has none. Its time is that at which it was written, a minute after `from` or a little more.
";

fn main() {
    print!("{HEAD}");
    println!("\n| action | what it means | outcome |\n|---|---|---|");
    for action in Action::ALL {
        let outcome = action.description().outcome.name();
        println!(
            "| [`{0}`](#{1}) | {2} | `{outcome}` |",
            action.name(),
            anchor(*action),
            action.meaning()
        );
    }
    let routes = routes();
    for action in Action::ALL {
        section(*action, &routes);
    }
}

/// As pages make it of a heading.
fn anchor(action: Action) -> String {
    action.name().replace('.', "")
}

fn section(action: Action, routes: &[Route]) {
    let description = action.description();
    println!("\n## `{}`\n\n{}\n", action.name(), action.meaning());
    println!("- Outcome: `{}`", description.outcome.name());
    println!("- About: {}", about(&description));
    println!("- Who: {}", description.actor);
    println!("- Caused by: {}", causes(action, &description, routes));
    if description.members.is_empty() {
        println!("- Metadata: none");
        return;
    }
    println!("\n| metadata | what it is |\n|---|---|");
    for member in description.members {
        println!("| `{}` | {} |", member.name, member.meaning);
    }
}

fn about(description: &Description) -> String {
    let quoted = |kind: &ResourceKind| format!("`{}`", kind.name());
    let kinds: Vec<_> = description.resources.iter().map(quoted).collect();
    match description.nothing {
        Some(case) => format!("{}, or nothing where {case}", kinds.join(", ")),
        None => kinds.join(", "),
    }
}

fn causes(action: Action, description: &Description, routes: &[Route]) -> String {
    let leaves = |route: &&Route| route.events.contains(&action);
    let quoted = |route: &Route| format!("`{} {}`", route.method, route.path);
    let mut causes: Vec<_> = routes.iter().filter(leaves).map(quoted).collect();
    causes.extend(description.causes.map(str::to_owned));
    causes.join("; ")
}
