//! One partner's client, which lives with a server that may not answer.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::book::{Asked, Book};
use crate::harness::Reply;

/// How long one answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(10);
/// How long a request is sent again before the server is held to be gone for good.
const PATIENCE: Duration = Duration::from_secs(60);

/// What came of sending a request once.
#[derive(Debug)]
pub enum Heard {
    /// An answer: done, refused, or answered before.
    Answer(Reply),
    /// A typed error that says that the same request may be sent again.
    Retryable,
    /// No answer; the request may or may not have been done.
    Nothing,
}

#[derive(Clone)]
pub struct Desk {
    pub partner: String,
    token: String,
    url: String,
    http: reqwest::Client,
}

impl Desk {
    pub fn new(partner: &str, token: String, url: &str) -> Self {
        let http = reqwest::Client::builder().timeout(ANSWER_TIME).build().unwrap();
        Self { partner: partner.to_owned(), token, url: url.to_owned(), http }
    }

    /// The same partner, with a connection for each request.
    pub fn without_kept_connections(self) -> Self {
        let http = reqwest::Client::builder().timeout(ANSWER_TIME).pool_max_idle_per_host(0).build().unwrap();
        Self { http, ..self }
    }

    /// Sends a request once. Any error but a retryable one is a fault of the server.
    pub async fn send(&self, asked: &Asked) -> Heard {
        let sent = self
            .http
            .post(format!("{}/graphql", self.url))
            .bearer_auth(&self.token)
            .header("accept", "application/graphql-response+json")
            .json(&json!({ "query": asked.document(), "variables": { "input": asked.input } }))
            .send()
            .await;
        let Ok(response) = sent else { return Heard::Nothing };
        let status = response.status().as_u16();
        let Ok(body) = response.json::<Value>().await else { return Heard::Nothing };
        let reply = Reply::new(status, body);
        match reply.error().as_str() {
            "" => Heard::Answer(reply),
            "UNAVAILABLE" | "THROTTLED" => Heard::Retryable,
            _ => panic!("{} {}: {}", asked.mutation, asked.key(), reply.body),
        }
    }

    /// Looks at a card; whether it was seen.
    pub async fn sees(&self, card: &str) -> bool {
        let query = "query($n: String!) { aidCard(number: $n) { balance } }";
        let sent = self.http.post(format!("{}/graphql", self.url)).bearer_auth(&self.token);
        let response =
            sent.json(&json!({ "query": query, "variables": { "n": card } })).send().await.unwrap();
        response.json::<Value>().await.unwrap()["data"]["aidCard"]["balance"].is_string()
    }

    /// Sends a request until it is answered, as a careful client does: under the same key.
    pub async fn insist(&self, book: &Book, asked: &Asked) -> Reply {
        let since = Instant::now();
        loop {
            if let Some(reply) = self.try_once(book, asked).await {
                return reply;
            }
            assert!(since.elapsed() < PATIENCE, "{} {} is never answered", asked.mutation, asked.key());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Sends a request once; the answer, if there is one. All of it stands in the book.
    pub async fn try_once(&self, book: &Book, asked: &Asked) -> Option<Reply> {
        book.ask(&self.partner, asked);
        match self.send(asked).await {
            Heard::Answer(reply) => {
                book.hear(&self.partner, asked, &reply);
                Some(reply)
            }
            Heard::Retryable | Heard::Nothing => None,
        }
    }
}
