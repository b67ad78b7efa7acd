//! What must not stand in an address, and what the log is told of a request.

use onestop::language::Language;
use onestop::schema::{Asked, Gateway, NotByGet};
use serde_json::{Map, Value, json};

use crate::harness::district::{HOSPITAL, SHOP};
use crate::harness::{Bill, District};

struct Counter {
    district: District,
    gateway: Gateway,
}

impl Counter {
    async fn new() -> Self {
        Self { district: District::with_medical_assistance().await, gateway: Gateway::default() }
    }

    /// What the log is told when this partner sends a document under an operation's name.
    async fn logged(&self, code: &str, query: &str, name: Option<&str>) -> Option<String> {
        let asked = Asked {
            query: query.into(),
            operation_name: name.map(str::to_owned),
            variables: Map::new(),
            read_only: false,
        };
        let slice = self.district.slice(code).await;
        self.gateway.execute(slice, Language::English, asked).await.unwrap().operation
    }
}

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
    let counter = Counter::new().await;
    for query in ["{ coverage(nationalId: \"x\", name: \"y\") { covered } }", "{ nonsense }"] {
        let asked =
            |read_only| Asked { query: query.into(), operation_name: None, variables: Map::new(), read_only };
        let slice = counter.district.slice(SHOP).await;
        let (by_get, by_post) = tokio::join!(
            counter.gateway.execute(slice.clone(), Language::English, asked(true)),
            counter.gateway.execute(slice, Language::English, asked(false)),
        );
        let errors = |response: Result<async_graphql::Response, NotByGet>| {
            serde_json::to_value(response.expect("answered").errors).unwrap()
        };
        assert_eq!(errors(by_get.unwrap().response), errors(by_post.unwrap().response), "{query}");
    }
}

#[tokio::test]
async fn the_log_is_told_no_name_that_the_document_has_not() {
    let counter = Counter::new().await;
    let named = "query Scopes { viewer { scopes } } query Code { viewer { partner { code } } }";
    for (query, name, logged) in [
        (named, Some("Code"), Some("Code")),
        (named, Some("李小明 419999197001010014"), None),
        (named, None, None),
        ("query Scopes { viewer { scopes } }", Some("李小明 419999197001010014"), None),
        ("{ viewer { scopes } }", Some("李小明 419999197001010014"), None),
        ("{ viewer { scopes } partners { totalCount } }", None, Some("viewer partners")),
        ("query Scopes { viewer { scopes } }", None, Some("viewer")),
        ("{ ...F } fragment F on Query { viewer { scopes } }", None, None),
    ] {
        assert_eq!(counter.logged(SHOP, query, name).await.as_deref(), logged, "{query} as {name:?}");
    }
}
