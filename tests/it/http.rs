//! GraphQL over HTTP, on the wire: methods, media types, bodies, and which status goes with which answer.

use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::database::number;
use crate::harness::district::{DPF, OFFICE, SHOP};
use crate::harness::referring::{consent, request};

const JSON: &str = "application/json; charset=utf-8";
const GRAPHQL: &str = "application/graphql-response+json; charset=utf-8";
const FINE: &str = r#"{ "query": "{ viewer { partner { code } } }" }"#;
/// Valid, but for the field.
const UNKNOWN: &str = r#"{ "query": "{ nonsense }" }"#;

struct Wire {
    district: District,
    http: Client,
    token: String,
}

impl Wire {
    async fn new() -> Self {
        let district = District::new().await;
        let token = district.partner(OFFICE).await.token;
        Self { district, http: Client::new(), token }
    }

    fn ask(&self, method: Method) -> RequestBuilder {
        self.http.request(method, format!("{}/graphql", self.district.url)).bearer_auth(&self.token)
    }

    fn post(&self, body: impl Into<reqwest::Body>) -> RequestBuilder {
        self.ask(Method::POST).header("content-type", "application/json").body(body)
    }

    async fn get(&self, pairs: &[(&str, &str)]) -> Response {
        let pairs: Vec<String> =
            pairs.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        let url = format!("{}/graphql?{}", self.district.url, pairs.join("&"));
        self.http.get(url).bearer_auth(&self.token).send().await.unwrap()
    }

    async fn rows(&self, table: &str) -> i64 {
        number(&self.district.database.look().await, &format!("SELECT COUNT(*) FROM {table}")).await
    }
}

fn percent(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}

fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

