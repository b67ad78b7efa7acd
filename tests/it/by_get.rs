//! What must not stand in an address.

use onestop::language::Language;
use onestop::schema::{Asked, Gateway, NotByGet};
use serde_json::{Map, Value, json};

use crate::harness::district::{HOSPITAL, SHOP};
use crate::harness::{Bill, District};

#[tokio::test]
async fn personal_data_are_not_taken_from_an_address() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[entity::kinds::Category::Dibao]).await;
    let card = district.card("100.00").await;
    let (number, name) = (&patient.national_id, &patient.name);
    let bill = json!({ "b": Bill::of(number, name).0 });
    let variables = json!({ "n": number, "w": name });
    let coverage = "query($n: NationalId!, $w: String!) { coverage(nationalId: $n, name: $w) { covered } }";
    let preview = "query($b: BillInput!) { settlementPreview(bill: $b) { userErrors { code } } }";
    let written = format!("{{ coverage(nationalId: \"{number}\", name: \"{name}\") {{ covered }} }}");
    let behind = format!(
        "query A {{ viewer {{ scopes }} ...F }} fragment F on Query {{ ... {{ it: aidCard(number: \"{card}\") {{ id }} }} }}"
    );
    let http = reqwest::Client::new();
    for (code, query, variables) in [
        (HOSPITAL, coverage, &variables),
        (HOSPITAL, &written, &json!({})),
        (HOSPITAL, preview, &bill),
        (SHOP, "query($c: String!) { aidCard(number: $c) { id } }", &json!({ "c": card })),
        (SHOP, &behind, &json!({})),
    ] {
        let token = district.partner(code).await.token;
        let address = format!("{}/graphql", district.url);
        let get = http.get(&address).query(&[("query", query), ("variables", &variables.to_string())]);
        let refused = get.bearer_auth(&token).send().await.unwrap();
        assert_eq!((refused.status().as_u16(), &refused.headers()["allow"]), (405, &"POST".parse().unwrap()));
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{query}");
        let message = body["errors"][0]["message"].as_str().unwrap();
        assert!(message.contains("personal data") && message.contains("use POST"), "{message}");
        assert!(body.get("data").is_none());

        let post = http.post(&address).json(&json!({ "query": query, "variables": variables }));
        let body: Value = post.bearer_auth(&token).send().await.unwrap().json().await.unwrap();
        assert!(body.get("errors").is_none(), "by POST it is answered: {body}");
    }
}

/// Another kind's names are unknown by GET as they are by POST.
#[tokio::test]
async fn a_get_tells_nobody_what_others_may_ask() {
    let district = District::new().await;
    let gateway = Gateway::default();
    for query in ["{ coverage(nationalId: \"x\", name: \"y\") { covered } }", "{ nonsense }"] {
        let asked =
            |read_only| Asked { query: query.into(), operation_name: None, variables: Map::new(), read_only };
        let slice = district.slice(SHOP).await;
        let (by_get, by_post) = tokio::join!(
            gateway.execute(slice.clone(), Language::English, asked(true)),
            gateway.execute(slice, Language::English, asked(false)),
        );
        let errors = |response: Result<async_graphql::Response, NotByGet>| {
            serde_json::to_value(response.expect("answered").errors).unwrap()
        };
        assert_eq!(errors(by_get.unwrap().response), errors(by_post.unwrap().response), "{query}");
    }
}
