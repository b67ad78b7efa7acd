//! What a printed schema says.

use std::collections::BTreeSet;

use async_graphql::parser::parse_schema;
use async_graphql::parser::types::{TypeDefinition, TypeKind, TypeSystemDefinition};

pub fn types_of(sdl: &str) -> Vec<TypeDefinition> {
    let definitions = parse_schema(sdl).unwrap().definitions;
    let types = definitions.into_iter().filter_map(|definition| match definition {
        TypeSystemDefinition::Type(definition) => Some(definition.node),
        TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
    });
    types.collect()
}

/// The words of an enum.
pub fn words_of(sdl: &str, name: &str) -> BTreeSet<String> {
    let types = types_of(sdl);
    let definition = types.iter().find(|definition| definition.name.node == name).unwrap();
    match &definition.kind {
        TypeKind::Enum(words) => words.values.iter().map(|word| word.node.value.node.to_string()).collect(),
        _ => panic!("{name} is no enum"),
    }
}

/// The types of a schema that have an id of their own.
pub fn nodes_of(sdl: &str) -> BTreeSet<String> {
    let is_node = |definition: &TypeDefinition| match &definition.kind {
        TypeKind::Object(object) => object.implements.iter().any(|name| name.node == "Node"),
        _ => false,
    };
    types_of(sdl)
        .iter()
        .filter(|definition| is_node(definition))
        .map(|node| node.name.node.to_string())
        .collect()
}

/// The root fields of a schema, queries first, in its order.
pub fn roots_of(sdl: &str) -> Vec<String> {
    let mut roots = Vec::new();
    for root in ["Query", "Mutation"] {
        for definition in types_of(sdl).iter().filter(|definition| definition.name.node == root) {
            if let TypeKind::Object(object) = &definition.kind {
                roots.extend(object.fields.iter().map(|field| field.node.name.node.to_string()));
            }
        }
    }
    roots
}
