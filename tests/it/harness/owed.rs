//! What partners ask about the money that they are owed.

use serde_json::{Value, json};

use super::partner::new_key;
use super::{Partner, Reply};

pub const STATEMENT: &str = "id partner { code } month fund status count gross reversed net";

impl Partner {
    pub async fn statement(&self, month: &str) -> Reply {
        let query = format!(
            "query($month: YearMonth!) {{ statement(month: $month) {{ {STATEMENT} lines(first: 100) {{ totalCount nodes {{
                key reference amount kind source {{ __typename id }} }} }} }} }}"
        );
        self.ask(&query, json!({ "month": month })).await
    }

    /// Count, gross, reversed and net of a month.
    pub async fn totals(&self, month: &str) -> (i64, String, String, String) {
        let reply = self.statement(month).await.fine();
        let text = |field: &str| reply.text(&format!("statement.{field}"));
        let count = reply.at("statement.count").as_i64().unwrap();
        (count, text("gross"), text("reversed"), text("net"))
    }

    /// Kind and amount of the lines of a month, in order.
    pub async fn lines(&self, month: &str) -> Vec<(String, String)> {
        let reply = self.statement(month).await.fine();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let lines = reply.at("statement.lines.nodes").as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| (text(&line["kind"]), text(&line["amount"]))).collect()
    }

    pub async fn confirm(&self, month: &str, net: &str) -> Reply {
        self.confirm_under(&new_key(), month, net).await
    }

    pub async fn confirm_under(&self, key: &str, month: &str, net: &str) -> Reply {
        let input = json!({ "key": key, "month": month, "net": net });
        self.act("confirmStatement", input, &format!("statement {{ {STATEMENT} confirmedAt }}")).await
    }

    pub async fn pay(&self, statement: &str, bank_reference: &str) -> Reply {
        let input = json!({ "key": new_key(), "statementId": statement, "bankReference": bank_reference });
        self.act("payStatement", input, &format!("statement {{ {STATEMENT} paidAt bankReference }}")).await
    }

    /// Compares lines of key and amount for days.
    pub async fn reconcile(&self, from: &str, to: &str, lines: &[(&str, &str)]) -> Reply {
        let lines: Vec<Value> =
            lines.iter().map(|(key, amount)| json!({ "key": key, "amount": amount })).collect();
        let query = "mutation($input: ReconcileInput!) { reconcile(input: $input) {
            agreed matched differences { key result ours theirs remedy } userErrors { code message field } } }";
        self.ask(query, json!({ "input": { "from": from, "to": to, "lines": lines } })).await
    }
}
