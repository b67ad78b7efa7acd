//! The fields of an answer, in the order in which they were asked for: the library writes them as they become ready.

use async_graphql::indexmap::IndexMap;
use async_graphql::parser::types::{ExecutableDocument, Selection, SelectionSet};
use async_graphql::{Name, Response, Value};

use super::inputs::chosen;

/// What is asked of one object: each response key with the selections below it.
type Asked<'a> = IndexMap<&'a Name, Vec<&'a SelectionSet>>;

/// Puts the fields of an answer in order, at every depth.
pub fn put_in_order(document: &ExecutableDocument, operation_name: Option<&str>, response: &mut Response) {
    if let Some(operation) = chosen(document, operation_name) {
        order(document, &[&operation.selection_set.node], &mut response.data);
    }
}

fn order(document: &ExecutableDocument, sets: &[&SelectionSet], value: &mut Value) {
    match value {
        Value::List(items) => {
            for item in items {
                order(document, sets, item);
            }
        }
        Value::Object(members) => {
            let mut asked = Asked::new();
            for set in sets {
                collect(document, set, &mut asked);
            }
            let mut found = std::mem::take(members);
            for (key, below) in asked {
                if let Some((name, mut value)) = found.swap_remove_entry(key) {
                    order(document, &below, &mut value);
                    members.insert(name, value);
                }
            }
            members.extend(found);
        }
        Value::Null
        | Value::Number(_)
        | Value::String(_)
        | Value::Boolean(_)
        | Value::Binary(_)
        | Value::Enum(_) => {}
    }
}

/// A fragment whose type does not match adds keys that the object does not have.
fn collect<'a>(document: &'a ExecutableDocument, set: &'a SelectionSet, asked: &mut Asked<'a>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => {
                asked
                    .entry(&field.node.response_key().node)
                    .or_default()
                    .push(&field.node.selection_set.node);
            }
            Selection::InlineFragment(fragment) => {
                collect(document, &fragment.node.selection_set.node, asked)
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect(document, &fragment.node.selection_set.node, asked);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::value;

    use super::*;

    #[test]
    fn fields_stand_as_they_were_asked_for() {
        let text = "query { b: list { y ...F x } a } fragment F on T { z y ... on U { w } }";
        let document = parse_query(text).unwrap();
        let found = value!({ "a": 1, "b": [{ "x": 1, "z": 2, "y": 3 }, null, { "w": 0, "x": 4, "y": 5 }] });
        let mut response = Response::new(found);
        put_in_order(&document, None, &mut response);
        let written = serde_json::to_string(&response.data).unwrap();
        assert_eq!(written, r#"{"b":[{"y":3,"z":2,"x":1},null,{"y":5,"w":0,"x":4}],"a":1}"#);
    }
}
