//! Who reads the feed: page by page, or as a stream.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::partner::new_key;
use super::{District, Partner};

pub const EVENTS: &str = "text/event-stream";
/// What is told of an event.
const SHAPE: &str = "cursor at kind subject { __typename id }";
/// Longer than anything takes.
const LONG: Duration = Duration::from_secs(10);

/// A stream of server-sent events.
pub struct Stream {
    response: reqwest::Response,
    text: String,
}

/// One event of a stream.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    pub event: String,
    pub id: Option<String>,
    /// Null when it is empty.
    pub data: Value,
}

impl Said {
    fn read(text: &str) -> Option<Self> {
        let of = |name: &str| {
            let mut values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
            values.next().map(|value| value.trim_start().to_owned())
        };
        let data = of("data")?;
        let data = if data.is_empty() { Value::Null } else { serde_json::from_str(&data).unwrap() };
        Some(Self { event: of("event")?, id: of("id"), data })
    }

    /// The code of the first error; empty when there is none.
    pub fn error(&self) -> &str {
        self.data["errors"][0]["extensions"]["code"].as_str().unwrap_or_default()
    }
}

impl Stream {
    pub fn of(response: reqwest::Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream; charset=utf-8");
        Self { response, text: String::new() }
    }

    /// The next block of lines, a comment too; nothing when the server has closed the stream.
    pub async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let chunk = self.response.chunk().await;
            self.text.push_str(std::str::from_utf8(&chunk.unwrap()?).unwrap());
        }
    }

    /// The next event.
    pub async fn next(&mut self) -> Option<Said> {
        tokio::time::timeout(LONG, self.event()).await.expect("nothing is told")
    }

    async fn event(&mut self) -> Option<Said> {
        loop {
            let block = self.block().await?;
            if !block.starts_with(':') {
                return Some(Said::read(&block).unwrap_or_else(|| panic!("{block}")));
            }
        }
    }

    /// What the next event tells, whose id is its cursor.
    pub async fn told(&mut self) -> Value {
        let said = self.next().await.expect("an event");
        assert_eq!((said.event.as_str(), said.error()), ("next", ""), "{said:?}");
        let event = said.data["data"]["events"].clone();
        assert_eq!(said.id.as_deref(), event["cursor"].as_str());
        event
    }

    pub async fn told_all(&mut self, count: usize) -> Vec<Value> {
        let mut told = Vec::new();
        for _ in 0..count {
            told.push(self.told().await);
        }
        told
    }

    /// Fails when anything is told for a while.
    pub async fn tells_nothing(&mut self) {
        let more = tokio::time::timeout(Duration::from_millis(700), self.next()).await;
        assert!(more.is_err(), "{more:?}");
    }

    /// How it ends: the code of its error; empty when there is none.
    pub async fn end(mut self) -> String {
        let mut last = self.next().await.expect("an event");
        let mut error = String::new();
        if last.event == "next" {
            assert_eq!(last.id, None, "{last:?}");
            error = last.error().to_owned();
            last = self.next().await.expect("`complete`");
        }
        assert_eq!(last, Said { event: "complete".into(), id: None, data: Value::Null });
        assert_eq!(self.block().await, None);
        error
    }
}

impl Partner {
    /// A page of the feed.
    pub async fn feed(&self, first: u32, after: Option<&str>) -> Value {
        let query = format!(
            "query($first: Int, $after: String) {{ events(first: $first, after: $after) {{
                nodes {{ {SHAPE} }} pageInfo {{ hasNextPage endCursor }} }} }}"
        );
        self.ask(&query, json!({ "first": first, "after": after })).await.fine().at("events").clone()
    }

    /// All that the feed holds.
    pub async fn whole_feed(&self) -> Vec<Value> {
        let mut whole = Vec::new();
        let mut after = None;
        loop {
            let page = self.feed(100, after.as_deref()).await;
            whole.extend(page["nodes"].as_array().unwrap().clone());
            if page["pageInfo"]["hasNextPage"] == false {
                return whole;
            }
            after = page["pageInfo"]["endCursor"].as_str().map(str::to_owned);
        }
    }

    /// Any document, answered by a stream.
    pub async fn stream(&self, query: &str, variables: Value) -> Stream {
        Stream::of(self.post(EVENTS, query, variables).send().await.unwrap())
    }

    /// Follows the feed.
    pub async fn follow(&self, after: Option<&str>) -> Stream {
        let query = format!("subscription($after: String) {{ events(after: $after) {{ {SHAPE} }} }}");
        self.stream(&query, json!({ "after": after })).await
    }
}

impl District {
    /// A card that a shop redeems so often, each time with an event that has its place.
    pub async fn sell(&self, shop: &Partner, times: usize) {
        let card = self.card("200.00").await;
        for number in 0..times {
            shop.sell(&card, "1.00", &format!("{}-{number}", new_key())).await;
            self.wait(TimeDelta::milliseconds(1));
        }
        while self.gate.number_events().await.unwrap() > 0 {}
    }
}
