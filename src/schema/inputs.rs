//! Judges what the scalars of a request say, before anything runs, so that a bad value is answered with its
//! place.
//!
//! Content is judged here, and what the library's validation lets through: a variable that must be given, anything but an
//! object where one belongs. A missing field, an unknown one or a scalar of the wrong shape is passed over: validation
//! answers those.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;

use async_graphql::parser::types::{
    DocumentOperations, ExecutableDocument, Field, OperationDefinition, OperationType, Selection,
    SelectionSet,
};
use async_graphql::registry::{MetaInputValue, MetaType, MetaTypeName, Registry};
use async_graphql::{Name, Pos, Positioned, Value, Variables};

/// The most bad inputs reported for one request.
pub const MAX_REPORTED: usize = 50;
/// The longest name of the client's own choosing that is repeated to it.
const MAX_NAME: usize = 40;

/// Says whether a scalar, by name, takes a value, or why not. Scalars that it does not know are fine.
pub type Judge<'a> = dyn Fn(&str, &Value) -> Result<(), String> + 'a;

/// A scalar input that its scalar does not take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadInput {
    /// From the argument or variable down: names, and list positions in digits.
    pub path: Vec<String>,
    /// What is wrong, as the judge says it.
    pub why: String,
    /// Where the argument's value or the variable's definition stands in the document.
    pub pos: Pos,
}

/// What the schema says about inputs: which field takes which arguments, and what input objects consist of.
#[derive(Debug, Clone, Default)]
pub struct InputTypes {
    scalars: HashSet<String>,
    /// Input object → field → type, e.g. `[ID!]!`.
    objects: HashMap<String, HashMap<String, String>>,
    /// Output type → field.
    outputs: HashMap<String, HashMap<String, Output>>,
    query: String,
    mutation: Option<String>,
    subscription: Option<String>,
}

#[derive(Debug, Clone)]
struct Output {
    arguments: HashMap<String, String>,
    /// The bare name of the type it returns.
    returns: String,
}

impl InputTypes {
    /// Reads the types of a schema.
    #[must_use]
    pub fn of(registry: &Registry) -> Self {
        let mut types = Self {
            query: registry.query_type.clone(),
            mutation: registry.mutation_type.clone(),
            subscription: registry.subscription_type.clone(),
            ..Self::default()
        };
        for (name, meta) in &registry.types {
            match meta {
                MetaType::Scalar { .. } => {
                    types.scalars.insert(name.clone());
                }
                MetaType::InputObject { input_fields, .. } => {
                    types.objects.insert(name.clone(), typed(input_fields.values()));
                }
                MetaType::Object { fields, .. } | MetaType::Interface { fields, .. } => {
                    let fields = fields.iter().map(|(name, field)| {
                        let returns = MetaTypeName::concrete_typename(&field.ty).to_owned();
                        (name.clone(), Output { arguments: typed(field.args.values()), returns })
                    });
                    types.outputs.insert(name.clone(), fields.collect());
                }
                MetaType::Union { .. } | MetaType::Enum { .. } => {}
            }
        }
        types
    }

    /// Whether there is such a type; of an unknown one nothing is judged.
    fn knows(&self, ty: &str) -> bool {
        let name = MetaTypeName::concrete_typename(ty);
        self.scalars.contains(name) || self.objects.contains_key(name)
    }

    /// Judges every scalar in the variables and the written values of the operation that would run: each
    /// variable by its declared type, each written value by its argument's type, each fragment once. Expects
    /// a document whose nesting was bounded before; its cost follows the length of the document and the
    /// variables.
    #[must_use]
    pub fn check(
        &self,
        doc: &ExecutableDocument,
        operation_name: Option<&str>,
        variables: &Variables,
        judge: &Judge<'_>,
    ) -> Vec<BadInput> {
        let Some(operation) = chosen(doc, operation_name) else {
            return Vec::new();
        };
        let mut check = Check { types: self, doc, judge, seen: HashSet::new(), found: Vec::new() };
        check.variables(operation, variables);
        let root = match operation.ty {
            OperationType::Query => Some(self.query.as_str()),
            OperationType::Mutation => self.mutation.as_deref(),
            OperationType::Subscription => self.subscription.as_deref(),
        };
        if let Some(root) = root {
            check.set(&operation.selection_set.node, root);
        }
        check.found
    }
}

fn typed<'a>(values: impl Iterator<Item = &'a MetaInputValue>) -> HashMap<String, String> {
    values.map(|value| (value.name.clone(), value.ty.clone())).collect()
}

