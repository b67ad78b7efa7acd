//! Inputs that are not what they must be: each is answered with a code, the place and no fault of the server's.

use serde_json::{Value, json};

use crate::harness::database::number;
use crate::harness::district::{DPF, HOSPITAL, OFFICE, SHOP};
use crate::harness::partner::new_key;
use crate::harness::referring::{consent, request};
use crate::harness::{Bill, District, Reply};

fn places(reply: &Reply) -> Vec<String> {
    let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("{}", reply.body));
    let mut places = Vec::new();
    for error in errors {
        assert_eq!(error["extensions"]["code"], "BAD_USER_INPUT", "{error}");
        let path: Vec<&str> = error["extensions"]["path"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step.as_str().unwrap())
            .collect();
        let place = path.join(".");
        assert!(error["message"].as_str().unwrap().starts_with(&format!("`{place}` ")), "{error}");
        places.push(place);
    }
    places
}

#[tokio::test]
async fn a_bad_scalar_is_named_by_its_place() {
    let district = District::with_medical_assistance().await;
    let (hospital, shop, office) =
        (district.partner(HOSPITAL).await, district.partner(SHOP).await, district.partner(OFFICE).await);
    let patient = district.person("李小明", &[]).await;
    let bill = || Bill::of(&patient.national_id, &patient.name);
    for (field, value) in [
        ("totalCost", json!("1")),
        ("totalCost", json!("-1.00")),
        ("totalCost", json!("1.005")),
        ("totalCost", json!(20000.0)),
        ("totalCost", json!(20000)),
        ("totalCost", json!(true)),
        ("totalCost", json!("１.00")),
        ("inScope", json!("10000000000.00")),
        ("admittedOn", json!("2016-02-30")),
        ("dischargedOn", json!("2016-5-1")),
    ] {
        let input = json!({ "key": new_key(), "bill": bill().with(field, value.clone()).0 });
        let reply = hospital.act("settle", input, "settlement { id }").await;
        assert_eq!(places(&reply), [format!("input.bill.{field}")], "{value}");
        assert!(reply.body.get("data").is_none(), "nothing ran");
    }
    let mut several = json!({ "key": "", "bill": bill().with("totalCost", "x").with("admittedOn", "x").0, "expectedAssistance": "1" });
    several["bill"]["patient"]["nationalId"] = "419999197001010015".into();
    let reply = hospital.act("settle", several, "settlement { id }").await;
    let mut found = places(&reply);
    found.sort();
    assert_eq!(
        found,
        [
            "input.bill.admittedOn",
            "input.bill.patient.nationalId",
            "input.bill.totalCost",
            "input.expectedAssistance",
            "input.key"
        ]
    );
    assert!(!reply.body.to_string().contains("419999197001010015"), "the number is not repeated");
    let lines = json!([
        { "category": "FOOD", "description": "rice", "amount": "1.00" },
        { "category": "FOOD", "description": "oil", "amount": "1.0" },
    ]);
    let input = json!({ "key": new_key(), "cardNumber": "x", "amount": "2.00", "receiptNumber": "R", "lines": lines });
    let reply = shop.act("redeemAidCard", input, "redemption { id }").await;
    assert_eq!(places(&reply), ["input.lines.1.amount"]);
    let query = format!(
        "{{ coverage(nationalId: \"{}\", name: \"x\", on: \"never\") {{ covered }} }}",
        &patient.national_id[..17]
    );
    let mut found = places(&hospital.ask(&query, json!({})).await);
    found.sort();
    assert_eq!(found, ["nationalId", "on"]);
    let mut input = request(DPF, &patient);
    input["dueInWorkingDays"] = 2_147_483_648_i64.into();
    assert_eq!(
        places(&office.act("requestReferral", input, "referral { id }").await),
        ["input.dueInWorkingDays"]
    );
    assert_eq!(district.database.requests().await, 0, "no key was burnt");
}

#[tokio::test]
async fn a_key_that_came_with_malformed_input_may_be_sent_again() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let mut input = consent(DPF, &person, &["PHONE"]);
    input["givenOn"] = "yesterday".into();
    assert_eq!(office.act("recordConsent", input.clone(), "consent { id }").await.error(), "BAD_USER_INPUT");
    input["givenOn"] = "2016-06-14".into();
    let reply = office.act("recordConsent", input, "consent { id }").await.done("recordConsent");
    assert_eq!(reply.at("recordConsent.replayed"), &json!(false));
}

