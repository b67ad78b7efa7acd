//! Statements as files, and who may have them.

use entity::kinds::{PostingKind, Scope};
use futures_util::TryStreamExt;
use onestop::access::counting;
use onestop::files::statement_lines;
use onestop::page::key_of;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::district::{BUREAU, CF, DPF, HOSPITAL, OTHER_SHOP, SHOP};

const HEADER: [&str; 6] = ["at", "key", "reference", "kind", "amount", "sourceId"];

#[tokio::test]
async fn a_statement_is_downloaded_as_its_lines_are_read() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    let sold = shop.sell(&card, "80.00", "R,1").await;
    shop.sell(&card, "20.50", "汝河路 \"2\"").await;
    shop.refund(&sold, Some("30.00")).await.done("refundRedemption");
    let file = shop.download(&shop.csv_path("2016-06").await).await;
    let query = "{ statement(month: \"2016-06\") { lines(first: 100) { nodes { at key reference kind amount source { id } } } } }";
    let reply = shop.ask(query, json!({})).await.fine();
    let nodes = reply.at("statement.lines.nodes").as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut expected = vec![HEADER.map(str::to_owned).to_vec()];
    expected.extend(nodes.iter().map(|node| {
        let cells = ["at", "key", "reference", "kind", "amount"].map(|field| text(&node[field]));
        [cells.to_vec(), vec![text(&node["source"]["id"])]].concat()
    }));
    assert_eq!(file.lines(), expected);
    assert_eq!(expected.len(), 4);
    assert!(file.text.contains(",-30.00,"), "an amount is a number: {}", file.text);
    for (header, value) in [
        ("content-type", "text/csv; charset=utf-8; header=present"),
        ("content-disposition", "attachment; filename=\"statement-SM-RUHELU-2016-06-charity.csv\""),
        ("cache-control", "no-store"),
        ("x-content-type-options", "nosniff"),
    ] {
        assert_eq!(file.header(header), value);
    }
}

#[tokio::test]
async fn a_long_statement_is_read_page_by_page() {
    let district = District::new().await;
    let (id, laid) = district.statement_of(SHOP, 2_500, |_, _| {}).await;
    let path = format!("/statements/{id}/lines.csv");
    let lines = district.partner(SHOP).await.download(&path).await.lines();
    let found: Vec<&str> = lines[1..].iter().map(|line| line[1].as_str()).collect();
    assert_eq!(found, laid.iter().map(|line| line.operation_key.as_str()).collect::<Vec<_>>());
    for owner in [CF, BUREAU] {
        assert_eq!(district.partner(owner).await.download(&path).await.lines(), lines, "{owner} sees it too");
    }
    let file = statement_lines::lines(district.slice(SHOP).await, key_of(&id).unwrap());
    let (pieces, statements) = counting(file.try_collect::<Vec<_>>()).await;
    assert_eq!((pieces.unwrap().len(), statements), (3, 3));
    let (id, _) = district.statement_of(OTHER_SHOP, 2_000, |_, _| {}).await;
    let lines = district.partner(OTHER_SHOP).await.download(&format!("/statements/{id}/lines.csv")).await;
    assert_eq!(lines.lines().len(), 2_001, "the last page is full");
}

#[tokio::test]
async fn another_partners_statement_is_not_there() {
    let district = District::new().await;
    let (id, _) = district.statement_of(SHOP, 1, |_, _| {}).await;
    let absent = onestop::page::type_id(entity::id::StatementId::from(uuid::Uuid::now_v7()));
    let shop = district.partner(OTHER_SHOP).await;
    let answers = [
        shop.download(&format!("/statements/{id}/lines.csv")).await,
        shop.download(&format!("/statements/{absent}/lines.csv")).await,
        shop.download("/statements/nonsense/lines.csv").await,
        shop.download("/statements/%ff/lines.csv").await,
        // A kind of partner that is owed nothing.
        district.partner(DPF).await.download(&format!("/statements/{id}/lines.csv")).await,
    ];
    for answer in &answers {
        assert_eq!((answer.status, &answer.text), (404, &answers[0].text));
    }
    assert_eq!(answers[0].refusal().1, "NOT_FOUND");
}

#[tokio::test]
async fn a_file_is_guarded_as_graphql_is() {
    let district = District::new().await;
    let (id, _) = district.statement_of(SHOP, 1, |_, _| {}).await;
    let path = format!("/statements/{id}/lines.csv");
    let shop = district.partner(SHOP).await;
    for (token, challenge) in [(None, "Bearer"), (Some("nonsense"), "Bearer error=\"invalid_token\"")] {
        let mut ask = reqwest::Client::new().get(format!("{}{path}", district.url));
        if let Some(token) = token {
            ask = ask.bearer_auth(token);
        }
        let response = ask.send().await.unwrap();
        assert_eq!(response.status(), 401);
        assert_eq!(response.headers()["www-authenticate"], challenge);
    }
    let without = district.partner_with(SHOP, &[Scope::CardRead, Scope::StatementConfirm]).await;
    let (status, code, message) = without.download(&path).await.refusal();
    assert_eq!((status, code.as_str()), (403, "FORBIDDEN"));
    assert!(message.contains("STATEMENT_READ"));
    for method in [Method::POST, Method::PUT, Method::HEAD, Method::OPTIONS, Method::DELETE] {
        let answer = shop.ask_for(method.clone(), &path).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "GET"), "{method}");
    }
    let (status, code, message) = shop.download(&format!("{path}?first=1")).await.refusal();
    assert_eq!((status, code.as_str()), (400, "BAD_REQUEST"));
    assert_eq!(message, "The address takes no parameters and nothing else.");
}

#[tokio::test]
async fn no_text_becomes_a_formula() {
    let district = District::new().await;
    let texts = ["=HYPERLINK(\"http://x\")", "+1", "-1", "@a", "\tb", "plain"];
    let (id, _) = district
        .statement_of(SHOP, 6, |number, line| line.reference = Some(texts[number as usize].to_owned()))
        .await;
    let lines = district.partner(SHOP).await.download(&format!("/statements/{id}/lines.csv")).await.lines();
    let references: Vec<&str> = lines[1..].iter().map(|line| line[2].as_str()).collect();
    assert_eq!(references, ["'=HYPERLINK(\"http://x\")", "'+1", "'-1", "'@a", "'\tb", "plain"]);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_to_its_end_does_not_end_well() {
    let district = District::new().await;
    // A line that owes nothing: whoever comes to it cannot go on.
    let broken = |at: u32| {
        move |number: u32, line: &mut entity::entry::Model| {
            if number == at {
                line.kind = PostingKind::CardIssue;
            }
        }
    };
    let (late, _) = district.statement_of(SHOP, 2_500, broken(2_400)).await;
    let shop = district.partner(SHOP).await;
    let url = |id: &str| format!("{}/statements/{id}/lines.csv", district.url);
    let ask = |id: &str| reqwest::Client::new().get(url(id)).bearer_auth(&shop.token).send();
    let response = ask(&late).await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(response.text().await.is_err(), "the connection breaks");
    let other = district.partner(HOSPITAL).await;
    let (at_once, _) = district.statement_of(HOSPITAL, 10, broken(5)).await;
    let answer = other.download(&format!("/statements/{at_once}/lines.csv")).await;
    let (status, code, message) = answer.refusal();
    assert_eq!((status, code.as_str()), (500, "INTERNAL"));
    assert!(!message.contains("statement"), "the cause is not told: {message}");
}
