//! What must not compile: every way around "no change without its event".

#[test]
fn no_way_around_the_guarantee_compiles() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