/// The wrong shape is validation's to answer; whatever it is, it is the client's fault and coded so.
#[tokio::test]
async fn the_wrong_shape_is_a_coded_error() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let mutation = "mutation($i: RequestReferralInput!) { requestReferral(input: $i) { referral { id } } }";
    let with = |field: &str, value: Value| {
        let mut input = request(DPF, &person);
        input[field] = value;
        json!({ "i": input })
    };
    let lacking = |field: &str| {
        let mut input = request(DPF, &person);
        input.as_object_mut().unwrap().remove(field);
        json!({ "i": input })
    };
    for variables in [
        json!({}),
        json!({ "i": null }),
        json!({ "i": "x" }),
        json!({ "i": [] }),
        json!({ "i": {} }),
        lacking("key"),
        lacking("reason"),
        lacking("person"),
        lacking("receiver"),
        with("reason", Value::Null),
        with("reason", json!(7)),
        with("reason", json!(["x"])),
        with("reason", json!({})),
        with("nonsense", json!(1)),
        with("person", json!("x")),
        with("person", json!({ "name": "x" })),
        with("person", Value::Null),
        with("dueInWorkingDays", json!("10")),
        with("dueInWorkingDays", json!(1.5)),
        with("dueInWorkingDays", json!(true)),
        with("dueInWorkingDays", Value::Null),
        with("dueInWorkingDays", json!(1e300)),
        with("consentId", json!({})),
        with("operator", json!([])),
        with("receiver", json!({})),
        with("receiver", json!({ "id": "x", "code": DPF })),
        with("receiver", json!({ "id": null })),
        with("receiver", json!({ "id": null, "code": DPF })),
        with("receiver", json!({ "name": DPF })),
        with("receiver", json!(DPF)),
    ] {
        let reply = office.ask(mutation, variables.clone()).await;
        let error = reply.error();
        assert!(
            ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&error.as_str()),
            "{variables}: {}",
            reply.body
        );
        assert!(!reply.body.to_string().contains(&person.national_id), "{}", reply.body);
    }
    let look = district.database.look().await;
    assert_eq!(district.database.requests().await, 0);
    assert_eq!(number(&look, "SELECT COUNT(*) FROM referral").await, 0);
}

/// Validation passes over an argument in which a variable is missing; what else is wrong with it is the client's fault all the same.
#[tokio::test]
async fn a_variable_that_is_left_out_hides_nothing() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let query = "mutation($key: IdempotencyKey!, $person: PatientInput!, $phone: String, $to: PartnerBy!) { \
        requestReferral(input: { key: $key, person: $person, receiver: $to, reason: \"help\", phone: $phone }) \
        { referral { person { phone } } userErrors { code } } }";
    let stated = json!({ "nationalId": person.national_id, "name": person.name });
    for (field, value) in [
        ("person", json!({ "nationalId": person.national_id })),
        ("person", json!({ "nationalId": person.national_id, "name": ["王小红"] })),
        ("person", json!({ "nationalId": person.national_id, "name": "王小红", "age": 7 })),
        ("to", json!({ "code": null })),
        ("to", json!({ "code": "DPF", "id": null })),
    ] {
        let mut variables = json!({ "key": new_key(), "person": stated, "to": { "code": DPF } });
        variables[field] = value;
        let reply = office.ask(query, variables).await;
        assert_eq!(reply.error(), "GRAPHQL_VALIDATION_FAILED", "{}", reply.body);
        assert!(reply.body.get("data").is_none(), "{}", reply.body);
    }
    let variables = json!({ "key": new_key(), "person": stated, "to": { "code": DPF } });
    office.ask(query, variables).await.done("requestReferral");
}

#[tokio::test]
async fn one_of_several_means_exactly_one() {
    let district = District::new().await;
    let office = district.partner(OFFICE).await;
    for by in [
        "{}",
        "{ id: \"x\", code: \"DPF\" }",
        "{ id: null }",
        "{ id: null, code: \"DPF\" }",
        "{ name: \"DPF\" }",
        "\"DPF\"",
        "null",
        "[]",
        "{ code: 7 }",
        "{ code: $nothing }",
    ] {
        let reply = office.ask(&format!("{{ partner(by: {by}) {{ code }} }}"), json!({})).await;
        let error = reply.error();
        assert!(
            ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&error.as_str()),
            "{by}: {}",
            reply.body
        );
    }
    for by in [
        json!({}),
        json!({ "id": "x", "code": "DPF" }),
        json!({ "code": null }),
        json!({ "id": null, "code": "DPF" }),
        json!(null),
        json!(7),
    ] {
        let reply =
            office.ask("query($by: PartnerBy!) { partner(by: $by) { code } }", json!({ "by": by })).await;
        let error = reply.error();
        assert!(
            ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&error.as_str()),
            "{by}: {}",
            reply.body
        );
    }
    for variables in [json!({}), json!({ "code": null })] {
        let query = "query($code: String) { partner(by: { code: $code }) { code } }";
        let reply = office.ask(query, variables.clone()).await;
        assert_eq!(reply.error(), "GRAPHQL_VALIDATION_FAILED", "{variables}: {}", reply.body);
    }
    let reply = office
        .ask("query($by: PartnerBy!) { partner(by: $by) { code } }", json!({ "by": { "code": "DPF" } }))
        .await;
    assert_eq!(reply.body, json!({ "data": { "partner": { "code": "DPF" } } }));
}

