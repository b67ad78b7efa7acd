use async_graphql::parser::parse_query;
use async_graphql::{
    EmptySubscription, Enum, ID, InputObject, InputValueResult, Interface, Object, OneofObject, Scalar,
    ScalarType, Schema, SimpleObject, Union,
};

use super::*;

struct Money(String);

#[Scalar]
impl ScalarType for Money {
    fn parse(value: Value) -> InputValueResult<Self> {
        Ok(Self(value.to_string()))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }
}

#[derive(InputObject)]
struct Bill {
    total_cost: Money,
    parts: Option<Vec<Money>>,
    grid: Option<Vec<Vec<Money>>>,
    kind: Option<Kind>,
    inner: Option<Box<Bill>>,
}

#[derive(InputObject)]
struct Settle {
    bill: Bill,
    key: String,
}

#[derive(OneofObject)]
enum By {
    Id(ID),
    Amount(Money),
}

#[derive(Enum, Copy, Clone, PartialEq, Eq)]
enum Kind {
    Bad,
}

#[derive(SimpleObject)]
#[graphql(complex)]
struct Thing {
    id: ID,
}

#[async_graphql::ComplexObject]
impl Thing {
    async fn near(&self, amount: Money) -> Option<Thing> {
        let _ = amount;
        None
    }
}

#[derive(Interface)]
#[graphql(field(name = "id", ty = "&ID"))]
enum Node {
    Thing(Thing),
}

#[derive(Union)]
enum Any {
    Thing(Thing),
}

struct Query;

#[Object]
impl Query {
    async fn thing(&self, by: Option<By>, at_least: Option<Money>) -> Option<Thing> {
        let _ = match by? {
            By::Id(id) => id.0,
            By::Amount(amount) => amount.0,
        };
        at_least.map(|least| Thing { id: least.0.into() })
    }

    async fn node(&self, id: ID) -> Option<Node> {
        let _ = id;
        None
    }

    async fn any(&self) -> Option<Any> {
        None
    }
}

struct Mutation;

#[Object]
impl Mutation {
    async fn settle(&self, input: Settle) -> Option<Thing> {
        let Bill { total_cost, parts, grid, kind, inner } = input.bill;
        let _ = (total_cost, parts, grid, kind, inner.is_some(), input.key);
        None
    }
}

fn check(text: &str, name: Option<&str>, variables: serde_json::Value) -> Vec<BadInput> {
    let seen = std::rc::Rc::new(std::cell::RefCell::new(InputTypes::default()));
    let types = std::rc::Rc::clone(&seen);
    let builder = Schema::build(Query, Mutation, EmptySubscription);
    let builder = crate::schema::registry::visit(builder, move |registry| {
        seen.replace(InputTypes::of(registry));
    });
    assert!(!builder.finish().sdl().contains("Visitor"));
    let types = types.take();
    let judge = |scalar: &str, value: &Value| match value {
        Value::String(text) if scalar != "Money" || text == "1.00" => Ok(()),
        Value::String(_) => Err("not an amount".to_owned()),
        _ if scalar == "Money" => Err("not a string".to_owned()),
        _ => Ok(()),
    };
    let doc = parse_query(text).expect("the document parses");
    let mut variables = Variables::from_json(variables);
    if let Some(operation) = chosen(&doc, name) {
        crate::schema::variables::prepare(operation, &mut variables);
    }
    types.check(&doc, name, &variables, &judge)
}

/// Sorted: members come in the order of the JSON library's map.
fn paths(found: &[BadInput]) -> Vec<String> {
    let mut paths: Vec<_> = found.iter().map(|bad| bad.path.join(".")).collect();
    paths.sort();
    paths
}

const SETTLE: &str = "mutation S($input: Settle!) { settle(input: $input) { id } }";