async fn code(response: Response) -> String {
    let body: Value = response.json().await.unwrap();
    assert!(body.get("data").is_none(), "a request error has no data: {body}");
    body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_answer_comes_in_the_form_that_is_wanted() {
    let wire = Wire::new().await;
    for (accept, form) in [
        (None, JSON),
        (Some("*/*"), JSON),
        (Some("application/*"), JSON),
        (Some("application/json"), JSON),
        (Some("application/graphql-response+json"), GRAPHQL),
        (Some("application/graphql-response+json, application/json"), GRAPHQL),
        (Some("application/json, application/graphql-response+json;q=0.5"), JSON),
        (Some("application/graphql-response+json;q=0, */*"), JSON),
        (Some("text/html, application/json;charset=UTF-8"), JSON),
    ] {
        let mut ask = wire.post(FINE);
        if let Some(accept) = accept {
            ask = ask.header("accept", accept);
        }
        let response = ask.send().await.unwrap();
        assert_eq!(
            (response.status().as_u16(), header(&response, "content-type")),
            (200, form),
            "{accept:?}"
        );
        assert_eq!(header(&response, "cache-control"), "no-store");
        assert_eq!(header(&response, "x-content-type-options"), "nosniff");
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["data"], json!({ "viewer": { "partner": { "code": OFFICE } } }));
    }
    for accept in
        ["text/html", "application/xml", "application/json;charset=gbk", "application/json;q=0", "nonsense"]
    {
        let response = wire.post(FINE).header("accept", accept).send().await.unwrap();
        assert_eq!(response.status(), 406, "{accept}");
        assert_eq!(code(response).await, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn a_request_error_is_a_400_where_the_status_may_say_so() {
    let wire = Wire::new().await;
    for (query, expected) in [
        ("{ nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ viewer }", "GRAPHQL_VALIDATION_FAILED"),
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("", "GRAPHQL_PARSE_FAILED"),
        ("{ partners(first: 1) { nodes { id } } nonsense }", "GRAPHQL_VALIDATION_FAILED"),
        (
            "query A { viewer { partner { code } } } query B { viewer { partner { code } } }",
            "GRAPHQL_VALIDATION_FAILED",
        ),
    ] {
        for (accept, status) in [("application/graphql-response+json", 400), ("application/json", 200)] {
            let ask = wire.post(json!({ "query": query }).to_string()).header("accept", accept);
            let response = ask.send().await.unwrap();
            assert_eq!(response.status(), status, "{query}");
            assert_eq!(code(response).await, expected, "{query}");
        }
    }
    let response = wire.post(json!({ "query": "{ partners(first: 0) { nodes { id } } }" }).to_string());
    let response = response.header("accept", "application/graphql-response+json").send().await.unwrap();
    assert_eq!(response.status(), 200, "it ran; one field failed");
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        (&body["data"], &body["errors"][0]["path"]),
        (&json!({ "partners": null }), &json!(["partners"]))
    );
}

#[tokio::test]
async fn one_failing_field_does_not_void_its_neighbours() {
    let wire = Wire::new().await;
    let query = "{ bad: partners(first: 0) { nodes { id } } good: partner(by: { code: \"DPF\" }) { code } viewer { partner { code } } }";
    let response = wire.post(json!({ "query": query }).to_string()).send().await.unwrap();
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        body["data"],
        json!({ "bad": null, "good": { "code": DPF }, "viewer": { "partner": { "code": OFFICE } } })
    );
    assert_eq!(body["errors"].as_array().unwrap().len(), 1);
}

/// Null stands where it may; where it may not, the nearest thing around it is null.
#[tokio::test]
async fn a_field_that_failed_is_null_and_never_left_out() {
    let wire = Wire::new().await;
    let person = wire.district.person("王小红", &[]).await;
    let office = wire.district.partner(OFFICE).await;
    for _ in 0..2 {
        office.refer(request(DPF, &person)).await;
    }
    let bad = "events(first: 0) { nodes { at } }";
    for (query, data) in [
        (format!("{{ referrals {{ nodes {{ id {bad} }} }} viewer {{ partner {{ code }} }} }}"), json!({ "referrals": null, "viewer": { "partner": { "code": OFFICE } } })),
        (format!("{{ referrals {{ nodes {{ {bad} }} }} }}"), json!({ "referrals": null })),
        (format!("{{ mine: referrals {{ ...F }} }} fragment F on ReferralConnection {{ edges {{ node {{ late: {bad} }} }} }}"), json!({ "mine": null })),
        ("{ a: referrals(first: 0) { totalCount } b: referrals(last: 0) { totalCount } }".into(), json!({ "a": null, "b": null })),
        ("mutation { acceptReferral(input: { key: \"k\", referralId: \"x\" }) { referral { id events(first: 0) { nodes { at } } } replayed } }".into(), json!({ "acceptReferral": { "referral": null, "replayed": false } })),
    ] {
        let response = wire.post(json!({ "query": query }).to_string()).send().await.unwrap();
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["data"], data, "{query}");
    }
}

#[tokio::test]
async fn only_plain_json_is_taken() {
    let wire = Wire::new().await;
    let person = wire.district.person("王小红", &[]).await;
    let query = "mutation($i: RequestReferralInput!) { requestReferral(input: $i) { referral { id } } }";
    let body = json!({ "query": query, "variables": { "i": request(DPF, &person) } }).to_string();
    let form = "query=mutation+%7B+withdrawConsent%28input%3A+%7Bkey%3A+%22k%22%2C+consentId%3A+%22x%22%7D%29+%7B+replayed+%7D+%7D";
    let multipart = "--b\r\ncontent-disposition: form-data; name=\"operations\"\r\n\r\n{}\r\n--b--\r\n";
    for (content_type, body) in [
        (None, body.as_str()),
        (Some("text/plain"), &body),
        (Some("application/graphql"), query),
        (Some("application/x-www-form-urlencoded"), form),
        (Some("multipart/form-data; boundary=b"), multipart),
        (Some("application/json; charset=gb18030"), &body),
        (Some("text/json"), &body),
        (Some("application/jsonp"), &body),
    ] {
        let mut ask = wire.ask(Method::POST).body(body.to_owned());
        if let Some(content_type) = content_type {
            ask = ask.header("content-type", content_type);
        }
        let response = ask.send().await.unwrap();
        assert_eq!(response.status(), 415, "{content_type:?}");
        assert_eq!(code(response).await, "BAD_REQUEST");
    }
    let response = wire.post(body.clone()).header("content-encoding", "gzip").send().await.unwrap();
    assert_eq!(response.status(), 415);
    assert_eq!((wire.rows("referral").await, wire.district.database.requests().await), (0, 0), "nothing ran");
    let response =
        wire.ask(Method::POST).header("content-type", "Application/JSON;charset=\"UTF-8\"").body(body);
    assert_eq!(response.send().await.unwrap().status(), 200);
    assert_eq!(wire.rows("referral").await, 1);
}