#[tokio::test]
async fn variables_are_what_they_are_declared_to_be() {
    let district = District::new().await;
    let office = district.partner(OFFICE).await;
    for (query, variables) in [
        ("query($n: Int) { partners(first: $n) { nodes { id } } }", json!({ "n": "1" })),
        ("query($n: Int) { partners(first: $n) { nodes { id } } }", json!({ "n": 1.5 })),
        (
            "query($n: Int) { partners(first: $n) { nodes { id } } }",
            json!({ "n": 9_007_199_254_740_993_i64 }),
        ),
        ("query($n: Int) { partners(first: $n) { nodes { id } } }", json!({ "n": u64::MAX })),
        ("query($n: String) { partners(first: $n) { nodes { id } } }", json!({ "n": "1" })),
        ("query($id: ID!) { node(id: $id) { id } }", json!({})),
        ("query($id: ID!) { node(id: $id) { id } }", json!({ "id": null })),
        ("query($id: ID!) { node(id: $id) { id } }", json!({ "id": {} })),
        ("query($id: ID!) { node(id: $other) { id } }", json!({ "id": "x" })),
        ("query($id: Nonsense) { viewer { partner { id } } }", json!({})),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": [null] })),
        ("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": [["x"]] })),
    ] {
        let reply = office.ask(query, variables.clone()).await;
        let error = reply.error();
        assert!(
            ["GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"].contains(&error.as_str()),
            "{query} {variables}: {}",
            reply.body
        );
    }
    let unused = office
        .ask("query($id: ID!) { node(id: $id) { id } }", json!({ "id": "x", "more": { "a": [1] } }))
        .await;
    assert_eq!(unused.body, json!({ "data": { "node": null } }), "what is not declared is passed over");
    let too_many = vec!["x"; 101];
    let reply =
        office.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": too_many })).await;
    assert_eq!(reply.error(), "BAD_USER_INPUT");
    let most =
        office.ask("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", json!({ "ids": too_many[1..] })).await;
    assert_eq!(most.fine().at("nodes").as_array().unwrap().len(), 100);
}

/// Text of people is kept as it came; signs that mean something to SQL mean nothing here. A NUL cannot be kept.
#[tokio::test]
async fn any_text_is_only_text() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    for text in ["'; DROP TABLE referral; --", "100% _ \\", "👪", "e\u{301}", "\"quoted\"\nand so on", "𠮷"]
    {
        let mut input = request(DPF, &person);
        input["reason"] = text.into();
        let id = office.refer(input).await;
        assert_eq!(office.referral(&id, "reason").await["reason"], text);
    }
    let mut input = request(DPF, &person);
    input["reason"] = "a\u{0}b".into();
    let reply = office.act("requestReferral", input, "referral { id }").await;
    assert_eq!(places(&reply), ["input.reason"]);
    let query = "query($n: String!) { referral(by: { number: $n }) { id } }";
    assert_eq!(places(&office.ask(query, json!({ "n": "a\u{0}b" })).await), ["n"]);
    let written = r#"{ referral(by: { number: "a\u0000b" }) { id } }"#;
    assert_eq!(places(&office.ask(written, json!({})).await), ["by.number"]);
    assert_eq!(places(&office.ask(r#"{ node(id: "\u0000") { id } }"#, json!({})).await), ["id"]);
    let ids = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }";
    assert_eq!(places(&office.ask(ids, json!({ "ids": ["x", "\u{0}"] })).await), ["ids.1"]);
    let default = r#"query($n: String! = "\u0000") { referral(by: { number: $n }) { id } }"#;
    assert_eq!(places(&office.ask(default, json!({})).await), ["n"]);
    let look = district.database.look().await;
    assert_eq!(number(&look, "SELECT COUNT(*) FROM referral").await, 6);
}
