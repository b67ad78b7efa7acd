//! The trail and the ledger of a period as an auditor takes them away.

use std::collections::BTreeMap;

use entity::kinds::{PostingKind, Scope};
use reqwest::Method;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, HOSPITAL, SHOP};
use crate::harness::{District, Partner, Town};

const DAY: &str = "from=2016-06-15&to=2016-06-15";

async fn auditor(district: &District) -> Partner {
    district.partner_with(BUREAU, &[Scope::AuditRead]).await
}

/// What a list of GraphQL answers as a file would hold it, oldest first.
fn as_lines(nodes: &Value, fields: &[&str]) -> Vec<Vec<String>> {
    let cell = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Object(partner) => partner["code"].as_str().unwrap().to_owned(),
        other => other.to_string(),
    };
    let line = |node: &Value| fields.iter().map(|field| cell(&node[*field])).collect();
    nodes.as_array().unwrap().iter().rev().map(line).collect()
}

#[tokio::test]
async fn the_trail_of_a_period_is_taken_away_as_it_is_read() {
    let town = Town::new().await;
    town.district.gate.write_looks().await.unwrap();
    let auditor = auditor(&town.district).await;
    let fields = [
        "at",
        "partner",
        "client",
        "operatorCode",
        "scope",
        "act",
        "outcome",
        "subject",
        "operationKey",
        "beforeDigest",
        "afterDigest",
        "origin",
        "sealNumber",
    ];
    let query = format!(
        "{{ auditTrail(first: 100) {{ totalCount nodes {{ {} }} }} }}",
        fields.join(" ").replace("partner", "partner { code }")
    );
    let read = auditor.ask(&query, json!({})).await.fine();
    let file = auditor.download(&format!("/audit/trail.csv?{DAY}")).await;
    let mut lines = file.lines();
    assert_eq!(lines.remove(0), fields);
    assert!(lines.len() > 30 && lines.len() as i64 == read.at("auditTrail.totalCount").as_i64().unwrap());
    let newest = as_lines(read.at("auditTrail.nodes"), &fields);
    assert_eq!(lines[lines.len() - newest.len()..], newest);
    assert_eq!(
        file.header("content-disposition"),
        "attachment; filename=\"audit-trail-2016-06-15-2016-06-15.csv\""
    );
    for (period, many) in [
        ("from=2016-06-16&to=2016-06-17", 0),
        ("from=2016-06-01&to=2016-06-14", 0),
        ("from=2016-06-15T00:00:00Z&to=2016-06-15T23:00:00%2B08:00", lines.len()),
        // An instant is exclusive at the end.
        (
            "from=2016-06-14&to=2016-06-15T02:00:00Z",
            lines.iter().filter(|line| line[0].as_str() < "2016-06-15T02:00:00.000000Z").count(),
        ),
    ] {
        let found = auditor.download(&format!("/audit/trail.csv?{period}")).await.lines();
        assert_eq!(found.len() - 1, many, "{period}");
    }
}

#[tokio::test]
async fn the_ledger_of_a_period_balances_posting_by_posting() {
    let town = Town::new().await;
    let auditor = auditor(&town.district).await;
    // More than a page of postings with two sides each, and a page that ends within one of them.
    let (_, laid) = town.district.statement_of(HOSPITAL, 1_101, |_, _| {}).await;
    let others = laid.iter().map(|line| entity::entry::Model {
        number: 1,
        kind: PostingKind::Redemption,
        amount: line.amount.negated().unwrap(),
        statement_id: None,
        partner_id: None,
        ..line.clone()
    });
    town.district.lay::<entity::entry::Entity>(others.collect()).await;
    let mut lines = auditor.download(&format!("/audit/ledger.csv?{DAY}")).await.lines();
    let columns = lines.remove(0);
    let column = |name: &str| columns.iter().position(|column| column == name).unwrap();
    let (posting, amount) = (column("postingId"), column("amount"));
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for line in &lines {
        *sums.entry(&line[posting]).or_default() += line[amount].parse::<Decimal>().unwrap();
    }
    assert!(sums.values().all(Decimal::is_zero));
    let all = town.district.database.rows("entry").await;
    assert_eq!(lines.len() as i64, all);
    assert!(sums.len() > 1_101);
    let mut seen: Vec<(&str, &str)> =
        lines.iter().map(|line| (line[posting].as_str(), line[column("account")].as_str())).collect();
    assert!(seen.is_sorted_by_key(|(posting, _)| *posting), "postings stand together, oldest first");
    seen.dedup_by_key(|(posting, _)| *posting);
    assert_eq!(seen.len(), sums.len());
    let query = "{ ledger(first: 1) { nodes { id book kind operationKey reference postedAt entries { account amount programmeId year partnerId aidCardId statementId } } } }";
    let newest = auditor.ask(query, json!({})).await.fine();
    let newest = newest.at("ledger.nodes.0");
    let of_newest: Vec<&Vec<String>> =
        lines.iter().filter(|line| line[posting] == newest["id"].as_str().unwrap()).collect();
    assert_eq!(of_newest.len(), newest["entries"].as_array().unwrap().len());
    for (line, entry) in of_newest.iter().zip(newest["entries"].as_array().unwrap()) {
        for (name, value) in entry.as_object().unwrap() {
            let value = value.as_str().map_or_else(|| value.to_string().replace("null", ""), str::to_owned);
            assert_eq!(line[column(name)], value, "{name}");
        }
        for name in ["book", "kind", "operationKey", "reference", "postedAt"] {
            assert_eq!(line[column(name)], newest[name].as_str().unwrap_or_default(), "{name}");
        }
    }
    assert!(!columns.iter().any(|column| column.contains("person")));
}

#[tokio::test]
async fn only_an_auditor_takes_the_records_away() {
    let district = District::new().await;
    let auditor = auditor(&district).await;
    let clerk = district.partner_with(BUREAU, &[Scope::StatementRead, Scope::BudgetRead]).await;
    let shop = district.partner(SHOP).await;
    for path in ["/audit/trail.csv", "/audit/ledger.csv"] {
        let address = format!("{path}?{DAY}");
        assert_eq!(auditor.download(&address).await.status, 200);
        let (status, code, message) = clerk.download(&address).await.refusal();
        assert_eq!((status, code.as_str()), (403, "FORBIDDEN"));
        assert!(message.contains("AUDIT_READ"));
        assert_eq!(shop.download(&address).await.refusal().0, 404);
        assert_eq!(reqwest::get(format!("{}{address}", district.url)).await.unwrap().status(), 401);
        let post = auditor.ask_for(Method::POST, &address).await;
        assert_eq!((post.status, post.header("allow")), (405, "GET"));
        for (query, why) in [
            ("", "`from` is missing"),
            ("from=2016-06-15", "`to` is missing"),
            ("from=2016-06-16&to=2016-06-15", "must lie before"),
            ("from=yesterday&to=2016-06-15", "`from` must be a day"),
            ("from=2016-06-15&to=2016-06-15T00:00:00+08:00", "%2B"),
            ("from=2016-06-15&to=2016-06-15&partner=CF", "nothing else"),
        ] {
            let (status, _, message) = auditor.download(&format!("{path}?{query}")).await.refusal();
            assert!(status == 400 && message.contains(why), "{query}: {message}");
        }
    }
    let statement = district.statement_of(SHOP, 1, |_, _| {}).await.0;
    let lines = auditor.download(&format!("/statements/{statement}/lines.csv")).await;
    assert_eq!(lines.refusal().1, "FORBIDDEN", "an auditor reads the ledger, not what others work with");
}
