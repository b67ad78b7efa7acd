//! What may come by GET: queries, and of these only such as put nothing personal into an address, which proxies write down.

use std::collections::HashSet;

use async_graphql::parser::types::{
    ExecutableDocument, OperationDefinition, OperationType, Selection, SelectionSet,
};
use entity::kinds::PartnerKind;

use super::cut;

/// Root fields whose arguments are personal: an identity number, a patient's bill, the number of a card.
const PERSONAL: [&str; 3] = ["coverage", "settlementPreview", "aidCard"];

/// Why an operation must come by POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotByGet {
    /// It is no query, and may change something.
    NotAQuery,
    /// It takes personal data.
    Personal,
}

/// Judges an operation by its root fields, those of its fragments too. A name that this kind of partner does not have is
/// validation's to answer.
pub(super) fn judge(
    document: &ExecutableDocument,
    operation: &OperationDefinition,
    kind: PartnerKind,
) -> Result<(), NotByGet> {
    if operation.ty != OperationType::Query {
        return Err(NotByGet::NotAQuery);
    }
    let is_personal = |field: &str| PERSONAL.contains(&field) && cut::has(kind, field);
    let mut seen = HashSet::new();
    let mut waiting: Vec<&SelectionSet> = vec![&operation.selection_set.node];
    while let Some(set) = waiting.pop() {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) if is_personal(&field.node.name.node) => {
                    return Err(NotByGet::Personal);
                }
                Selection::Field(_) => {}
                Selection::InlineFragment(fragment) => waiting.push(&fragment.node.selection_set.node),
                Selection::FragmentSpread(spread) => {
                    let name = &spread.node.fragment_name.node;
                    if let Some(fragment) = document.fragments.get(name).filter(|_| seen.insert(name)) {
                        waiting.push(&fragment.node.selection_set.node);
                    }
                }
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use async_graphql::parser::types::{BaseType, Type, TypeKind, TypeSystemDefinition};
    use async_graphql::parser::{parse_query, parse_schema};

    use super::*;
    use crate::schema::inputs::chosen;

    fn judged(kind: PartnerKind, document: &str) -> Result<(), NotByGet> {
        let document = parse_query(document).unwrap();
        judge(&document, chosen(&document, None).unwrap(), kind)
    }

    #[test]
    fn only_queries_come_by_get() {
        assert_eq!(judged(PartnerKind::Hospital, "{ viewer { scopes } }"), Ok(()));
        for document in ["mutation { settle { replayed } }", "subscription { settled { id } }"] {
            assert_eq!(judged(PartnerKind::Hospital, document), Err(NotByGet::NotAQuery), "{document}");
        }
    }

    #[test]
    fn personal_data_do_not_come_by_get_whatever_leads_to_them() {
        for document in [
            "{ coverage }",
            "{ viewer { scopes } settlementPreview }",
            "{ viewer: coverage }",
            "query($no: Boolean!) { coverage @include(if: $no) }",
            "{ ... { ... on Query { coverage } } }",
            "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A coverage }",
        ] {
            assert_eq!(judged(PartnerKind::Hospital, document), Err(NotByGet::Personal), "{document}");
        }
        for document in ["{ coverage: viewer { scopes } }", "{ viewer { coverage } }", "{ ...Unknown }"] {
            assert_eq!(judged(PartnerKind::Hospital, document), Ok(()), "{document}");
        }
    }

    #[test]
    fn a_name_of_another_kind_of_partner_stays_unknown() {
        assert_eq!(judged(PartnerKind::CharitySupermarket, "{ aidCard }"), Err(NotByGet::Personal));
        assert_eq!(judged(PartnerKind::CharitySupermarket, "{ coverage }"), Ok(()));
    }

    fn bare(ty: &Type) -> &str {
        match &ty.base {
            BaseType::Named(name) => name,
            BaseType::List(inner) => bare(inner),
        }
    }

    /// Whether a value of this type holds an identity number, directly or inside.
    fn leads_to_number(kinds: &[(String, TypeKind)], ty: &str) -> bool {
        let kind = kinds.iter().find(|(name, _)| name == ty).map(|(_, kind)| kind);
        match kind {
            Some(TypeKind::InputObject(input)) => {
                input.fields.iter().any(|field| leads_to_number(kinds, bare(&field.node.ty.node)))
            }
            _ => ty == "NationalId",
        }
    }

    #[test]
    fn every_root_field_that_takes_an_identity_number_is_personal() {
        let schema = parse_schema(crate::schema::sdl()).unwrap();
        let kinds: Vec<(String, TypeKind)> = schema
            .definitions
            .into_iter()
            .filter_map(|definition| match definition {
                TypeSystemDefinition::Type(ty) => Some((ty.node.name.node.to_string(), ty.node.kind)),
                TypeSystemDefinition::Schema(_) | TypeSystemDefinition::Directive(_) => None,
            })
            .collect();
        let query = kinds.iter().find_map(|(name, kind)| match kind {
            TypeKind::Object(object) if name == "Query" => Some(object),
            _ => None,
        });
        let takes_number: BTreeSet<&str> = query
            .unwrap()
            .fields
            .iter()
            .filter(|field| {
                field.node.arguments.iter().any(|taken| leads_to_number(&kinds, bare(&taken.node.ty.node)))
            })
            .map(|field| field.node.name.node.as_str())
            .collect();
        assert_eq!(takes_number, BTreeSet::from(["coverage", "settlementPreview"]));
        assert!(takes_number.iter().all(|field| PERSONAL.contains(field)));
    }
}
