use async_graphql::parser::parse_query;

use super::*;

const INTROSPECTION: &str = r#"query IntrospectionQuery { __schema { description
    queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } }
  fragment FullType on __Type { kind name description specifiedByURL isOneOf
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue }
      type { ...TypeRef } isDeprecated deprecationReason }
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef }
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
    possibleTypes { ...TypeRef } }
  fragment InputValue on __InputValue {
    name description type { ...TypeRef } defaultValue isDeprecated deprecationReason }
  fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name
    ofType { kind name ofType { kind name } } } } } } } } } }"#;

fn of(text: &str) -> Result<Weight, LimitExceeded> {
    check_source(text).expect("the text is short and flat");
    let document = parse_query(text).expect("the text parses");
    weigh(&document, &Budget::default(), &|_| true).map(|weights| weights[0].1)
}

fn limit(text: &str) -> Limit {
    of(text).expect_err("too much").limit
}

#[test]
fn the_full_introspection_query_passes() {
    let weight = of(INTROSPECTION).expect("tools need it");
    assert_eq!(weight.introspection_roots, 1);
    assert_eq!(weight.introspection.lists, 3);
    assert_eq!((weight.introspection.depth, weight.introspection.fields), (15, 230));
    assert_eq!(weight.data.fields, 0);
}

#[test]
fn introspection_has_an_allowance_of_its_own() {
    assert_eq!(
        limit("{ __schema { types { fields { type { fields { args { name } } } } } } }"),
        Limit::IntrospectionLists
    );
    assert_eq!(
        limit(
            "{ a: __schema { x } b: __schema { x } c: __schema { x } d: __schema { x } e: __schema { x } }"
        ),
        Limit::IntrospectionRoots
    );
    assert_eq!(
        limit(&format!("{{ __type(name: \"A\") {{ {} }} }}", "x ".repeat(500))),
        Limit::IntrospectionFields
    );
    assert_eq!(
        limit(&format!("{{ __type(name: \"A\") {} }}", nested("ofType", 18))),
        Limit::IntrospectionDepth
    );
    assert_eq!(limit("{ __schema { a: x b: x c: x d: x e: x f: x } }"), Limit::IntrospectionAliases);
    // It buys nothing elsewhere.
    assert_eq!(limit(&format!("{{ __schema {{ x }} a {} }}", nested("b", 15))), Limit::Depth);
    // Nor does hiding it in a fragment.
    assert_eq!(
        limit(&format!("{{ {} }} fragment f on Query {{ __schema {{ x }} }}", "...f ".repeat(5))),
        Limit::IntrospectionRoots
    );
}

fn nested(name: &str, levels: usize) -> String {
    format!("{{ {name} {}{}", format!("{{ {name} ").repeat(levels - 1), "}".repeat(levels))
}

#[test]
fn a_fragment_bomb_costs_microseconds() {
    let bomb = |links: usize| {
        let fragments =
            (0..links).map(|at| format!("fragment f{at} on Q {{ ...f{next} ...f{next} }} ", next = at + 1));
        let all: String = fragments.collect();
        format!("{{ ...f0 }} {all} fragment f{links} on Q {{ a }}")
    };
    let doc = parse_query(bomb(20)).expect("parses");
    let started = std::time::Instant::now();
    let refused = weigh(&doc, &Budget::default(), &|_| true).expect_err("a million fields");
    assert!(started.elapsed().as_millis() < 50);
    assert_eq!((refused.limit, refused.found), (Limit::Fields, 1 << 20));
    assert_eq!(limit(&bomb(40)), Limit::Recursion);
    let wide = format!("fragment f0 on Q {{ {} }} ", "...f1 ".repeat(60))
        + &(1..14)
            .map(|at| format!("fragment f{at} on Q {{ {} }} ", format!("...f{} ", at + 1).repeat(60)))
            .collect::<String>();
    let refused = of(&format!("{{ ...f0 }} {wide} fragment f14 on Q {{ a }}")).expect_err("60 to the 14th");
    assert_eq!((refused.limit, refused.found), (Limit::Fields, u64::MAX));
    assert!(refused.message().ends_with("more than the 1000 allowed."));
}

#[test]
fn floods_are_refused() {
    assert_eq!(limit(&nested("a", 16)), Limit::Depth);
    assert!(of(&nested("a", 15)).is_ok());
    assert_eq!(
        limit(&nested("... on Q", 25).replacen("... on Q }", "... on Q { a } }", 1)),
        Limit::Recursion
    );
    assert_eq!(limit(&format!("{{ {} }}", "x: a ".repeat(31))), Limit::Aliases);
    assert_eq!(limit(&format!("{{ a {} }}", "@skip(if: false) ".repeat(31))), Limit::Directives);
    assert_eq!(limit(&format!("query {} {{ a }}", "@d ".repeat(31))), Limit::Directives);
    assert_eq!(
        limit(&format!("{{ {} }} fragment f on Q @d @d {{ a }}", "...f @d ".repeat(11))),
        Limit::Directives
    );
    assert_eq!(limit(&format!("{{ {} }}", "a ".repeat(1001))), Limit::Fields);
    assert_eq!(limit(&format!("mutation {{ {} }}", "a ".repeat(21))), Limit::MutationFields);
    assert_eq!(
        limit(&(0..11).map(|at| format!("query q{at} {{ a }} ")).collect::<String>()),
        Limit::Operations
    );
    let fragments: String = (0..51).map(|at| format!("fragment f{at} on Q {{ a }} ")).collect();
    assert_eq!(limit(&format!("{{ a }} {fragments}")), Limit::Fragments);
}

