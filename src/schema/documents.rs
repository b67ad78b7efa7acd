//! Documents that were parsed and weighed before, kept by their text.

use std::sync::Arc;

use async_graphql::Response;
use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use quick_cache::Weighter;
use quick_cache::sync::Cache;

use super::budget::{Budget, check_source, weigh};
use super::seal;

/// What all documents that are kept may take up, in bytes.
const ROOM: u64 = 32 << 20;
/// What a parsed document takes up for each byte of its text, at the most: `a ` is a field, two hundred times its size.
const PARSED: u64 = 200;
/// How many documents are expected: the tools of a partner send a few dozen.
const EXPECTED: usize = 200;

type Known = Arc<ExecutableDocument>;

/// The documents of all kinds of partner: what a text parses to is the same for each of them.
pub(super) struct Documents(Cache<String, Known, ByLength>);

#[derive(Clone)]
struct ByLength;

impl Weighter<String, Known> for ByLength {
    fn weight(&self, text: &String, _: &Known) -> u64 {
        (text.len() as u64).saturating_mul(PARSED + 1)
    }
}

impl Default for Documents {
    fn default() -> Self {
        Self(Cache::with_weighter(EXPECTED, ROOM, ByLength))
    }
}

impl Documents {
    /// The parsed document of a text, weighed once.
    pub(super) fn parsed(&self, text: &str) -> Result<Known, Box<Response>> {
        if let Some(known) = self.0.get(text) {
            return Ok(known);
        }
        check_source(text).map_err(|limit| Box::new(seal::limit(&limit)))?;
        let document = parse_query(text).map_err(|error| Box::new(seal::parse(&error)))?;
        weigh(&document, &Budget::default()).map_err(|limit| Box::new(seal::limit(&limit)))?;
        let document = Arc::new(document);
        self.0.insert(text.to_owned(), Arc::clone(&document));
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_parsed_once() {
        let documents = Documents::default();
        let (first, second) = (documents.parsed("{ a }").unwrap(), documents.parsed("{ a }").unwrap());
        assert!(Arc::ptr_eq(&first, &second));
        assert!(documents.parsed("{ a").is_err());
    }

    #[test]
    fn documents_without_end_take_up_bounded_room() {
        let documents = Documents::default();
        let parsed = documents.parsed("{ a }").unwrap();
        for number in 0..2_000 {
            let text = format!("{{ a }} # {number} {}", "x".repeat(10_000));
            documents.0.insert(text, Arc::clone(&parsed));
        }
        assert!(documents.0.weight() <= ROOM);
        assert!((1..=ROOM / (10_000 * PARSED)).contains(&(documents.0.len() as u64)));
    }
}
