//! Documents that were parsed and weighed before, kept by their text.

use std::sync::Arc;

use async_graphql::Response;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use entity::kinds::PartnerKind;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::budget::{Budget, check_source, weigh};
use super::seal;

/// What all documents that are kept may take up, in bytes.
const ROOM: u64 = 32 << 20;
/// What a parsed document takes up for each byte of its text, at the most: `a ` is a field, two hundred times its size.
const PARSED: u64 = 200;
/// How many documents are expected: the tools of a partner send a few dozen.
const EXPECTED: usize = 200;

type Known = Arc<ExecutableDocument>;

/// The documents of all kinds of partner, of each kind by themselves: what a text weighs depends on the names that a kind has.
pub(super) struct Documents(Cache<Text, Known, ByLength>);

#[derive(Hash, PartialEq, Eq)]
struct Text {
    kind: PartnerKind,
    text: String,
}

/// [`Text`], to look one up.
#[derive(Hash)]
struct Asked<'a> {
    kind: PartnerKind,
    text: &'a str,
}

impl Equivalent<Text> for Asked<'_> {
    fn equivalent(&self, key: &Text) -> bool {
        self.kind == key.kind && self.text == key.text
    }
}

#[derive(Clone)]
struct ByLength;

impl Weighter<Text, Known> for ByLength {
    fn weight(&self, Text { text, .. }: &Text, _: &Known) -> u64 {
        (text.len() as u64).saturating_mul(PARSED + 1)
    }
}

impl Default for Documents {
    fn default() -> Self {
        Self(Cache::with_weighter(EXPECTED, ROOM, ByLength))
    }
}

impl Documents {
    /// The parsed document of a text, weighed once for a kind of partner, by the fields that its schema has.
    pub(super) fn parsed(
        &self,
        kind: PartnerKind,
        text: &str,
        has: impl Fn(&str) -> bool,
    ) -> Result<Known, Box<Response>> {
        if let Some(known) = self.0.get(&Asked { kind, text }) {
            return Ok(known);
        }
        check_source(text).map_err(|limit| Box::new(seal::limit(&limit)))?;
        let document = parse_query(text).map_err(|error| Box::new(seal::parse(&error)))?;
        weigh(&document, &Budget::default(), &has).map_err(|limit| Box::new(seal::limit(&limit)))?;
        let document = Arc::new(document);
        self.0.insert(Text { kind, text: text.to_owned() }, Arc::clone(&document));
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_parsed_once() {
        let documents = Documents::default();
        let parsed = |kind, text| documents.parsed(kind, text, |_| true);
        let known = |text| parsed(PartnerKind::Hospital, text).unwrap();
        assert!(Arc::ptr_eq(&known("{ a }"), &known("{ a }")));
        assert!(parsed(PartnerKind::Hospital, "{ a").is_err());
        assert!(!Arc::ptr_eq(&known("{ a }"), &parsed(PartnerKind::Bureau, "{ a }").unwrap()));
    }

    #[test]
    fn documents_without_end_take_up_bounded_room() {
        let documents = Documents::default();
        let kind = PartnerKind::Hospital;
        let parsed = documents.parsed(kind, "{ a }", |_| true).unwrap();
        for number in 0..2_000 {
            let text = format!("{{ a }} # {number} {}", "x".repeat(10_000));
            documents.0.insert(Text { kind, text }, Arc::clone(&parsed));
        }
        assert!(documents.0.weight() <= ROOM);
        assert!((1..=ROOM / (10_000 * PARSED)).contains(&(documents.0.len() as u64)));
    }
}
