//! What an operation costs: its weight is taken out of its client's bucket before it runs, and what its answer did not come to is put
//! back. All of it stands here.

use async_graphql::parser::types::OperationType;
use async_graphql::{Response, Value, value};

use super::budget::Weight;
use crate::access::Purse;

/// Of a request that is refused before it runs; reading it is work, too.
pub(super) const LEAST: u64 = 1;
/// Of each act of a mutation, besides its fields: it takes the right to write.
const ACT: u64 = 10;

/// The most that one operation may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// What does not depend on the answer.
    fixed: u64,
    /// Fields, each as often as the lists around it may return it.
    fields: u64,
}

impl Cost {
    pub(super) const REFUSED: Self = Self { fixed: 0, fields: LEAST };

    pub(super) fn of(weight: &Weight, kind: OperationType) -> Self {
        let fixed = match kind {
            OperationType::Mutation => ACT.saturating_mul(weight.root_fields),
            OperationType::Query | OperationType::Subscription => 0,
        };
        let fields = weight.data.cost.saturating_add(weight.introspection.fields);
        Self { fixed, fields: fields.max(LEAST) }
    }

    pub(super) fn requested(self) -> u64 {
        self.fixed.saturating_add(self.fields)
    }

    /// What it came to: the fields of the answer, and never more than was asked for.
    fn actual(self, response: &Response) -> u64 {
        match &response.data {
            Value::Object(_) => self.fixed.saturating_add(inside(&response.data).clamp(LEAST, self.fields)),
            _ => LEAST,
        }
    }
}

/// Puts back what was not used, and tells of all of it in the answer.
pub(super) fn settle(cost: Cost, purse: &Purse, response: &mut Response) {
    let (requested, actual) = (cost.requested(), cost.actual(response));
    let left = purse.give_back(requested.saturating_sub(actual));
    let rate = purse.rate();
    let told = value!({
        "requested": requested,
        "actual": actual,
        "left": left,
        "capacity": rate.capacity,
        "perSecond": rate.per_second,
    });
    response.extensions.insert("cost".to_owned(), told);
}

/// The fields within a value.
fn inside(value: &Value) -> u64 {
    match value {
        Value::Object(fields) => fields.values().map(field).sum(),
        Value::List(items) => items.iter().map(inside).sum(),
        _ => 1,
    }
}

/// A field with all that is within it.
fn field(value: &Value) -> u64 {
    match value {
        Value::Object(_) => 1 + inside(value),
        Value::List(items) if items.iter().any(|item| matches!(item, Value::Object(_))) => 1 + inside(value),
        Value::List(_) => inside(value).max(1),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;
    use crate::schema::budget::{Budget, weigh};

    fn cost(text: &str) -> Cost {
        let document = parse_query(text).unwrap();
        let weights = weigh(&document, &Budget::default(), &|_| true).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        Cost::of(&weights[0].1, operation.node.ty)
    }

    #[test]
    fn what_is_asked_for() {
        for (text, requested) in [
            ("{ viewer { partner { code } } }", 3),
            ("{ a(first: 20) { b c } d }", 42),
            ("mutation { a { b } c { d } }", 24),
            ("subscription { events { kind } }", 21),
            ("{ __schema { types { name } } }", 3),
        ] {
            assert_eq!(cost(text).requested(), requested, "{text}");
        }
    }

    #[test]
    fn what_was_answered() {
        let query = cost("{ nodes(ids: [1, 2, 3]) { a b } scopes c }");
        for (data, actual) in [
            (
                value!({ "nodes": [{ "a": 1, "b": 2 }, { "a": 1, "b": 2 }], "scopes": ["x", "y"], "c": null }),
                8,
            ),
            (value!({ "nodes": [null, null, null], "scopes": [], "c": null }), 5),
            (value!({}), 1),
            (Value::Null, 1),
            (
                value!({ "nodes": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20] }),
                query.requested(),
            ),
        ] {
            assert_eq!(query.actual(&Response::new(data.clone())), actual, "{data}");
        }
        let act = cost("mutation { a { b } }");
        assert_eq!(act.actual(&Response::new(value!({ "a": { "b": 1 } }))), 12);
        assert_eq!(act.actual(&Response::new(value!({ "a": null }))), 11, "it ran, whatever came of it");
        assert_eq!(act.actual(&Response::new(Value::Null)), 1, "nothing ran");
    }
}
