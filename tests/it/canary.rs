//! Personal data and secrets, planted through every door: no log line, error or refusal has them. The harness searches what every
//! other test leaves, in the same way.

use serde_json::json;

use crate::harness::District;
use crate::harness::canary::{find, found};
use crate::harness::district::{DPF, HOSPITAL, OFFICE, SHOP};
use crate::harness::partner::new_key;

const ID: &str = "419999197001010014";
const NAME: &str = "李小明";
const PHONE: &str = "13900000001";
const CARD: &str = "20161020010000015";
const SECRET: &str = "onestop_secret_AbCdEf0123456789";
const TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";

#[test]
fn the_search_finds_each_canary() {
    assert!(entity::CardNumber::parse(CARD).is_ok());
    for canary in [ID, NAME, PHONE, CARD, SECRET, TOKEN, "-----BEGIN PRIVATE KEY-----"] {
        for line in [
            canary.to_owned(),
            format!("before {canary} after"),
            format!("\"{canary}\","),
            format!("x={canary};"),
        ] {
            assert!(find(&line).is_some(), "{line}");
        }
    }
    for harmless in
        ["李*明", "4199**********0014", "*************0015", "18446744073709551615", "Bearer", "eyJ…", ""]
    {
        assert_eq!(find(harmless), None, "{harmless}");
    }
}

/// Also what stands in two fields of one line.
#[tokio::test]
async fn the_watch_sees_each_canary() {
    let district = District::new().await;
    for canary in [ID, NAME, PHONE, CARD, SECRET, TOKEN] {
        let middle = canary.char_indices().nth(canary.chars().count() / 2).unwrap().0;
        tracing::trace!(target: "onestop::test", "{canary}");
        assert_eq!(found().len(), 1, "{canary} in a message");
        tracing::trace!(target: "onestop::test", field = canary, "a field");
        assert_eq!(found().len(), 1, "{canary} in a field");
        let (first, last) = (&canary[..middle], &canary[middle..]);
        tracing::trace!(target: "onestop::test", message = first, last);
        assert_eq!(found().len(), 1, "{canary} in two fields");
        let _span = tracing::trace_span!(target: "onestop::test", "span", canary);
        assert_eq!(found().len(), 1, "{canary} in a span");
    }
    drop(district);
}

/// Every canary in every place of a request, right or wrong.
#[tokio::test]
async fn what_is_planted_is_nowhere_to_be_read() {
    let district = District::with_medical_assistance().await;
    let person = json!({ "nationalId": ID, "name": NAME });
    let http = reqwest::Client::new();
    for code in [HOSPITAL, SHOP, OFFICE, DPF] {
        let partner = district.partner(code).await;
        for canary in [ID, NAME, PHONE, CARD, SECRET, TOKEN] {
            let key = new_key();
            for (query, variables) in [
                (
                    "query($n: NationalId!, $m: String!) { coverage(nationalId: $n, name: $m) { covered } }",
                    json!({ "n": ID, "m": canary }),
                ),
                (
                    "query($n: NationalId!, $m: String!) { coverage(nationalId: $n, name: $m) { covered } }",
                    json!({ "n": canary, "m": NAME }),
                ),
                ("query($n: String!) { aidCard(number: $n) { id } }", json!({ "n": canary })),
                ("query($n: Int!) { aidCard(number: $n) { id } }", json!({ "n": canary })),
                ("query($n: ID!) { node(id: $n) { id } }", json!({ "n": canary })),
                ("query($a: String) { events(after: $a) { nodes { kind } } }", json!({ "a": canary })),
                (
                    "mutation($i: RedeemAidCardInput!) { redeemAidCard(input: $i) { userErrors { message field } } }",
                    json!({ "i": { "key": key, "cardNumber": CARD, "amount": canary, "receiptNumber": canary, "agentName": NAME } }),
                ),
                (
                    "mutation($i: RequestReferralInput!) { requestReferral(input: $i) { userErrors { message field } } }",
                    json!({ "i": { "key": key, "receiver": { "code": canary }, "person": person, "phone": PHONE, "reason": canary } }),
                ),
                (
                    "mutation($i: RecordConsentInput!) { recordConsent(input: $i) { userErrors { message field } } }",
                    json!({ "i": { "key": key, "receiver": { "code": DPF }, "person": person, "fields": [canary], "purpose": canary, "wordingVersion": "1", "givenOn": canary } }),
                ),
                (
                    "mutation($i: SettleInput!) { settle(input: $i) { userErrors { message field } } }",
                    json!({ "i": { "key": canary, "bill": { "patient": person, "totalCost": canary } } }),
                ),
            ] {
                partner.ask(query, variables).await;
            }
            let escaped = canary.replace('"', "");
            for query in [
                format!("{{ node(id: \"{escaped}\") {{ id }} }}"),
                format!("{{ aidCard(number: \"{escaped}\", other: \"{escaped}\") {{ id }} }}"),
                format!("{{ partners(first: \"{escaped}\") {{ totalCount }} }}"),
                format!("{{ unreadable \"{escaped}\""),
                format!("query A {{ node(id: 1.5) {{ id }} }} # {escaped}"),
            ] {
                partner.ask(&query, json!({ "unknown": escaped })).await;
            }
            let url = format!("{}/graphql", district.url);
            let own = |request: reqwest::RequestBuilder| request.bearer_auth(&partner.token);
            for request in [
                own(http.post(&url))
                    .header("content-type", "application/json")
                    .body(format!("{{\"query\": \"{escaped}\", {escaped}")),
                own(http.post(&url)).header("content-type", "text/plain").body(escaped.clone()),
                own(http.post(&url)).header("content-type", "application/json").body(escaped.repeat(100_000)),
                own(http.get(&url)).query(&[("query", format!("{{ node(id: \"{escaped}\") {{ id }} }}"))]),
                own(http.get(&url))
                    .query(&[("variables", escaped.clone()), ("query", "{ viewer { scopes } }".to_owned())]),
                own(http.get(format!("{}/{escaped}", district.url))),
                own(http.post(format!("{}/reconcile?from=2016-06-01&to=2016-06-15", district.url)))
                    .header("content-type", "text/csv")
                    .body(format!("key,amount\n{escaped},{escaped}\n")),
                http.post(&url)
                    .header("authorization", format!("Bearer {}", in_header(canary)))
                    .json(&json!({ "query": "{ viewer { scopes } }" })),
            ] {
                let Ok(response) = request.send().await else { continue };
                let refused = response.status().is_client_error();
                let text = response.text().await.unwrap_or_default();
                assert!(!refused || find(&text).is_none(), "{code} {canary}: {text}");
            }
        }
    }
    assert_eq!(found(), Vec::<String>::new());
}

/// What can stand in a header.
fn in_header(text: &str) -> String {
    text.chars().filter(char::is_ascii).collect()
}
