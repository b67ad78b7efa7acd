//! How many things a list counts as. A page counts as its size; what comes whole, and a page whose size is left out, is here.

/// A page when the client does not say how large.
const PAGE: u64 = 20;
/// By the name of the field, whichever type has it; every other field is one thing. What comes whole counts as what it holds
/// when it holds much.
const LISTS: &[(&str, u64)] = &[
    ("agreements", 10),
    ("allowedCategories", 7),
    ("allowedSteps", 5),
    ("auditTrail", PAGE),
    ("bands", 10),
    ("budgets", 20),
    ("clients", PAGE),
    ("consents", PAGE),
    ("differences", 100),
    ("entitlements", 5),
    ("entries", 6),
    ("events", PAGE),
    ("field", 5),
    ("fields", 6),
    ("ledger", PAGE),
    ("lines", PAGE),
    ("looksAtPerson", PAGE),
    ("partners", PAGE),
    ("parts", 2),
    ("redemptions", PAGE),
    ("referrals", PAGE),
    ("roles", 5),
    ("scopes", 10),
    ("settlements", PAGE),
    ("staffMembers", PAGE),
    ("statements", PAGE),
    ("steps", 25),
    ("userErrors", 50),
];

/// How many things a field counts as whose arguments do not say.
pub(super) fn usual(field: &str) -> u64 {
    LISTS.iter().find(|(name, _)| *name == field).map_or(1, |(_, things)| *things)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_graphql::parser::parse_schema;
    use async_graphql::parser::types::{BaseType, FieldDefinition, TypeKind, TypeSystemDefinition};

    use super::*;

    /// A list, or a connection; `nodes` and `edges` are counted where their page is asked for.
    fn is_list(field: &FieldDefinition) -> bool {
        let says_how_many = field.arguments.iter().any(|argument| argument.node.name.node == "ids");
        match &field.ty.node.base {
            _ if says_how_many || ["nodes", "edges"].contains(&field.name.node.as_str()) => false,
            BaseType::List(_) => true,
            BaseType::Named(name) => name.ends_with("Connection"),
        }
    }

    #[test]
    fn every_list_of_the_schema_counts_as_many_and_nothing_else_does() {
        let definitions = parse_schema(crate::schema::sdl()).unwrap().definitions;
        let mut lists = BTreeSet::new();
        let mut others = BTreeSet::new();
        for definition in definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            // What is followed comes by the page, too, and counts as one.
            if definition.node.name.node == "Subscription" {
                continue;
            }
            if let TypeKind::Object(object) = definition.node.kind {
                for field in object.fields {
                    let name = field.node.name.node.to_string();
                    if is_list(&field.node) {
                        lists.insert(name)
                    } else {
                        others.insert(name)
                    };
                }
            }
        }
        let known: BTreeSet<String> = LISTS.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(known, lists);
        assert!(known.is_disjoint(&others), "a name means one thing");
    }
}
