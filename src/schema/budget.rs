//! What a document may ask for, judged before anything runs.
//!
//! [`check_source`] bounds the text, because the parser recurses; [`weigh`] walks the parsed document once,
//! and every fragment once, so that its own cost follows the length of the text and never the size of what
//! the text unfolds to.

use std::collections::HashMap;
use std::convert::Infallible;

use async_graphql::Value;
use async_graphql::parser::types::{ExecutableDocument, Field, OperationType, Selection, SelectionSet};

mod limit;
mod lists;
mod source;
#[cfg(test)]
mod tests;

use limit::within;
pub use limit::{Limit, LimitExceeded};
pub use source::{MAX_BYTES, MAX_NESTING, MAX_TOKENS, MAX_WRITTEN_OUT, check_source, check_variables};

/// The largest page; a `first`, `last` or `ids` given as a variable counts as this.
const PAGE: u64 = 100;
/// The lists of the introspection schema; only these grow with the schema.
const INTROSPECTION_LISTS: [&str; 8] =
    ["types", "directives", "fields", "args", "inputFields", "interfaces", "possibleTypes", "enumValues"];

/// What one operation may ask for; every number is the largest that passes.
#[derive(Debug, Clone)]
pub struct Budget {
    /// Operations in one document. Default 10: a tool sends its whole file, one of them runs.
    pub operations: u64,
    /// Fragment definitions in one document. Default 50.
    pub fragments: u64,
    /// Fields within fields. Default 15: three connections (`edges`, `node`) within each other, and some
    /// objects.
    pub depth: u64,
    /// Selection sets within each other, fragments included. Default 24: below the library's own 32, above
    /// the 17 of the deepest introspection query of the usual tools.
    pub recursion: u64,
    /// Fields after all fragments are written out. Default 1,000.
    pub fields: u64,
    /// The same fields, each as often as the lists around it may return it. Default 20,000: a page of 100
    /// with 190 fields, a page of 80 with every step of its calculations, or a page of 20 with a page of 20 in
    /// each and 40 fields.
    pub cost: u64,
    /// Aliases after all fragments are written out. Default 30.
    pub aliases: u64,
    /// Directives after all fragments are written out. Default 30.
    pub directives: u64,
    /// Root fields of one mutation; they run one after the other. Default 20.
    pub mutation_fields: u64,
    /// `__schema` and `__type` at the root. Default 4.
    pub introspection_roots: u64,
    /// Fields within fields below `__schema` or `__type`, itself included. Default 18: tools ask for up to
    /// 15.
    pub introspection_depth: u64,
    /// Fields below `__schema` and `__type` after all fragments are written out. Default 500: tools ask for
    /// about 235.
    pub introspection_fields: u64,
    /// Lists within lists there. Default 3, `types { fields { args } }`: a fourth multiplies by the schema
    /// again.
    pub introspection_lists: u64,
    /// Aliases there. Default 5: the tools use none, and each could repeat the whole schema.
    pub introspection_aliases: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            operations: 10,
            fragments: 50,
            depth: 15,
            recursion: 24,
            fields: 1_000,
            cost: 20_000,
            aliases: 30,
            directives: 30,
            mutation_fields: 20,
            introspection_roots: 4,
            introspection_depth: 18,
            introspection_fields: 500,
            introspection_lists: 3,
            introspection_aliases: 5,
        }
    }
}

/// What one operation asks for, measure by measure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    /// Everything outside introspection.
    pub data: Measure,
    /// Everything below `__schema` and `__type`.
    pub introspection: Measure,
    /// Root fields.
    pub root_fields: u64,
    /// `__schema` and `__type` fields.
    pub introspection_roots: u64,
}

/// Counts with all fragments written out; saturating.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measure {
    /// Fields within fields.
    pub depth: u64,
    /// Selection sets within selection sets, fragments included.
    pub recursion: u64,
    /// Fields.
    pub fields: u64,
    /// Fields times the lists around them.
    pub cost: u64,
    /// Aliases.
    pub aliases: u64,
    /// Directives.
    pub directives: u64,
    /// Introspection lists within each other.
    pub lists: u64,
}

