//! Documents that were parsed and weighed before, kept by their text.

use std::sync::Arc;

use async_graphql::Response;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use entity::kinds::PartnerKind;
use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::budget::{Budget, Weight, check_source, weigh};
use super::cost::Cost;
use super::seal;

/// What all documents that are kept may take up, in bytes.
const ROOM: u64 = 32 << 20;
/// What a parsed document takes up for each byte of its text, at the most: `a ` is a field, two hundred times its size.
const PARSED: u64 = 200;
/// How many documents are expected: the tools of a partner send a few dozen.
const EXPECTED: usize = 200;

/// A document with what its operations cost.
pub(super) struct Known {
    pub(super) document: ExecutableDocument,
    costs: Vec<(Option<String>, Cost)>,
}

impl Known {
    fn new(document: ExecutableDocument, weights: Vec<(Option<String>, Weight)>) -> Self {
        let kinds = document.operations.iter().map(|(_, operation)| operation.node.ty);
        let costs = weights.into_iter().zip(kinds);
        let costs = costs.map(|((name, weight), kind)| (name, Cost::of(&weight, kind))).collect();
        Self { document, costs }
    }

    /// What the operation of a name costs, or the only one; one that is not there runs nothing.
    pub(super) fn cost(&self, name: Option<&str>) -> Cost {
        let named = |(known, _): &&(Option<String>, Cost)| name.is_none() || known.as_deref() == name;
        let mut found = self.costs.iter().filter(named);
        match (found.next(), found.next()) {
            (Some((_, cost)), None) => *cost,
            _ => Cost::REFUSED,
        }
    }
}

/// The documents of all kinds of partner, of each kind by themselves: what a text weighs depends on the names that a kind has.
pub(super) struct Documents(Cache<Text, Arc<Known>, ByLength>);

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

impl Weighter<Text, Arc<Known>> for ByLength {
    fn weight(&self, Text { text, .. }: &Text, _: &Arc<Known>) -> u64 {
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
    ) -> Result<Arc<Known>, Box<Response>> {
        if let Some(known) = self.0.get(&Asked { kind, text }) {
            return Ok(known);
        }
        check_source(text).map_err(|limit| Box::new(seal::limit(&limit)))?;
        let document = parse_query(text).map_err(|error| Box::new(seal::parse(&error)))?;
        let weights = weigh(&document, &Budget::default(), &has);
        let weights = weights.map_err(|limit| Box::new(seal::limit(&limit)))?;
        let known = Arc::new(Known::new(document, weights));
        self.0.insert(Text { kind, text: text.to_owned() }, Arc::clone(&known));
        Ok(known)
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
    fn each_operation_has_its_own_cost() {
        let documents = Documents::default();
        let text = "query A { a } query B { b { c } } mutation M { m }";
        let known = documents.parsed(PartnerKind::Hospital, text, |_| true).unwrap();
        let costs = [Some("A"), Some("B"), Some("M"), Some("X"), None];
        assert_eq!(costs.map(|name| known.cost(name).requested()), [1, 2, 11, 1, 1]);
        let only = documents.parsed(PartnerKind::Hospital, "query B { b { c } }", |_| true).unwrap();
        assert_eq!(only.cost(None).requested(), 2);
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
