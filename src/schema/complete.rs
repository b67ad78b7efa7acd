//! What an answer holds in the place of a field that failed. The library leaves the field out; GraphQL wants null there, or, where
//! null may not stand, in the nearest place around it where it may.

use std::collections::HashMap;

use async_graphql::parser::types::{ExecutableDocument, Field, OperationType, Selection, SelectionSet};
use async_graphql::registry::{MetaType, MetaTypeName, Registry};
use async_graphql::{Name, PathSegment, Response, Value};

use super::inputs::chosen;

/// The type of every field, e.g. `[Referral!]!`, by its parent's name and its own.
#[derive(Clone, Debug, Default)]
pub struct OutputTypes {
    fields: HashMap<String, HashMap<String, String>>,
    query: String,
    mutation: Option<String>,
    subscription: Option<String>,
}

impl OutputTypes {
    /// Reads the types of a schema.
    pub fn of(registry: &Registry) -> Self {
        let fields = registry.types.iter().filter_map(|(name, meta)| match meta {
            MetaType::Object { fields, .. } | MetaType::Interface { fields, .. } => Some((
                name.clone(),
                fields.iter().map(|(name, field)| (name.clone(), field.ty.clone())).collect(),
            )),
            MetaType::Scalar { .. }
            | MetaType::Union { .. }
            | MetaType::Enum { .. }
            | MetaType::InputObject { .. } => None,
        });
        Self {
            fields: fields.collect(),
            query: registry.query_type.clone(),
            mutation: registry.mutation_type.clone(),
            subscription: registry.subscription_type.clone(),
        }
    }

    /// Puts null where fields failed.
    pub fn complete(
        &self,
        document: &ExecutableDocument,
        operation_name: Option<&str>,
        response: &mut Response,
    ) {
        let Some(operation) = chosen(document, operation_name) else { return };
        let root = match operation.ty {
            OperationType::Query => Some(self.query.as_str()),
            OperationType::Mutation => self.mutation.as_deref(),
            OperationType::Subscription => self.subscription.as_deref(),
        };
        let Some(root) = root else { return };
        let set = &operation.selection_set.node;
        let mut places: Vec<&[PathSegment]> = Vec::new();
        for error in response.errors.iter().filter(|error| !error.path.is_empty()) {
            let may_be_null = self.along(document, set, root, &error.path);
            let last = may_be_null.iter().rposition(|may| *may);
            places.push(last.map_or(&[], |last| &error.path[..=last]));
        }
        places.sort_by_key(|place| place.len());
        let mut nulls: Vec<&[PathSegment]> = Vec::new();
        for place in places {
            if !nulls.iter().any(|null| place.starts_with(null)) {
                put_null(&mut response.data, place);
                nulls.push(place);
            }
        }
    }

    /// Whether null may stand in each step of a path; a path that leads out of the document is taken as nullable.
    fn along(
        &self,
        document: &ExecutableDocument,
        set: &SelectionSet,
        root: &str,
        path: &[PathSegment],
    ) -> Vec<bool> {
        let mut sets = vec![(set, root)];
        let mut ty = String::new();
        let mut may_be_null = Vec::new();
        for step in path {
            match step {
                PathSegment::Field(key) => {
                    let mut found = Vec::new();
                    for (set, parent) in &sets {
                        find(document, set, parent, key, &mut found);
                    }
                    let of =
                        |parent: &str, field: &Field| self.fields.get(parent)?.get(field.name.node.as_str());
                    let Some(found_type) = found.iter().find_map(|(parent, field)| of(parent, field)) else {
                        may_be_null.push(true);
                        return may_be_null;
                    };
                    ty.clone_from(found_type);
                    let bare = MetaTypeName::concrete_typename(found_type);
                    sets = found.iter().map(|(_, field)| (&field.selection_set.node, bare)).collect();
                }
                PathSegment::Index(_) => {
                    let list = ty.trim_end_matches('!');
                    ty = list
                        .strip_prefix('[')
                        .and_then(|list| list.strip_suffix(']'))
                        .unwrap_or(list)
                        .to_owned();
                }
            }
            may_be_null.push(!ty.ends_with('!'));
        }
        may_be_null
    }
}

/// The fields of a selection that answer under this key, each with its parent's type.
pub(super) fn find<'a>(
    document: &'a ExecutableDocument,
    set: &'a SelectionSet,
    parent: &'a str,
    key: &str,
    found: &mut Vec<(&'a str, &'a Field)>,
) {
    for item in &set.items {
        match &item.node {
            Selection::Field(field) if field.node.response_key().node == key => {
                found.push((parent, &field.node))
            }
            Selection::Field(_) => {}
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                let parent = condition.map_or(parent, |condition| condition.node.on.node.as_str());
                find(document, &fragment.node.selection_set.node, parent, key, found);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    let parent = fragment.node.type_condition.node.on.node.as_str();
                    find(document, &fragment.node.selection_set.node, parent, key, found);
                }
            }
        }
    }
}

/// An object all of whose fields failed is null by now; it comes back to hold them.
fn put_null(data: &mut Value, place: &[PathSegment]) {
    let Some((step, rest)) = place.split_first() else {
        *data = Value::Null;
        return;
    };
    match step {
        PathSegment::Field(key) => {
            if *data == Value::Null {
                *data = Value::Object(Default::default());
            }
            if let Value::Object(members) = data {
                put_null(members.entry(Name::new(key)).or_insert(Value::Null), rest);
            }
        }
        PathSegment::Index(index) => {
            if let Value::List(items) = data
                && let Some(item) = items.get_mut(*index)
            {
                put_null(item, rest);
            }
        }
    }
}
