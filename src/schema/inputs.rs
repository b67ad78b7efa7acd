//! Judges what the inputs of a request say, before anything runs, so that a bad value is answered with its place.
//!
//! Judged here: what scalars hold, how long lists are, and what the library's validation lets through: a variable that must
//! be given, anything but an object where one belongs. A missing field, an unknown one or a scalar of the wrong shape is
//! passed over: validation answers those.

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
/// The most items of a list.
const MOST_ITEMS: usize = 100;
/// The input fields, as `Type.field`, whose lists may be longer, and how long.
const LONGER_LISTS: &[(&str, usize)] = &[("ReconcileInput.lines", 3_000)];

/// Says whether a scalar, by name, takes a value, or why not. Scalars that it does not know are fine.
pub type Judge<'a> = dyn Fn(&str, &Value) -> Result<(), String> + 'a;

/// An input that cannot be taken.
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
    enums: HashSet<String>,
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
                MetaType::Enum { .. } => {
                    types.enums.insert(name.clone());
                }
                MetaType::Union { .. } => {}
            }
        }
        types
    }

    /// Whether any type has such a field, introspection's own aside.
    pub(super) fn has_field(&self, name: &str) -> bool {
        self.outputs.iter().any(|(ty, fields)| !ty.starts_with("__") && fields.contains_key(name))
    }

    /// Whether there is such a type; of an unknown one nothing is judged.
    fn knows(&self, ty: &str) -> bool {
        let name = MetaTypeName::concrete_typename(ty);
        self.scalars.contains(name) || self.enums.contains(name) || self.objects.contains_key(name)
    }

    /// Judges the variables and the written values of the operation that would run: each variable by its declared type, each
    /// written value by its argument's type with its variables put in, each fragment once. Expects variables that were
    /// [prepared](super::variables::prepare), and a document whose nesting was bounded before.
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
        let mut check = Check {
            types: self,
            doc,
            variables,
            judge,
            passed_over: HashSet::new(),
            seen: HashSet::new(),
            found: Vec::new(),
        };
        check.variables(operation);
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

/// How many items a list may have in a field of an input object.
fn most_items(object: &str, field: &str) -> usize {
    let longer = LONGER_LISTS.iter().find(|(name, _)| name.split_once('.') == Some((object, field)));
    longer.map_or(MOST_ITEMS, |(_, most)| *most)
}

enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

/// What is wanted at a place.
#[derive(Clone, Copy)]
struct Wanted<'v> {
    ty: &'v str,
    /// The most items, when it is a list.
    most: usize,
    pos: Pos,
}

struct Check<'a> {
    types: &'a InputTypes,
    doc: &'a ExecutableDocument,
    variables: &'a Variables,
    judge: &'a Judge<'a>,
    /// Variables that were reported already, and those of unknown types, which validation answers.
    passed_over: HashSet<&'a str>,
    seen: HashSet<&'a str>,
    found: Vec<BadInput>,
}

impl<'a> Check<'a> {
    fn variables(&mut self, operation: &'a OperationDefinition) {
        for definition in &operation.variable_definitions {
            let (name, pos) = (definition.node.name.node.as_str(), definition.pos);
            let ty = definition.node.var_type.node.to_string();
            if !self.types.knows(&ty) {
                self.passed_over.insert(name);
                continue;
            }
            let before = self.found.len();
            match self.variables.get(name) {
                None | Some(Value::Null) if ty.ends_with('!') => {
                    self.report(&[Step::Name(name)], "must be given.", pos);
                }
                // How long a list may be depends on where the variable is used.
                Some(value) => {
                    let wanted = Wanted { ty: &ty, most: usize::MAX, pos };
                    self.value(wanted, value, &mut vec![Step::Name(name)]);
                }
                None => {}
            }
            if self.found.len() > before {
                self.passed_over.insert(name);
            }
        }
    }

    fn report(&mut self, path: &[Step<'_>], why: impl Into<String>, pos: Pos) {
        self.found.push(BadInput { path: written(path), why: why.into(), pos });
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
                let Ok(value) = literal.clone().into_const_with(|name| self.put_in(&name));
                let wanted = Wanted { ty, most: MOST_ITEMS, pos: *pos };
                self.value(wanted, &value, &mut vec![Step::Name(&name.node)]);
            }
        }
        self.set(&field.selection_set.node, &output.returns);
    }

    /// The value of a variable where it is used; null is not judged.
    fn put_in(&self, name: &Name) -> Result<Value, Infallible> {
        let value = self.variables.get(name).filter(|_| !self.passed_over.contains(name.as_str()));
        Ok(value.cloned().unwrap_or_default())
    }

    fn value<'v>(&mut self, wanted: Wanted<'v>, value: &'v Value, path: &mut Vec<Step<'v>>)
    where
        'a: 'v,
    {
        if *value == Value::Null || self.found.len() >= MAX_REPORTED {
            return;
        }
        let types = self.types;
        match (MetaTypeName::create(wanted.ty), value) {
            (MetaTypeName::NonNull(ty), _) => self.value(Wanted { ty, ..wanted }, value, path),
            (MetaTypeName::List(_), Value::List(items)) if items.len() > wanted.most => {
                self.report(path, format!("must have at most {} items.", wanted.most), wanted.pos);
            }
            (MetaTypeName::List(ty), Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    path.push(Step::Index(index));
                    self.value(Wanted { ty, ..wanted }, item, path);
                    path.pop();
                }
            }
            // One value stands for a list of one.
            (MetaTypeName::List(ty), _) => self.value(Wanted { ty, ..wanted }, value, path),
            (MetaTypeName::Named(name), _) if types.scalars.contains(name) => {
                if let Err(why) = self.scalar(name, value) {
                    self.report(path, why, wanted.pos);
                }
            }
            (MetaTypeName::Named(name), Value::Object(members)) => {
                let Some(fields) = types.objects.get(name) else {
                    return;
                };
                for (member, value) in members {
                    if let Some(ty) = fields.get(member.as_str()) {
                        path.push(Step::Name(member));
                        self.value(Wanted { ty, most: most_items(name, member), ..wanted }, value, path);
                        path.pop();
                    }
                }
            }
            (MetaTypeName::Named(name), _) if types.objects.contains_key(name) => {
                self.report(path, "must be an input object.", wanted.pos);
            }
            (MetaTypeName::Named(_), _) => {}
        }
    }

    /// PostgreSQL keeps every character but U+0000, whichever scalar it stands in.
    fn scalar(&self, name: &str, value: &Value) -> Result<(), String> {
        match value {
            Value::String(text) if text.contains('\0') => {
                Err("must not contain the character U+0000.".into())
            }
            _ => (self.judge)(name, value),
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