/// The operation that would run, when that is clear.
#[must_use]
pub fn chosen<'a>(doc: &'a ExecutableDocument, name: Option<&str>) -> Option<&'a OperationDefinition> {
    let operation = match (&doc.operations, name) {
        (DocumentOperations::Single(operation), None) => Some(operation),
        (DocumentOperations::Multiple(operations), Some(name)) => operations.get(name),
        (DocumentOperations::Multiple(operations), None) if operations.len() == 1 => {
            operations.values().next()
        }
        _ => None,
    };
    operation.map(|operation| &operation.node)
}

enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

struct Check<'a> {
    types: &'a InputTypes,
    doc: &'a ExecutableDocument,
    judge: &'a Judge<'a>,
    seen: HashSet<&'a str>,
    found: Vec<BadInput>,
}

impl<'a> Check<'a> {
    fn variables(&mut self, operation: &OperationDefinition, variables: &Variables) {
        for definition in &operation.variable_definitions {
            let name = &definition.node.name.node;
            let default = definition.node.default_value.as_ref().map(|value| &value.node);
            let ty = definition.node.var_type.node.to_string();
            match variables.get(name).or(default) {
                None | Some(Value::Null) if ty.ends_with('!') && self.types.knows(&ty) => {
                    let why = "must be given.".to_owned();
                    self.found.push(BadInput {
                        path: written(&[Step::Name(name)]),
                        why,
                        pos: definition.pos,
                    });
                }
                Some(value) => self.value(&ty, value, &mut vec![Step::Name(name)], definition.pos),
                None => {}
            }
        }
    }

    fn set(&mut self, set: &'a SelectionSet, parent: &'a str) {
        for item in &set.items {
            match &item.node {
                Selection::Field(field) => self.field(&field.node, parent),
                Selection::FragmentSpread(spread) => {
                    let found = self.doc.fragments.get_key_value(&spread.node.fragment_name.node);
                    if let Some((name, fragment)) = found
                        && self.seen.insert(name)
                    {
                        let fragment = &fragment.node;
                        self.set(&fragment.selection_set.node, &fragment.type_condition.node.on.node);
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let condition = fragment.node.type_condition.as_ref();
                    let parent = condition.map_or(parent, |condition| &condition.node.on.node);
                    self.set(&fragment.node.selection_set.node, parent);
                }
            }
        }
    }

    fn field(&mut self, field: &'a Field, parent: &str) {
        let types = self.types;
        let Some(output) = types.outputs.get(parent).and_then(|fields| fields.get(field.name.node.as_str()))
        else {
            return;
        };
        for (name, Positioned { node: literal, pos }) in &field.arguments {
            if let Some(ty) = output.arguments.get(name.node.as_str()) {
                // Variables are judged where they are declared; null is passed over.
                let Ok(value) = literal.clone().into_const_with(|_: Name| Ok::<_, Infallible>(Value::Null));
                self.value(ty, &value, &mut vec![Step::Name(&name.node)], *pos);
            }
        }
        self.set(&field.selection_set.node, &output.returns);
    }

    fn value<'v>(&mut self, ty: &'v str, value: &'v Value, path: &mut Vec<Step<'v>>, pos: Pos)
    where
        'a: 'v,
    {
        if *value == Value::Null || self.found.len() >= MAX_REPORTED {
            return;
        }
        let types = self.types;
        match (MetaTypeName::create(ty), value) {
            (MetaTypeName::NonNull(inner), _) => self.value(inner, value, path, pos),
            (MetaTypeName::List(inner), Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Step::Index(index));
                    self.value(inner, item, path, pos);
                    path.pop();
                }
            }
            // One value stands for a list of one.
            (MetaTypeName::List(inner), _) => self.value(inner, value, path, pos),
            (MetaTypeName::Named(name), _) if types.scalars.contains(name) => {
                if let Err(why) = (self.judge)(name, value) {
                    self.found.push(BadInput { path: written(path), why, pos });
                }
            }
            (MetaTypeName::Named(name), Value::Object(members)) => {
                let Some(fields) = types.objects.get(name) else {
                    return;
                };
                for (member, value) in members {
                    if let Some(ty) = fields.get(member.as_str()) {
                        path.push(Step::Name(member));
                        self.value(ty, value, path, pos);
                        path.pop();
                    }
                }
            }
            (MetaTypeName::Named(name), _) if types.objects.contains_key(name) => {
                self.found.push(BadInput {
                    path: written(path),
                    why: "must be an input object.".to_owned(),
                    pos,
                });
            }
            (MetaTypeName::Named(_), _) => {}
        }
    }
}

fn written(path: &[Step<'_>]) -> Vec<String> {
    let step = |step: &Step<'_>| match step {
        Step::Name(name) => name.chars().take(MAX_NAME).collect(),
        Step::Index(index) => index.to_string(),
    };
    path.iter().map(step).collect()
}

#[cfg(test)]
mod tests;
