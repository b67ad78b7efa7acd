//! Files as a partner's client gets and sends them.

use entity::id::{PostingId, StatementId};
use entity::kinds::{Account, FundSource, PostingKind, StatementStatus};
use entity::{Fen, entry, statement};
use onestop::files::csv::Reader;
use onestop::page::type_id;
use reqwest::{Method, Response};
use serde_json::Value;
use uuid::{ContextV7, Timestamp, Uuid};

use super::district::new_id;
use super::{District, Partner};

/// What came back, whole.
pub struct Received {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub text: String,
}

impl Received {
    pub async fn of(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Its lines, the header among them.
    pub fn lines(&self) -> Vec<Vec<String>> {
        assert_eq!(self.status, 200, "{}", self.text);
        lines(self.text.as_bytes())
    }

    /// Code and message of a refusal.
    pub fn refusal(&self) -> (u16, String, String) {
        let body: Value = serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{}", self.text));
        let error = &body["errors"][0];
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (self.status, text(&error["extensions"]["code"]), text(&error["message"]))
    }
}

/// The lines of a file.
pub fn lines(file: &[u8]) -> Vec<Vec<String>> {
    let mut lines = Vec::new();
    let mut each = |_: u64, cells: &[&str]| {
        lines.push(cells.iter().map(|cell| (*cell).to_owned()).collect());
        Ok(())
    };
    let mut reader = Reader::default();
    reader.take(file, &mut each).unwrap();
    reader.end(&mut each).unwrap();
    lines
}

impl Partner {
    pub async fn ask_for(&self, method: Method, path: &str) -> Received {
        let asked = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(&self.token);
        Received::of(asked.send().await.unwrap()).await
    }

    pub async fn download(&self, path: &str) -> Received {
        self.ask_for(Method::GET, path).await
    }

    /// Where the lines of a month are.
    pub async fn csv_path(&self, month: &str) -> String {
        let query = format!("{{ statement(month: \"{month}\") {{ csvPath }} }}");
        self.ask(&query, serde_json::json!({})).await.fine().text("statement.csvPath")
    }

    pub async fn upload(&self, query: &str, file: impl Into<reqwest::Body>) -> Received {
        let asked = self.http.post(format!("{}/reconcile?{query}", self.url)).bearer_auth(&self.token);
        let asked = asked.header("content-type", "text/csv").body(file);
        Received::of(asked.send().await.unwrap()).await
    }
}

impl District {
    /// Lays a statement of June 2016 with lines that no act made; its outside id, and the lines.
    pub async fn statement_of(
        &self,
        partner: &str,
        many: u32,
        change: impl Fn(u32, &mut entry::Model),
    ) -> (String, Vec<entry::Model>) {
        let id = new_id::<StatementId>();
        let partner = self.partner_id(partner).await;
        let row = statement::Model {
            id,
            partner_id: partner,
            fund: FundSource::Charity,
            month: "2016-06".into(),
            status: StatementStatus::Open,
            count: None,
            gross: None,
            reversed: None,
            confirmed_at: None,
            paid_at: None,
            bank_reference: None,
        };
        self.lay::<statement::Entity>(vec![row]).await;
        let context = ContextV7::new();
        let now = self.now();
        let seconds = u64::try_from(now.timestamp()).unwrap();
        let entries: Vec<entry::Model> = (0..many)
            .map(|number| {
                let at = Timestamp::from_unix(&context, seconds, now.timestamp_subsec_nanos());
                let posting = Uuid::new_v7(at);
                let mut line = entry::Model {
                    posting_id: PostingId::from(posting),
                    number: 0,
                    book: FundSource::Charity,
                    account: Account::Payable,
                    kind: PostingKind::Redemption,
                    amount: Fen::new(-1 - i64::from(number)),
                    programme_id: None,
                    year: None,
                    partner_id: Some(partner),
                    aid_card_id: None,
                    person_id: None,
                    cap_group: None,
                    statement_id: Some(id),
                    source_id: posting,
                    corrects: None,
                    operation_key: format!("act {number}"),
                    reference: Some(format!("R{number}")),
                    acted_at: now,
                    posted_at: now,
                };
                change(number, &mut line);
                line
            })
            .collect();
        self.lay::<entry::Entity>(entries.clone()).await;
        (type_id(id), entries)
    }
}
