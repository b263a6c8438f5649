//! What every token has in common, looked for in a great many of them.

#[path = "../examples/inspect_tokens/inspection.rs"]
mod inspection;

#[test]
fn te_07_no_two_of_twenty_thousand_tokens_are_one_and_each_says_what_it_may_and_nothing_else() {
    inspection::inspect(20_000).unwrap();
}
