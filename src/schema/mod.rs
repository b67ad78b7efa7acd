//! The schemas, one per kind of partner, and the way a request goes through them: source limits, parsed documents, budget,
//! scalar contents, execution, sealed errors.

pub mod budget;
mod by_get;
pub mod complete;
pub mod cut;
mod documents;
pub mod inputs;
pub mod order;
pub mod registry;
mod seal;
mod variables;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use async_graphql::parser::types::{ExecutableDocument, OperationDefinition, Selection};
use async_graphql::{
    EmptySubscription, Request, Response, SDLExportOptions, Schema, SchemaBuilder, Variables,
};
use entity::kinds::PartnerKind;

use crate::access::Slice;
use crate::actions::Mutation;
use crate::error::{Error, Result};
use crate::graph::{Query, scalars};
use crate::language::Language;
pub use by_get::NotByGet;
use complete::OutputTypes;
use documents::Documents;
use inputs::InputTypes;

/// Deepest recursion of selection sets; the budget refuses before this does.
const LIBRARY_RECURSION: usize = 32;

type Served = Schema<Query, Mutation, EmptySubscription>;

fn builder() -> SchemaBuilder<Query, Mutation, EmptySubscription> {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        .disable_suggestions()
        .limit_recursive_depth(LIBRARY_RECURSION)
}

/// The whole schema as SDL: what all kinds of partner have together.
pub fn sdl() -> String {
    print(&builder().finish())
}

/// The schema that one kind of partner has.
pub fn sdl_of(kind: PartnerKind) -> String {
    print(&registry::visit(builder(), move |registry| cut::cut(registry, kind)).finish())
}

fn print(schema: &Served) -> String {
    schema.sdl_with_options(SDLExportOptions::new().prefer_single_line_descriptions())
}

/// A request after HTTP has read it.
pub struct Asked {
    pub query: String,
    pub operation_name: Option<String>,
    pub variables: serde_json::Map<String, serde_json::Value>,
    /// Came by GET: only queries may run, and only such as take no personal data.
    pub read_only: bool,
}

/// How a request ended.
pub struct Executed {
    /// What was asked for, for the log: the operation's name, else its root fields. Only names that stand in the document: what
    /// else a client calls an operation may be anything.
    pub operation: Option<String>,
    /// Its errors are sealed.
    pub response: std::result::Result<Response, NotByGet>,
}

struct OfKind {
    schema: Served,
    inputs: InputTypes,
    outputs: OutputTypes,
}

impl OfKind {
    fn new(kind: PartnerKind) -> Self {
        let types = Rc::new(RefCell::new((InputTypes::default(), OutputTypes::default())));
        let seen = Rc::clone(&types);
        let builder = registry::visit(builder(), move |registry| {
            cut::cut(registry, kind);
            seen.replace((InputTypes::of(registry), OutputTypes::of(registry)));
        });
        let schema = builder.finish();
        let (inputs, outputs) = types.take();
        Self { schema, inputs, outputs }
    }
}

/// All schemas, ready to run.
pub struct Gateway {
    kinds: BTreeMap<PartnerKind, OfKind>,
    documents: Documents,
}

impl Default for Gateway {
    fn default() -> Self {
        let kinds = PartnerKind::ALL.iter().map(|kind| (*kind, OfKind::new(*kind)));
        Self { kinds: kinds.collect(), documents: Documents::default() }
    }
}

impl Gateway {
    /// Runs a request in a viewer's slice.
    pub async fn execute(&self, slice: Slice, language: Language, asked: Asked) -> Result<Executed> {
        let kind = slice.viewer().kind();
        let of_kind =
            self.kinds.get(&kind).ok_or_else(|| Error::internal("a kind of partner without a schema"))?;
        let document = match self.documents.parsed(&asked.query) {
            Ok(document) => document,
            Err(refused) => return Ok(Executed { operation: None, response: Ok(*refused) }),
        };
        let name = asked.operation_name.as_deref();
        let chosen = inputs::chosen(&document, name);
        let operation = chosen
            .map(|chosen| name.map_or_else(|| root_fields(chosen), str::to_owned))
            .filter(|name| !name.is_empty());
        if asked.read_only
            && let Some(Err(refused)) = chosen.map(|chosen| by_get::judge(&document, chosen, kind))
        {
            return Ok(Executed { operation, response: Err(refused) });
        }
        let mut variables = Variables::from_json(serde_json::Value::Object(asked.variables));
        if let Some(operation) = chosen {
            variables::prepare(operation, &mut variables);
        }
        if let Err(limit) = budget::check_variables(variables::written_out(&asked.query, &variables)) {
            return Ok(Executed { operation, response: Ok(seal::limit(&limit)) });
        }
        let bad = of_kind.inputs.check(&document, name, &variables, &scalars::judge);
        if !bad.is_empty() {
            return Ok(Executed { operation, response: Ok(seal::bad_inputs(&bad)) });
        }
        let slice = slice.for_purpose(&chosen.map(root_fields).unwrap_or_default());
        let mut request = Request::new(asked.query).variables(variables).data(slice).data(language);
        request.operation_name.clone_from(&asked.operation_name);
        request.set_parsed_query(ExecutableDocument::clone(&document));
        let mut response = of_kind.schema.execute(request).await;
        of_kind.outputs.complete(&document, name, &mut response);
        order::put_in_order(&document, name, &mut response);
        Ok(Executed { operation, response: Ok(seal::response(&document, name, response)) })
    }
}

/// The root fields of an operation, by name.
fn root_fields(operation: &OperationDefinition) -> String {
    let names = operation.selection_set.node.items.iter().filter_map(|selection| match &selection.node {
        Selection::Field(field) => Some(field.node.name.node.as_str()),
        Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
    });
    names.collect::<Vec<_>>().join(" ")
}