impl Measure {
    fn beside(self, other: Self) -> Self {
        Self {
            depth: self.depth.max(other.depth),
            recursion: self.recursion.max(other.recursion),
            lists: self.lists.max(other.lists),
            fields: self.fields.saturating_add(other.fields),
            cost: self.cost.saturating_add(other.cost),
            aliases: self.aliases.saturating_add(other.aliases),
            directives: self.directives.saturating_add(other.directives),
        }
    }
}

impl Weight {
    fn beside(self, other: Self) -> Self {
        Self {
            data: self.data.beside(other.data),
            introspection: self.introspection.beside(other.introspection),
            root_fields: self.root_fields.saturating_add(other.root_fields),
            introspection_roots: self.introspection_roots.saturating_add(other.introspection_roots),
        }
    }

    /// The same, one selection set further down.
    fn below(mut self) -> Self {
        self.data.recursion += 1;
        self.introspection.recursion += 1;
        self
    }
}

/// Weighs every operation of the document, by its name, and refuses it when one asks for more than the budget.
///
/// `has` says whether the schema of the one who asks has a field of this name: what it has not counts as nonsense does, so that
/// a limit tells nothing of it.
///
/// # Errors
/// The first limit that the document passes.
pub fn weigh(
    doc: &ExecutableDocument,
    budget: &Budget,
    has: &dyn Fn(&str) -> bool,
) -> Result<Vec<(Option<String>, Weight)>, LimitExceeded> {
    within(Limit::Operations, doc.operations.iter().len() as u64, budget.operations)?;
    within(Limit::Fragments, doc.fragments.len() as u64, budget.fragments)?;
    let mut walk = Walk { doc, budget, has, fragments: HashMap::new() };
    let mut weights = Vec::new();
    for (name, operation) in doc.operations.iter() {
        let operation = &operation.node;
        let mut weight = walk.set(&operation.selection_set.node, 0)?;
        let of_variables =
            operation.variable_definitions.iter().map(|variable| variable.node.directives.len());
        let directives = operation.directives.len() + of_variables.sum::<usize>();
        weight.data.directives = weight.data.directives.saturating_add(directives as u64);
        judge(&weight, operation.ty, budget)?;
        weights.push((name.map(ToString::to_string), weight));
    }
    for name in doc.fragments.keys() {
        walk.fragment(name, 0)?;
    }
    Ok(weights)
}

fn judge(weight: &Weight, kind: OperationType, budget: &Budget) -> Result<(), LimitExceeded> {
    let Weight { data, introspection, .. } = weight;
    within(Limit::Depth, data.depth, budget.depth)?;
    within(Limit::Fields, data.fields, budget.fields)?;
    within(Limit::Aliases, data.aliases.saturating_add(introspection.aliases), budget.aliases)?;
    within(Limit::Directives, data.directives.saturating_add(introspection.directives), budget.directives)?;
    if kind == OperationType::Mutation {
        within(Limit::MutationFields, weight.root_fields, budget.mutation_fields)?;
    }
    within(Limit::Cost, data.cost, budget.cost)?;
    within(Limit::IntrospectionRoots, weight.introspection_roots, budget.introspection_roots)?;
    within(Limit::IntrospectionDepth, introspection.depth, budget.introspection_depth)?;
    within(Limit::IntrospectionFields, introspection.fields, budget.introspection_fields)?;
    within(Limit::IntrospectionLists, introspection.lists, budget.introspection_lists)?;
    within(Limit::IntrospectionAliases, introspection.aliases, budget.introspection_aliases)
}

struct Walk<'a> {
    doc: &'a ExecutableDocument,
    budget: &'a Budget,
    has: &'a dyn Fn(&str) -> bool,
    /// None while the fragment is being weighed: meeting it again is a cycle.
    fragments: HashMap<&'a str, Option<Weight>>,
}