#[test]
fn variables_are_judged_by_their_declaration() {
    let bill = serde_json::json!({ "totalCost": "1.005", "parts": ["1.00", "x", null],
        "grid": [["1.00"], ["1.00", 7]],
        "kind": "BAD", "inner": { "totalCost": "-1.00" } });
    let found = check(SETTLE, None, serde_json::json!({ "input": { "key": "k", "bill": bill } }));
    assert_eq!(
        paths(&found),
        ["input.bill.grid.1.1", "input.bill.inner.totalCost", "input.bill.parts.1", "input.bill.totalCost"]
    );
    assert!(found.iter().all(|bad| bad.path.contains(&"grid".to_owned()) == (bad.why == "not a string")));
    assert_eq!((found[0].pos.line, found[0].pos.column), (1, 12));

    let good =
        serde_json::json!({ "input": { "key": "k", "bill": { "totalCost": "1.00", "parts": "1.00" } } });
    assert_eq!(check(SETTLE, Some("S"), good), []);
}

#[test]
fn one_value_stands_for_a_list_of_one() {
    let bill = serde_json::json!({ "totalCost": "1.00", "parts": "x", "grid": "y" });
    assert_eq!(
        paths(&check(SETTLE, None, serde_json::json!({ "input": { "key": "k", "bill": bill } }))),
        ["input.bill.grid", "input.bill.parts"]
    );
}

/// The library's validation lets these through and its executor then fails.
#[test]
fn a_missing_variable_and_no_object_where_one_belongs_are_found() {
    let must_be_given = [("input", "must be given.")];
    let no_object = [("input", "must be an input object.")];
    for (variables, expected) in [
        (serde_json::json!({}), must_be_given),
        (serde_json::json!({ "input": null }), must_be_given),
        (serde_json::json!({ "input": [] }), no_object),
        (serde_json::json!({ "input": "x" }), no_object),
        (serde_json::json!({ "input": { "bill": 1 } }), [("input.bill", "must be an input object.")]),
    ] {
        let found = check(SETTLE, None, variables.clone());
        let found: Vec<_> = found.iter().map(|bad| (bad.path.join("."), bad.why.as_str())).collect();
        assert_eq!(
            found.iter().map(|(path, why)| (path.as_str(), *why)).collect::<Vec<_>>(),
            expected,
            "{variables}"
        );
    }
}

#[test]
fn any_other_shape_is_left_to_validation() {
    for input in [
        serde_json::json!({ "unknown": { "totalCost": "x" } }),
        serde_json::json!({ "bill": { "total": "x" } }),
    ] {
        assert_eq!(check(SETTLE, None, serde_json::json!({ "input": input })), [], "{input}");
    }
    assert_eq!(
        check(
            "query($x: Nothing) { thing(by: $x) { id } nothing(x: 1) { id } }",
            None,
            serde_json::json!({ "x": 1 })
        ),
        []
    );
    assert_eq!(check("{ thing { ...Missing } } ", None, serde_json::json!({})), []);
}

#[test]
fn written_values_are_judged_by_their_argument() {
    let text = "mutation($cost: Money!, $bill: Bill) { \
        settle(input: { key: \"k\", bill: { totalCost: \"x\", \
          parts: [\"1.00\", $cost, \"y\"], kind: BAD, inner: $bill } }) { id } }";
    let found = check(text, None, serde_json::json!({ "cost": "z", "bill": { "totalCost": "w" } }));
    assert_eq!(paths(&found), ["bill.totalCost", "cost", "input.bill.parts.2", "input.bill.totalCost"]);
    assert_eq!(
        paths(&check("{ thing(by: { amount: \"x\" }, atLeast: 5) { id } }", None, serde_json::json!({}))),
        ["atLeast", "by.amount"]
    );
}

