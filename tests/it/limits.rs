//! Documents that ask for too much are refused before they run, and fast; what tools ask for passes.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::District;
use crate::harness::district::{BUREAU, DPF};

/// As GraphiQL and other tools send it.
const INTROSPECTION: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } subscriptionType { name } \
    types { ...FullType } directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } } } } \
    fragment FullType on __Type { kind name description specifiedByURL isOneOf \
    fields(includeDeprecated: true) { name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason } \
    inputFields(includeDeprecated: true) { ...InputValue } interfaces { ...TypeRef } \
    enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason } possibleTypes { ...TypeRef } } \
    fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue isDeprecated deprecationReason } \
    fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
    ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } } } } } } }";

#[tokio::test]
async fn the_introspection_of_the_tools_passes() {
    let district = District::new().await;
    for code in [BUREAU, DPF] {
        let reply = district.partner(code).await.ask(INTROSPECTION, json!({})).await.fine();
        let types = reply.at("__schema.types").as_array().unwrap();
        assert!(types.len() > 30);
        assert!(types.iter().any(|one| one["name"] == "PartnerBy" && one["isOneOf"] == json!(true)));
    }
}

/// Each fragment spreads the next one twice: short to write, endless to run.
fn bomb(levels: usize) -> String {
    let mut text = String::from("{ viewer { ...F0 } }");
    for level in 0..levels {
        text += &format!(" fragment F{level} on Viewer {{ ...F{0} ...F{0} }}", level + 1);
    }
    text + &format!(" fragment F{levels} on Viewer {{ partner {{ code }} }}")
}

#[tokio::test]
async fn what_asks_for_too_much_is_refused_fast() {
    let district = District::new().await;
    let partner = district.partner(DPF).await;
    let many =
        |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(" ");
    let documents = [
        ("a fragment bomb", bomb(20)),
        ("a longer one", bomb(45)),
        ("a fragment that contains itself", "{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }".into()),
        ("a flood of aliases", format!("{{ {} }}", many(31, &|at| format!("a{at}: viewer {{ partner {{ code }} }}")))),
        ("a flood of fields", format!("{{ viewer {{ partner {{ {} }} }} }}", "code ".repeat(1001))),
        ("a flood of directives", format!("{{ viewer {} {{ partner {{ code }} }} }}", "@include(if: true) ".repeat(31))),
        ("mutations", format!("mutation {{ {} }}", "withdrawConsent(input: { key: \"k\", consentId: \"x\" }) { replayed } ".repeat(21))),
        ("pages of pages", "{ referrals(first: 100) { nodes { events(first: 100) { nodes { at status note } } } } }".into()),
        ("pages of pages by variables", "query($n: Int) { referrals(first: $n) { nodes { events(first: $n) { nodes { at status note } } } } }".into()),
        ("deep introspection", format!("{{ __type(name: \"Node\") {{ {} name {} }} }}", "ofType { ".repeat(20), "} ".repeat(20))),
        ("introspection of introspection", "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }".into()),
        ("many introspections", format!("{{ {} }}", many(5, &|at| format!("a{at}: __schema {{ queryType {{ name }} }}")))),
        ("nested lists", format!("{{ nodes(ids: {}{}) {{ id }} }}", "[".repeat(3000), "]".repeat(3000))),
        ("nested selections", format!("{{ viewer {{ {} {} }} }}", "... { ".repeat(60), "} ".repeat(60))),
        ("a long document", format!("{{ viewer {{ partner {{ code }} }} }} # {}", "x".repeat(70_000))),
        ("many tokens", format!("{{ viewer {{ partner {{ {} }} }} }}", "a:code ".repeat(3000))),
        ("many operations", many(11, &|at| format!("query Q{at} {{ viewer {{ partner {{ code }} }} }}"))),
    ];
    for (what, document) in documents {
        let begun = Instant::now();
        let reply = partner.ask(&document, json!({ "n": 100 })).await;
        assert_eq!(reply.error(), "LIMIT_EXCEEDED", "{what}: {}", reply.body);
        assert_eq!(reply.status, 400, "{what}");
        assert!(reply.body.get("data").is_none(), "{what}");
        assert!(reply.body.to_string().len() < 400, "{what}: nothing is repeated");
        assert!(begun.elapsed() < Duration::from_secs(2), "{what} took {:?}", begun.elapsed());
    }
    partner.ask("{ viewer { partner { code } } }", json!({})).await.fine();
}

#[tokio::test]
async fn a_large_variable_is_not_written_out_many_times() {
    let district = District::new().await;
    let partner = district.partner(DPF).await;
    let large = json!({ "x": "9".repeat(200_000) });
    for uses in [
        "node(id: $x) { id } ".repeat(200),
        format!("node(id: [{}]) {{ id }}", "$x ".repeat(200)),
        format!(
            "viewer {{ partner {{ code @include(if: {{ {} }}) }} }}",
            (0..200).map(|at| format!("a{at}: $x ")).collect::<String>()
        ),
    ] {
        for document in [
            format!("query($x: ID!) {{ {uses} }}"),
            format!("query A($x: ID!) {{ {uses} }} query B {{ viewer {{ partner {{ code }} }} }}"),
        ] {
            let reply = partner.ask(&document, large.clone()).await;
            assert_eq!(reply.error(), "LIMIT_EXCEEDED", "{}", reply.body);
        }
    }
    let thrice = "query($x: ID!) { node(id: $x) { id } nodes(ids: [$x, $x]) { id } }";
    partner.ask(thrice, large).await.fine();
}

#[tokio::test]
async fn what_lies_within_the_limits_runs() {
    let district = District::new().await;
    let partner = district.partner(DPF).await;
    for document in [
        format!("{{ {} }}", (0..30).map(|at| format!("a{at}: viewer {{ partner {{ code }} }}")).collect::<Vec<_>>().join(" ")),
        "{ referrals(first: 100) { totalCount nodes { id number status reason sender { code } person { name } events(first: 3) { nodes { at status actor { code } } } } } }".to_owned(),
        bomb(3),
    ] {
        partner.ask(&document, json!({})).await.fine();
    }
}