impl<'a> Walk<'a> {
    /// `level` bounds this function's own recursion.
    fn set(&mut self, set: &'a SelectionSet, level: u64) -> Result<Weight, LimitExceeded> {
        within(Limit::Recursion, level, self.budget.recursion)?;
        let mut total = Weight::default();
        for item in &set.items {
            let mut weight = match &item.node {
                Selection::Field(field) => self.field(&field.node, level)?,
                Selection::FragmentSpread(spread) => {
                    let weight = self.fragment(&spread.node.fragment_name.node, level + 1)?.below();
                    within(Limit::Recursion, level + weight.data.recursion, self.budget.recursion)?;
                    weight
                }
                Selection::InlineFragment(fragment) => {
                    self.set(&fragment.node.selection_set.node, level + 1)?.below()
                }
            };
            let directives = item.node.directives().len() as u64;
            weight.data.directives = weight.data.directives.saturating_add(directives);
            total = total.beside(weight);
        }
        Ok(total)
    }

    fn fragment(&mut self, name: &str, level: u64) -> Result<Weight, LimitExceeded> {
        let Some((name, fragment)) = self.doc.fragments.get_key_value(name) else {
            return Ok(Weight::default());
        };
        match self.fragments.get(name.as_str()) {
            Some(Some(weight)) => return Ok(*weight),
            Some(None) => return Err(LimitExceeded { limit: Limit::FragmentCycle, found: 1, allowed: 0 }),
            None => {}
        }
        self.fragments.insert(name, None);
        let mut weight = self.set(&fragment.node.selection_set.node, level)?;
        weight.data.directives = weight.data.directives.saturating_add(fragment.node.directives.len() as u64);
        self.fragments.insert(name, Some(weight));
        Ok(weight)
    }

    fn field(&mut self, field: &'a Field, level: u64) -> Result<Weight, LimitExceeded> {
        let mut weight = Weight::default();
        let times = times(field, self.has);
        let is_leaf = field.selection_set.node.items.is_empty();
        if !is_leaf {
            weight = self.set(&field.selection_set.node, level + 1)?.below();
        }
        let name = field.name.node.as_str();
        let data = &mut weight.data;
        data.depth += 1;
        data.fields = data.fields.saturating_add(1);
        data.cost = if is_leaf { times } else { data.cost.saturating_mul(times).saturating_add(1) };
        data.aliases = data.aliases.saturating_add(u64::from(field.alias.is_some()));
        data.lists += u64::from(INTROSPECTION_LISTS.contains(&name));
        if name == "__schema" || name == "__type" {
            // Recursion stays where every path is compared.
            let recursion = data.recursion;
            weight.introspection = weight.introspection.beside(weight.data);
            weight.data = Measure { recursion, ..Measure::default() };
            weight.introspection_roots = weight.introspection_roots.saturating_add(1);
        }
        weight.root_fields = 1;
        Ok(weight)
    }
}

/// How many things a field may return, as its arguments tell or as usual.
fn times(field: &Field, has: &dyn Fn(&str) -> bool) -> u64 {
    let (mut page, mut ids, mut says) = (1, 1, false);
    for (name, value) in &field.arguments {
        let is_page = matches!(name.node.as_str(), "first" | "last");
        if !is_page && name.node != "ids" {
            continue;
        }
        says = true;
        let Ok(value) =
            value.node.clone().into_const_with(|_variable| Ok::<_, Infallible>(Value::Boolean(true)));
        if is_page {
            page = page.max(count(&value).min(PAGE));
        } else {
            ids = count(&value);
        }
    }
    match lists::usual(&field.name.node) {
        _ if says => page.saturating_mul(ids),
        usual if usual > 1 && has(&field.name.node) => usual,
        _ => 1,
    }
}

/// An empty page counts once: the field itself is looked up all the same. What is neither a number nor a list
/// is a variable, or an error that validation answers.
fn count(value: &Value) -> u64 {
    match value {
        Value::Null | Value::String(_) => 1,
        Value::List(items) => (items.len() as u64).max(1),
        Value::Number(number) if number.as_i64().is_some() => number.as_u64().unwrap_or_default().max(1),
        _ => PAGE,
    }
}
