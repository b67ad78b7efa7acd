//! The variables of a request, made ready before anything reads them.

use async_graphql::parser::types::OperationDefinition;
use async_graphql::{Value, Variables};

/// What a value takes up beside its text, in bytes.
const OF_A_VALUE: u64 = 32;

/// Drops what the operation does not declare, and puts in what it declares and was left out: the default, else null where null
/// may stand. The library's validation passes over an argument in which any variable is missing; now none is.
pub fn prepare(operation: &OperationDefinition, variables: &mut Variables) {
    let declared = &operation.variable_definitions;
    variables.retain(|name, _| declared.iter().any(|definition| definition.node.name.node == *name));
    for definition in declared {
        let name = &definition.node.name.node;
        if let Some(default) = definition.node.default_value()
            && !variables.contains_key(name)
        {
            variables.insert(name.clone(), default.clone());
        }
    }
}

/// At most how many bytes the variables come to, written out wherever the text may use one: validation does so.
pub fn written_out(text: &str, variables: &Variables) -> u64 {
    let places = text.bytes().filter(|byte| *byte == b'$').count() as u64;
    let all = variables.values().map(size).fold(0_u64, u64::saturating_add);
    all.saturating_mul(places)
}

fn size(value: &Value) -> u64 {
    let content = match value {
        Value::String(text) => text.len() as u64,
        Value::List(items) => items.iter().map(size).sum(),
        Value::Object(members) => members.iter().map(|(name, value)| name.len() as u64 + size(value)).sum(),
        Value::Null | Value::Number(_) | Value::Boolean(_) | Value::Binary(_) | Value::Enum(_) => 0,
    };
    content + OF_A_VALUE
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use serde_json::json;

    use super::*;
    use crate::schema::inputs::chosen;

    #[test]
    fn what_is_declared_is_there_and_nothing_else() {
        let text = "query($given: Int, $left: [Int!] = [1], $out: String, $needed: ID!) { a }";
        let document = parse_query(text).unwrap();
        let mut variables = Variables::from_json(json!({ "given": 7, "undeclared": { "x": [1] } }));
        prepare(chosen(&document, None).unwrap(), &mut variables);
        let expected = json!({ "given": 7, "left": [1], "out": null });
        assert_eq!(variables.into_value().into_json().unwrap(), expected);
    }

    #[test]
    fn a_variable_counts_wherever_it_may_be_used() {
        let variables = Variables::from_json(json!({ "x": "1234567890", "y": [true, { "ab": null }] }));
        let once = 42 + 32 + 32 + 32 + 2 + 32;
        assert_eq!(written_out("query($x: ID) { a }", &variables), once);
        assert_eq!(written_out("query($x: ID) { a(x: [$x, $x]) }", &variables), 3 * once);
        assert_eq!(written_out("{ a }", &variables), 0);
    }
}