#[test]
fn cycles_are_refused_even_unused() {
    assert_eq!(
        limit("{ ...a } fragment a on Q { b { ...c } } fragment c on Q { ...a }"),
        Limit::FragmentCycle
    );
    assert_eq!(limit("{ x } fragment a on Q { ...a }"), Limit::FragmentCycle);
}

#[test]
fn lists_multiply() {
    let cost = |text: &str| of(text).map(|weight| weight.data.cost);
    assert_eq!(cost("{ a(first: 20) { b c } d }"), Ok(42));
    assert_eq!(cost("{ a(first: 7000000000) { b } }"), Ok(101));
    assert_eq!(cost("{ a(first: -1) { b } }"), Ok(2));
    assert_eq!(cost("{ a(first: null) { b } }"), Ok(2));
    assert_eq!(cost("query($n: Int) { a(last: $n) { b } }"), Ok(101));
    assert_eq!(cost("query($i: ID!) { nodes(ids: [\"a\", $i, \"c\"]) { id } }"), Ok(4));
    assert_eq!(cost("query($ids: [ID!]!) { nodes(ids: $ids) { id } }"), Ok(101));
    assert_eq!(limit("{ a(first: 100) { b(first: 100) { c d } } }"), Limit::Cost);
    assert_eq!(limit("{ a(first: 18446744073709551616) { b(first: 1.5) { c d } } }"), Limit::Cost);
}

#[test]
fn lists_that_come_whole_multiply_too() {
    let cost = |text: &str| of(text).map(|weight| weight.data.cost);
    assert_eq!(cost("{ viewer { scopes } }"), Ok(11));
    assert_eq!(cost("{ operation { userErrors { code field } } }"), Ok(302));
    assert_eq!(cost("{ settlements { nodes { id } } }"), Ok(41));
    assert_eq!(cost("{ settlements(first: 3) { nodes { id } } }"), Ok(7));
    let many = |count: usize, one: &str| {
        format!("{{ {} }}", (0..count).map(|at| format!("a{at}: {one} ")).collect::<String>())
    };
    let errors = "operation(key: \"k\") { key mutation status userErrors { code message field } }";
    assert!(cost(&many(30, errors)).is_ok());
    let trace = "calculation { parts { programme { code } paid steps { code label formula value } } }";
    let page = |size: usize| {
        format!("settlements(first: {size}) {{ nodes {{ id key assistance settledAt {trace} }} }}")
    };
    assert!(cost(&many(1, &page(80))).is_ok());
    assert_eq!(limit(&many(1, &page(100))), Limit::Cost);
    assert_eq!(limit(&many(30, &page(4))), Limit::Cost);
    assert_eq!(limit(&many(5, &page(20))), Limit::Cost);
    let settlements = page(20).replace("(first: 20)", "");
    assert_eq!(limit(&many(5, &settlements)), Limit::Cost);
}

#[test]
fn the_text_is_bounded_before_it_is_parsed() {
    let limit = |text: &str| check_source(text).expect_err("refused").limit;
    assert_eq!(limit(&" ".repeat(MAX_BYTES + 1)), Limit::Bytes);
    assert_eq!(limit(&"a ".repeat(8_001)), Limit::Tokens);
    assert_eq!(limit(&"{a".repeat(49)), Limit::Nesting);
    assert_eq!(limit(&format!("{{ a(x: {}", "[".repeat(3_000))), Limit::Nesting);
    // Text in strings and comments does not count ...
    let quiet = "[".repeat(100);
    for text in [
        format!(r#"{{ a(x: "{quiet}\"{quiet}") }}"#),
        format!(r#"{{ a(x: """{quiet}"{quiet}\"""{quiet}""") }}"#),
        format!(
            "{{ a # {quiet}
 }}"
        ),
    ] {
        assert_eq!(check_source(&text), Ok(()), "{text}");
        assert!(parse_query(&text).is_ok(), "{text}");
    }
    // ... but no quote hides what the parser would read.
    for text in [
        format!(r#"{{ a(x: [""" " {quiet}"#),
        format!(r#"{{ a(x: [""" \""" " {quiet}"#),
        format!(r#"{{ a(x: "" y: {quiet}"#),
        format!("{{ a # \"\n(x: {quiet}"),
        format!("{{ a # \"\r(x: {quiet}"),
    ] {
        assert_eq!(limit(&text), Limit::Nesting, "{text}");
    }
    assert_eq!(check_source(INTROSPECTION), Ok(()));
}

#[test]
fn the_deepest_text_that_passes_parses_on_a_small_stack() {
    let text = format!("{{ a(x: {}{}) }}", "[".repeat(46), "]".repeat(46));
    assert_eq!(check_source(&text), Ok(()));
    let parsed = std::thread::Builder::new().stack_size(1 << 20).spawn(move || parse_query(text).is_ok());
    assert_eq!(parsed.expect("a thread").join().ok(), Some(true));
}