#[test]
fn a_list_is_bounded_wherever_it_is_given() {
    let longer = |items: usize| serde_json::json!(vec!["1.00"; items]);
    let bill = |parts: serde_json::Value| serde_json::json!({ "totalCost": "1.00", "parts": parts });
    let written = |items: usize| {
        let parts = "\"1.00\" ".repeat(items);
        format!(
            "mutation {{ settle(input: {{ key: \"k\", bill: {{ totalCost: \"1.00\", parts: [{parts}] }} }}) {{ id }} }}"
        )
    };
    let list = "mutation($parts: [Money!]!) { \
        settle(input: { key: \"k\", bill: { totalCost: \"1.00\", parts: $parts } }) { id } }";
    let object = "mutation($bill: Bill!) { settle(input: { key: \"k\", bill: $bill }) { id } }";
    let nothing = serde_json::json!({});
    for (text, variables, place) in [
        (
            SETTLE,
            serde_json::json!({ "input": { "key": "k", "bill": bill(longer(101)) } }),
            "input.bill.parts",
        ),
        (object, serde_json::json!({ "bill": bill(longer(101)) }), "bill.parts"),
        (list, serde_json::json!({ "parts": longer(101) }), "input.bill.parts"),
        (&written(101), nothing.clone(), "input.bill.parts"),
    ] {
        let found = check(text, None, variables);
        assert_eq!(paths(&found), [place], "{text}");
        assert_eq!(found[0].why, "must have at most 100 items.");
    }
    assert_eq!(check(list, None, serde_json::json!({ "parts": longer(100) })), []);
    assert_eq!(check(&written(100), None, nothing), []);
}

/// A variable is judged by its declaration, and where it is used by what is wanted there.
#[test]
fn a_variable_is_judged_where_it_is_used_too() {
    let text = "query($text: String) { thing(by: { amount: $text }, atLeast: $text) { id } }";
    assert_eq!(paths(&check(text, None, serde_json::json!({ "text": "x" }))), ["atLeast", "by.amount"]);
    assert_eq!(check(text, None, serde_json::json!({})), []);
    let default = text.replace("String", "String = \"x\"");
    assert_eq!(paths(&check(&default, None, serde_json::json!({}))), ["atLeast", "by.amount"]);
    assert_eq!(check(&default, None, serde_json::json!({ "text": "1.00" })), []);
}

#[test]
fn no_scalar_holds_a_nul() {
    assert_eq!(paths(&check("{ node(id: \"a\\u0000\") { id } }", None, serde_json::json!({}))), ["id"]);
    let text = "query($id: ID!) { node(id: $id) { id } }";
    let found = check(text, None, serde_json::json!({ "id": "\u{0}" }));
    assert_eq!(
        (paths(&found), found[0].why.as_str()),
        (vec!["id".to_owned()], "must not contain the character U+0000.")
    );
}

#[test]
fn fragments_are_judged_once_by_their_own_type() {
    let text = "{ a: thing { ...F } b: thing { ...F } \
          node(id: \"1\") { id ... on Thing { near(amount: \"x\") { id } } ... { id } } \
          any { ... on Thing { near(amount: \"1.00\") { near(amount: \"y\") { id } } } } } \
        fragment F on Thing { near(amount: \"z\") { ...F } }";
    let found = check(text, None, serde_json::json!({}));
    assert_eq!(paths(&found), ["amount", "amount", "amount"]);
    assert_ne!(found[0].pos, found[1].pos);
}

#[test]
fn only_the_operation_that_runs_is_judged() {
    let text =
        "query A { thing(atLeast: \"x\") { id } } query B($m: Money = \"y\") { thing(atLeast: $m) { id } }";
    assert_eq!(paths(&check(text, Some("A"), serde_json::json!({}))), ["atLeast"]);
    assert_eq!(paths(&check(text, Some("B"), serde_json::json!({}))), ["m"]);
    assert_eq!(check(text, Some("B"), serde_json::json!({ "m": "1.00" })), []);
    assert_eq!(check(text, None, serde_json::json!({})), []);
    assert_eq!(check(text, Some("C"), serde_json::json!({})), []);
}

#[test]
fn what_is_reported_is_bounded() {
    let many = vec!["x"; 100];
    let input =
        serde_json::json!({ "input": { "key": "k", "bill": { "totalCost": "1.00", "parts": many } } });
    assert_eq!(check(SETTLE, None, input).len(), MAX_REPORTED);
    let long = "v".repeat(60);
    let text = format!("query(${long}: Money) {{ thing(atLeast: ${long}) {{ id }} }}");
    let found = check(&text, None, serde_json::json!({ long: "x" }));
    assert_eq!(found[0].path, ["v".repeat(40)]);
}