#[tokio::test]
async fn a_query_may_come_by_get_and_nothing_else() {
    let wire = Wire::new().await;
    let query = "query One($c: String!) { partner(by: { code: $c }) { code } } query Two { viewer { partner { code } } }";
    let variables = json!({ "c": DPF }).to_string();
    let response = wire.get(&[("query", query), ("operationName", "One"), ("variables", &variables)]).await;
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["data"], json!({ "partner": { "code": DPF } }));

    let person = wire.district.person("王小红", &[]).await;
    let input = json!({ "i": consent(DPF, &person, &["PHONE"]) }).to_string();
    let mutation = "mutation M($i: RecordConsentInput!) { recordConsent(input: $i) { consent { id } } }";
    let both = format!("{mutation} query Q {{ viewer {{ partner {{ code }} }} }}");
    for (query, name) in [(mutation, None), (mutation, Some("M")), (both.as_str(), Some("M"))] {
        let mut pairs = vec![("query", query), ("variables", &input)];
        pairs.extend(name.map(|name| ("operationName", name)));
        let response = wire.get(&pairs).await;
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "POST"), "{query}");
        assert_eq!(code(response).await, "BAD_REQUEST");
    }
    assert_eq!(
        wire.get(&[("query", &both), ("operationName", "Q"), ("variables", "{}")]).await.status(),
        200
    );
    assert_eq!((wire.rows("consent").await, wire.district.database.requests().await), (0, 0));
    for pairs in [
        vec![],
        vec![("query", "{ viewer { partner { code } } }"), ("query", "{ nonsense }")],
        vec![("query", "{ viewer { partner { code } } }"), ("variables", "{")],
        vec![("query", "{ viewer { partner { code } } }"), ("variables", "[]")],
    ] {
        let response = wire.get(&pairs).await;
        assert_eq!(response.status(), 400, "{pairs:?}");
        assert_eq!(code(response).await, "BAD_REQUEST");
    }
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let wire = Wire::new().await;
    for method in [Method::PUT, Method::DELETE, Method::PATCH, Method::OPTIONS, Method::HEAD] {
        let response = wire
            .ask(method.clone())
            .header("content-type", "application/json")
            .body(FINE)
            .send()
            .await
            .unwrap();
        assert_eq!((response.status().as_u16(), header(&response, "allow")), (405, "GET, POST"), "{method}");
    }
}

