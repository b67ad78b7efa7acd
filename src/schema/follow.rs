//! Subscriptions: a document that is run again and again, each time for the events that came since, in a slice of that moment.

use std::sync::Arc;

use async_graphql::parser::types::{OperationDefinition, OperationType, Selection};
use async_graphql::{Pos, Response};
use entity::kinds::PartnerKind;
use futures_util::stream::{BoxStream, StreamExt};

use super::inputs::chosen;
use super::{Asked, Gateway, Prepared, Refused, seal};
use crate::access::Slice;
use crate::error::{Error, Result};
pub use crate::graph::event::Bookmark;
use crate::language::Language;

/// A subscription that was judged and may run.
pub struct Follower {
    prepared: Arc<Prepared>,
    bookmark: Bookmark,
    language: Language,
}

/// How a subscription began.
pub struct Subscribed {
    /// As in [`super::Executed`].
    pub operation: Option<String>,
    /// Who follows; else the one answer, whose errors are sealed.
    pub follower: std::result::Result<Follower, Box<Response>>,
}

/// One answer of a subscription; its errors are sealed.
pub struct Told {
    pub response: Response,
    /// The cursor of the event that it tells of; none when the events could not be read.
    pub cursor: Option<String>,
}

impl Gateway {
    /// What kind of operation would run; nothing when that is not clear.
    pub fn operation_type(&self, kind: PartnerKind, asked: &Asked) -> Option<OperationType> {
        let known = self.document(kind, &asked.query).ok()?.ok()?;
        chosen(&known.document, asked.operation_name.as_deref()).map(|operation| operation.ty)
    }

    /// Judges a subscription, which must be paid for. It begins at the bookmark, or at the document's own `after` when that is later.
    pub fn subscribe(
        &self,
        slice: &Slice,
        language: Language,
        asked: Asked,
        bookmark: Bookmark,
    ) -> Result<Subscribed> {
        let judged = self.prepare(slice.viewer().kind(), asked)?;
        slice.purse().take(judged.cost.requested())?;
        let prepared = match judged.prepared {
            Ok(prepared) => match chosen(&prepared.known.document, prepared.name.as_deref()).map(one_field) {
                Some(Err(refused)) => Err(refused),
                Some(Ok(())) | None => Ok(prepared),
            },
            Err(Refused::Answered(response)) => Err(response),
            Err(Refused::NotByGet(_)) => return Err(Error::internal("a subscription by GET")),
        };
        let follower = prepared.map(|prepared| Follower { prepared: Arc::new(prepared), bookmark, language });
        Ok(Subscribed { operation: judged.operation, follower })
    }

    /// The next page of a subscription: what came since its last answer, read when it is first asked for; one answer without a
    /// cursor when it cannot be read.
    pub fn page(&self, slice: Slice, follower: &Follower) -> Result<BoxStream<'static, Told>> {
        slice.may_look()?;
        let of_kind = self.of_kind(slice.viewer().kind())?;
        let prepared = Arc::clone(&follower.prepared);
        let outputs = Arc::clone(&of_kind.outputs);
        let bookmark = follower.bookmark.clone();
        let request = prepared.request(slice, follower.language).data(bookmark.clone());
        let mut last = bookmark.place();
        let told = move |response| {
            let place = bookmark.place();
            let cursor = (place > last).then(|| place.cursor());
            last = place;
            Told { response: prepared.finish(&outputs, response), cursor }
        };
        Ok(of_kind.schema.execute_stream(request).map(told).boxed())
    }
}

/// A subscription follows one thing. The library runs every field as a stream of its own, and passes over fragments.
fn one_field(operation: &OperationDefinition) -> std::result::Result<(), Box<Response>> {
    let set = &operation.selection_set;
    let refused = |at: Pos| {
        let why = "A subscription selects one field, without a fragment, @skip or @include.";
        Err(Box::new(seal::invalid(why, at)))
    };
    match set.node.items.as_slice() {
        [only] => match &only.node {
            Selection::Field(field)
                if field.node.directives.is_empty() && !field.node.name.node.starts_with("__") =>
            {
                Ok(())
            }
            _ => refused(only.pos),
        },
        _ => refused(set.pos),
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn a_subscription_follows_one_thing() {
        let judged = |text: &str| {
            let document = parse_query(text).expect("parses");
            one_field(chosen(&document, None).expect("one operation")).is_ok()
        };
        assert!(judged("subscription { events { kind } }"));
        assert!(judged(
            "subscription S($a: String) { told: events(after: $a) { ...F } } fragment F on Event { kind }"
        ));
        for text in [
            "subscription { a: events { kind } b: events { kind } }",
            "subscription { events { kind } __typename }",
            "subscription { __typename }",
            "subscription { ...F } fragment F on Subscription { events { kind } }",
            "subscription { ... on Subscription { events { kind } } }",
            "subscription { events @skip(if: false) { kind } }",
            "subscription($y: Boolean!) { events @include(if: $y) { kind } }",
        ] {
            assert!(!judged(text), "{text}");
        }
    }
}
