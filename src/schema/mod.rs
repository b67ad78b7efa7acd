//! The schemas, one per kind of partner, and the way a request goes through them: source limits, parsed documents, budget,
//! scalar contents, execution, sealed errors.

pub mod budget;
mod by_get;
pub mod complete;
mod cost;
pub mod cut;
mod documents;
pub mod follow;
pub mod inputs;
pub mod order;
pub mod registry;
mod seal;
mod variables;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use async_graphql::parser::types::{OperationDefinition, Selection};
use async_graphql::{Request, Response, SDLExportOptions, Schema, SchemaBuilder, Variables};
use entity::kinds::PartnerKind;

use crate::access::Slice;
use crate::actions::Mutation;
use crate::error::{Error, Result};
use crate::graph::{Query, Subscription, scalars};
use crate::language::Language;
pub use by_get::NotByGet;
use complete::OutputTypes;
use cost::Cost;
use documents::{Documents, Known};
use inputs::InputTypes;

/// Deepest recursion of selection sets; the budget refuses before this does.
const LIBRARY_RECURSION: usize = 32;

type Served = Schema<Query, Mutation, Subscription>;

fn builder() -> SchemaBuilder<Query, Mutation, Subscription> {
    Schema::build(Query::default(), Mutation::default(), Subscription)
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
    outputs: Arc<OutputTypes>,
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
        Self { schema, inputs, outputs: Arc::new(outputs) }
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

/// A request that was judged and may run.
struct Prepared {
    known: Arc<Known>,
    text: String,
    name: Option<String>,
    variables: Variables,
    root_fields: String,
}

impl Prepared {
    fn request(&self, slice: Slice, language: Language) -> Request {
        let mut request = Request::new(self.text.clone())
            .variables(self.variables.clone())
            .data(slice.for_purpose(&self.root_fields))
            .data(language);
        request.operation_name.clone_from(&self.name);
        request.set_parsed_query(self.known.document.clone());
        request
    }

    /// The library's answer as GraphQL has it, with its errors sealed.
    fn finish(&self, outputs: &OutputTypes, mut response: Response) -> Response {
        let name = self.name.as_deref();
        let document = &self.known.document;
        outputs.complete(document, name, &mut response);
        order::put_in_order(document, name, &mut response);
        seal::response(document, name, response)
    }
}

/// Why a request does not run.
enum Refused {
    Answered(Box<Response>),
    NotByGet(NotByGet),
}

/// A request with its name for the log.
struct Judged {
    operation: Option<String>,
    cost: Cost,
    prepared: std::result::Result<Prepared, Refused>,
}

impl Gateway {
    /// Runs a request in a viewer's slice. Nothing runs unless its client can pay for it.
    pub async fn execute(&self, slice: Slice, language: Language, asked: Asked) -> Result<Executed> {
        slice.may_look()?;
        let kind = slice.viewer().kind();
        let Judged { operation, cost, prepared } = self.prepare(kind, asked)?;
        let purse = slice.purse();
        purse.take(cost.requested())?;
        let response = match prepared {
            Ok(prepared) => {
                let of_kind = self.of_kind(kind)?;
                let response = of_kind.schema.execute(prepared.request(slice, language)).await;
                Ok(prepared.finish(&of_kind.outputs, response))
            }
            Err(Refused::Answered(response)) => Ok(*response),
            Err(Refused::NotByGet(why)) => Err(why),
        };
        let response = response.map(|mut response| {
            cost::settle(cost, &purse, &mut response);
            response
        });
        Ok(Executed { operation, response })
    }

    fn of_kind(&self, kind: PartnerKind) -> Result<&OfKind> {
        self.kinds.get(&kind).ok_or_else(|| Error::internal("a kind of partner without a schema"))
    }

    /// The known document of a text, or why it is refused.
    fn document(
        &self,
        kind: PartnerKind,
        text: &str,
    ) -> Result<std::result::Result<Arc<Known>, Box<Response>>> {
        let inputs = &self.of_kind(kind)?.inputs;
        Ok(self.documents.parsed(kind, text, |name| inputs.has_field(name)))
    }

    /// Judges a request as far as that can be done before anything runs.
    fn prepare(&self, kind: PartnerKind, asked: Asked) -> Result<Judged> {
        let inputs = &self.of_kind(kind)?.inputs;
        let refused = |operation, cost, response| {
            Ok(Judged { operation, cost, prepared: Err(Refused::Answered(Box::new(response))) })
        };
        let known = match self.document(kind, &asked.query)? {
            Ok(known) => known,
            Err(response) => return refused(None, Cost::REFUSED, *response),
        };
        let name = asked.operation_name.as_deref();
        let (document, cost) = (&known.document, known.cost(name));
        let chosen = inputs::chosen(document, name);
        let operation = chosen
            .map(|chosen| name.map_or_else(|| root_fields(chosen), str::to_owned))
            .filter(|name| !name.is_empty());
        if asked.read_only
            && let Some(Err(why)) = chosen.map(|chosen| by_get::judge(document, chosen, kind))
        {
            return Ok(Judged { operation, cost: Cost::REFUSED, prepared: Err(Refused::NotByGet(why)) });
        }
        let mut variables = Variables::from_json(serde_json::Value::Object(asked.variables));
        if let Some(chosen) = chosen {
            variables::prepare(chosen, &mut variables);
        }
        if let Err(limit) = budget::check_variables(variables::written_out(&asked.query, &variables)) {
            return refused(operation, cost, seal::limit(&limit));
        }
        let bad = inputs.check(document, name, &variables, &scalars::judge);
        if !bad.is_empty() {
            return refused(operation, cost, seal::bad_inputs(&bad));
        }
        let root_fields = chosen.map(root_fields).unwrap_or_default();
        let prepared =
            Prepared { text: asked.query, name: asked.operation_name, variables, root_fields, known };
        Ok(Judged { operation, cost, prepared: Ok(prepared) })
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