#[tokio::test]
async fn what_is_no_request_is_refused_without_being_repeated() {
    let wire = Wire::new().await;
    for body in [
        "",
        " ",
        "null",
        "\"{ viewer }\"",
        "[]",
        "{",
        "{}",
        r#"{ "query": 7 }"#,
        r#"{ "query": null }"#,
        r#"{ "query": ["{ viewer }"] }"#,
        r#"{ "query": "{ viewer { partner { code } } }", "variables": [] }"#,
        r#"{ "query": "{ viewer { partner { code } } }", "variables": "{}" }"#,
        r#"{ "query": "{ viewer { partner { code } } }", "operationName": 1 }"#,
        r#"{ "query": "{ viewer { partner { code } } }", "extensions": 1 }"#,
        r#"{ "query": "{ viewer { partner { code } } }", "419999197001010014" }"#,
        r#"[{ "query": "{ viewer { partner { code } } }" }, { "query": "{ viewer { partner { code } } }" }]"#,
    ] {
        for accept in ["application/json", "application/graphql-response+json"] {
            let response = wire.post(body).header("accept", accept).send().await.unwrap();
            assert_eq!(response.status(), 400, "{body}");
            let text = response.text().await.unwrap();
            assert!(text.contains("BAD_REQUEST") && !text.contains("419999"), "{text}");
        }
    }
    for bytes in [
        b"{\"query\": \"\xff\xfe\"}".to_vec(),
        b"\xef\xbb\xbf{\"query\": \"{ viewer }\"}".to_vec(),
        vec![0xff; 9],
    ] {
        let response = wire.post(bytes).send().await.unwrap();
        assert_eq!(response.status(), 400);
        assert_eq!(code(response).await, "BAD_REQUEST");
    }
    let query = r#"{ coverage(nationalId: "419999197001010014", name: "李小明" "#;
    let response = wire.post(json!({ "query": query }).to_string()).send().await.unwrap();
    let text = response.text().await.unwrap();
    assert!(text.contains("GRAPHQL_PARSE_FAILED"), "{text}");
    assert!(!text.contains("4199") && !text.contains("李"), "the document is not repeated: {text}");
}

#[tokio::test]
async fn a_body_holds_one_mib_at_most() {
    let wire = Wire::new().await;
    let largest = format!("{FINE}{}", " ".repeat(1024 * 1024 - FINE.len()));
    assert_eq!(wire.post(largest.clone()).send().await.unwrap().status(), 200);
    let response = wire.post(format!("{largest} ")).send().await.unwrap();
    assert_eq!(response.status(), 413);
    assert_eq!(code(response).await, "LIMIT_EXCEEDED");
    for accept in ["application/json", "application/graphql-response+json"] {
        let response = wire.post(UNKNOWN).header("accept", accept).send().await.unwrap();
        assert_ne!(response.status(), 413, "the next request is served");
    }
}

#[tokio::test]
async fn no_body_is_read_from_whoever_has_no_token() {
    let wire = Wire::new().await;
    let response = wire
        .http
        .post(format!("{}/graphql", wire.district.url))
        .header("content-type", "application/json")
        .body(vec![b' '; 300 * 1024])
        .send()
        .await;
    // The answer may come before the body has been taken; then the connection ends.
    if let Ok(response) = response {
        assert_eq!(response.status(), 401);
    }
}

#[tokio::test]
async fn messages_come_in_the_language_that_is_wanted() {
    let wire = Wire::new().await;
    let query =
        "mutation { withdrawConsent(input: { key: \"k1\", consentId: \"x\" }) { userErrors { message } } }";
    let body = json!({ "query": query }).to_string();
    for (language, message, tag) in [
        ("zh-CN", "没有找到。", "zh-CN"),
        ("en-GB, zh;q=0.5", "Not found.", "en"),
        ("de", "没有找到。", "zh-CN"),
    ] {
        let response = wire.post(body.clone()).header("accept-language", language).send().await.unwrap();
        assert_eq!(header(&response, "content-language"), tag);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["data"]["withdrawConsent"]["userErrors"][0]["message"], message, "{language}");
    }
}

#[tokio::test]
async fn requests_on_one_connection_keep_their_own_partner() {
    let wire = Wire::new().await;
    let shop = wire.district.partner(SHOP).await;
    let tokens = [(&wire.token, OFFICE), (&shop.token, SHOP)];
    let asked = (0..20).map(|at| {
        let (token, partner) = tokens[at % 2];
        let ask = wire.http.post(format!("{}/graphql", wire.district.url)).bearer_auth(token);
        let ask = ask.header("content-type", "application/json").body(FINE);
        async move {
            let body: Value = ask.send().await.unwrap().json().await.unwrap();
            assert_eq!(body["data"]["viewer"]["partner"]["code"], partner);
        }
    });
    futures_util::future::join_all(asked).await;
}
