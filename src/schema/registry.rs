//! The one moment when a schema builder shows its types: while a type registers itself.

use std::cell::RefCell;

use async_graphql::parser::types::Field;
use async_graphql::registry::Registry;
use async_graphql::{ContextSelectionSet, OutputType, Positioned, SchemaBuilder, ServerResult, Value};

type Visit = Box<dyn FnOnce(&mut Registry)>;

thread_local! {
    static VISIT: RefCell<Option<Visit>> = const { RefCell::new(None) };
}

/// Reads or changes the types of a schema that is being built.
pub fn visit<Q, M, S>(
    builder: SchemaBuilder<Q, M, S>,
    visit: impl FnOnce(&mut Registry) + 'static,
) -> SchemaBuilder<Q, M, S> {
    VISIT.set(Some(Box::new(visit)));
    builder.register_output_type::<Visitor>()
}

/// No type at all; it never gets into the schema.
struct Visitor;

impl OutputType for Visitor {
    fn type_name() -> std::borrow::Cow<'static, str> {
        "Visitor".into()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        if let Some(visit) = VISIT.take() {
            visit(registry);
        }
        Self::qualified_type_name()
    }

    async fn resolve(&self, _: &ContextSelectionSet<'_>, _: &Positioned<Field>) -> ServerResult<Value> {
        Ok(Value::Null)
    }
}
