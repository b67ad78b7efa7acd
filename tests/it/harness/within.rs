//! Requests without the wire, and what they ask of the database.

use onestop::access::{Slice, counting};
use onestop::language::Language;
use onestop::schema::{Asked, Gateway};
use serde_json::Value;

use super::{District, Reply};

/// One partner whose documents run in the test's own task.
pub struct Within {
    gateway: Gateway,
    pub slice: Slice,
}

impl Within {
    pub async fn of(district: &District, code: &str) -> Self {
        Self { gateway: Gateway::default(), slice: district.slice(code).await }
    }

    pub async fn ask(&self, query: &str, variables: Value) -> Reply {
        let Value::Object(variables) = variables else { panic!("variables are an object") };
        let asked = Asked { query: query.to_owned(), operation_name: None, variables, read_only: false };
        // Boxed: the futures of whoever asks a hundred things would not fit on a test's stack.
        let executing = Box::pin(self.gateway.execute(self.slice.clone(), Language::English, asked));
        let executed = executing.await.unwrap();
        let response = executed.response.expect("not by GET");
        Reply::new(200, serde_json::to_value(response).unwrap())
    }

    /// The answer, and how many statements it took.
    pub async fn counted(&self, query: &str, variables: Value) -> (Reply, u32) {
        counting(self.ask(query, variables)).await
    }
}
