//! A partner's client: it speaks GraphQL over HTTP to the running server, with its own token.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};

use onestop::schema::sdl_of;
use serde_json::{Value, json};

use super::canary;
use super::district::PARTNERS;
use super::sdl::words_of;

/// What the server answered.
#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    pub extensions: Value,
}

impl Reply {
    /// An answer without its `extensions`: what it cost tells what was asked before, and would make every answer another one.
    pub fn new(status: u16, mut body: Value) -> Self {
        let extensions = body.as_object_mut().and_then(|body| body.remove("extensions")).unwrap_or_default();
        Self { status, body, extensions }
    }

    /// The data at a path such as `settle.settlement.id`; null when there is none.
    pub fn at(&self, path: &str) -> &Value {
        path.split('.').fold(&self.body["data"], |value, step| match step.parse::<usize>() {
            Ok(index) => &value[index],
            Err(_) => &value[step],
        })
    }

    pub fn text(&self, path: &str) -> String {
        self.at(path).as_str().unwrap_or_else(|| panic!("no text at {path}: {}", self.body)).to_owned()
    }

    /// The codes of the `userErrors` at a root field, in order.
    pub fn refusals(&self, field: &str) -> Vec<String> {
        let errors = self.at(field)["userErrors"].as_array();
        let errors = errors.unwrap_or_else(|| panic!("no userErrors at {field}: {}", self.body));
        errors.iter().map(|error| error["code"].as_str().unwrap().to_owned()).collect()
    }

    /// Code and dotted path of the `userErrors` at a root field, in order.
    pub fn refusals_at(&self, field: &str) -> Vec<(String, String)> {
        let errors = self.at(field)["userErrors"].as_array().unwrap();
        let path = |error: &Value| {
            let steps = error["field"].as_array().cloned().unwrap_or_default();
            steps.iter().map(|step| step.as_str().unwrap().to_owned()).collect::<Vec<_>>().join(".")
        };
        errors.iter().map(|error| (error["code"].as_str().unwrap().to_owned(), path(error))).collect()
    }

    /// The code of the first GraphQL error; empty when there is none.
    pub fn error(&self) -> String {
        self.body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Fails unless the answer has no GraphQL error.
    pub fn fine(self) -> Self {
        assert!(self.body.get("errors").is_none(), "{}", self.body);
        self
    }

    /// Fails unless the answer has no GraphQL error and the root field has no `userErrors`.
    pub fn done(self, field: &str) -> Self {
        let reply = self.fine();
        assert_eq!(reply.refusals(field), Vec::<String>::new(), "{}", reply.body);
        reply
    }
}

/// One partner with one token.
#[derive(Clone)]
pub struct Partner {
    pub code: String,
    pub token: String,
    pub(super) url: String,
    pub(super) http: reqwest::Client,
}

/// The codes of `userErrors` that the schema of a partner has.
static CODES: LazyLock<BTreeMap<&str, BTreeSet<String>>> = LazyLock::new(|| {
    let codes = |kind| words_of(&sdl_of(kind), "UserErrorCode");
    PARTNERS.iter().map(|(code, kind, _)| (*code, codes(*kind))).collect()
});

static KEYS: AtomicU32 = AtomicU32::new(1);

/// A key that no test has used.
pub fn new_key() -> String {
    format!("key-{}", KEYS.fetch_add(1, Ordering::Relaxed))
}

impl Partner {
    pub fn new(code: &str, token: String, url: &str) -> Self {
        Self { code: code.to_owned(), token, url: url.to_owned(), http: reqwest::Client::new() }
    }

    /// Any document with variables; messages in English.
    pub async fn ask(&self, query: &str, variables: Value) -> Reply {
        self.ask_in("en", query, variables).await
    }

    pub async fn ask_in(&self, language: &str, query: &str, variables: Value) -> Reply {
        let response = self
            .post("application/graphql-response+json", query, variables)
            .header("accept-language", language)
            .send()
            .await
            .unwrap();
        let status = response.status().as_u16();
        let body = response.json().await.unwrap();
        canary::search_answer(&body);
        Reply::new(status, body)
    }

    /// A request, before it is sent, for an answer in this form.
    pub fn post(&self, accept: &str, query: &str, variables: Value) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}/graphql", self.url))
            .bearer_auth(&self.token)
            .header("accept", accept)
            .json(&json!({ "query": query, "variables": variables }))
    }

    /// A mutation that takes `input`, by its name; `shape` selects from its payload.
    pub async fn act(&self, mutation: &str, input: Value, shape: &str) -> Reply {
        let kind = format!("{}{}", mutation[..1].to_uppercase(), &mutation[1..]);
        let kind = match mutation {
            "acceptReferral" | "startReferral" => "ReferralStep".to_owned(),
            "declineReferral" | "holdReferral" | "failReferral" | "cancelReferral" => {
                "ReferralReason".to_owned()
            }
            "suspend" | "resume" => "Suspension".to_owned(),
            _ => kind,
        };
        let query = format!(
            "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {shape} replayed userErrors {{ code message field }} }} }}"
        );
        let reply = self.ask(&query, json!({ "input": input })).await;
        if let (Some(known), Some(_)) =
            (CODES.get(self.code.as_str()), reply.at(mutation)["userErrors"].as_array())
        {
            let strange: Vec<String> =
                reply.refusals(mutation).into_iter().filter(|code| !known.contains(code)).collect();
            assert_eq!(strange, Vec::<String>::new(), "{} is not told of these codes", self.code);
        }
        reply
    }
}
