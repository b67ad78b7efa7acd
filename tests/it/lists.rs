//! Lists in inputs: long ones are refused with their place, and none reaches the database.

use std::collections::BTreeSet;

use async_graphql::parser::types::{BaseType, InputValueDefinition, Type, TypeKind};
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, HOSPITAL, OFFICE, SHOP};
use crate::harness::partner::new_key;
use crate::harness::referring::{consent, request};
use crate::harness::sdl::types_of;
use crate::harness::till::sale;
use crate::harness::{District, Reply, Within};

/// One list of the schema; `LIST` in the document stands for it.
struct List {
    place: &'static str,
    asker: &'static str,
    document: &'static str,
    item: &'static str,
    declared: &'static str,
    path: &'static str,
}

const LISTS: [List; 8] = [
    List {
        place: "Query.nodes.ids",
        asker: SHOP,
        document: "{ nodes(ids: LIST) { id } }",
        item: "\"x\"",
        declared: "[ID!]!",
        path: "ids",
    },
    List {
        place: "PartnerFilter.kind",
        asker: OFFICE,
        document: "{ partners(filter: { kind: LIST }) { nodes { id } } }",
        item: "HOSPITAL",
        declared: "[PartnerKind!]",
        path: "filter.kind",
    },
    List {
        place: "SettlementFilter.status",
        asker: HOSPITAL,
        document: "{ settlements(filter: { status: LIST }) { nodes { id } } }",
        item: "SETTLED",
        declared: "[SettlementStatus!]",
        path: "filter.status",
    },
    List {
        place: "RedemptionFilter.status",
        asker: SHOP,
        document: "{ redemptions(filter: { status: LIST }) { nodes { id } } }",
        item: "REDEEMED",
        declared: "[RedemptionStatus!]",
        path: "filter.status",
    },
    List {
        place: "StatementFilter.status",
        asker: HOSPITAL,
        document: "{ statements(filter: { status: LIST }) { nodes { id } } }",
        item: "OPEN",
        declared: "[StatementStatus!]",
        path: "filter.status",
    },
    List {
        place: "ReferralFilter.status",
        asker: BUREAU,
        document: "{ referrals(filter: { status: LIST }) { nodes { id } } }",
        item: "EXPIRED",
        declared: "[ReferralStatus!]",
        path: "filter.status",
    },
    List {
        place: "RecordConsentInput.fields",
        asker: OFFICE,
        document: "mutation { recordConsent(input: { key: \"k\", receiver: { code: \"DPF\" }, person: { nationalId: \"419999197001010014\", \
            name: \"某某\" }, fields: LIST, purpose: \"p\", wordingVersion: \"1\", givenOn: \"2016-06-01\" }) { replayed } }",
        item: "PHONE",
        declared: "[ConsentField!]!",
        path: "input.fields",
    },
    List {
        place: "RedeemAidCardInput.lines",
        asker: SHOP,
        document: "mutation { redeemAidCard(input: { key: \"k\", cardNumber: \"x\", amount: \"1.00\", receiptNumber: \"R\", lines: LIST }) { replayed } }",
        item: "{ category: FOOD, description: \"rice\", amount: \"1.00\" }",
        declared: "[GoodsLineInput!]",
        path: "input.lines",
    },
];

impl List {
    fn written(&self, items: usize) -> String {
        let list = format!("[{}]", vec![self.item; items].join(" "));
        self.document.replace("LIST", &list)
    }

    /// The document with the list in the variable `list`.
    fn with_variable(&self) -> String {
        let (kind, rest) = match self.document.strip_prefix("mutation") {
            Some(rest) => ("mutation", rest),
            None => ("query", self.document),
        };
        format!("{kind}($list: {}){}", self.declared, rest.replace("LIST", "$list"))
    }

    fn value(&self) -> Value {
        match self.item {
            line if line.starts_with('{') => {
                json!({ "category": "FOOD", "description": "rice", "amount": "1.00" })
            }
            word => word.trim_matches('"').into(),
        }
    }
}

fn is_list(kind: &Type) -> bool {
    matches!(kind.base, BaseType::List(_))
}

/// Every list that an input may have, by its place in the schema.
fn lists_of_the_schema() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for definition in types_of(&onestop::schema::sdl()) {
        let name = definition.name.node.to_string();
        let mut add = |owner: &str, input: &InputValueDefinition| {
            if is_list(&input.ty.node) {
                found.insert(format!("{owner}.{}", input.name.node));
            }
        };
        match definition.kind {
            TypeKind::InputObject(object) => object.fields.iter().for_each(|field| add(&name, &field.node)),
            TypeKind::Object(object) => {
                for field in &object.fields {
                    let owner = format!("{name}.{}", field.node.name.node);
                    field.node.arguments.iter().for_each(|argument| add(&owner, &argument.node));
                }
            }
            _ => {}
        }
    }
    found
}

fn refused_at(reply: &Reply, path: &str, what: &str) {
    assert_eq!(reply.error(), "BAD_USER_INPUT", "{what}: {}", reply.body);
    let error = &reply.body["errors"][0];
    assert_eq!(error["message"], format!("`{path}` must have at most 100 items."), "{what}");
    assert_eq!(error["extensions"]["path"], json!(path.split('.').collect::<Vec<_>>()), "{what}");
    assert!(reply.body.get("data").is_none_or(Value::is_null), "{what}: {}", reply.body);
}

#[tokio::test]
async fn a_list_of_thousands_is_refused_however_it_is_given() {
    let district = District::new().await;
    let places: BTreeSet<String> = LISTS.iter().map(|list| list.place.to_owned()).collect();
    let mut all = lists_of_the_schema();
    assert!(all.remove("ReconcileInput.lines"), "it alone may be longer, and has a test of its own");
    for administered in
        ["RegisterClientInput.scopes", "RegisterDocumentsInput.documents", "RegisterStaffInput.roles"]
    {
        assert!(all.remove(administered), "only administrators send it, and the same code judges it");
    }
    assert_eq!(places, all, "every other list is tried");
    for list in &LISTS {
        let within = Within::of(&district, list.asker).await;
        let reply = within.ask(&list.written(20_000), json!({})).await;
        assert_eq!(reply.error(), "LIMIT_EXCEEDED", "{}: the text is too long to parse", list.place);
        let reply = within.ask(&list.written(900), json!({})).await;
        match list.item.starts_with('{') {
            true => assert_eq!(reply.error(), "LIMIT_EXCEEDED", "{}: too many tokens", list.place),
            false => refused_at(&reply, list.path, list.place),
        }
        for items in [101, 20_000] {
            let values = vec![list.value(); items];
            let reply = within.ask(&list.with_variable(), json!({ "list": values })).await;
            refused_at(&reply, list.path, list.place);
        }
        within.ask(&list.with_variable(), json!({ "list": vec![list.value(); 100] })).await.fine();
    }
}

#[tokio::test]
async fn a_long_list_in_a_default_or_inside_a_larger_variable_is_refused_too() {
    let district = District::new().await;
    let office = Within::of(&district, OFFICE).await;
    let list = vec!["EXPIRED"; 3_000];
    let default = format!(
        "query($list: [ReferralStatus!] = [{}]) {{ referrals(filter: {{ status: $list }}) {{ nodes {{ id }} }} }}",
        list.join(" ")
    );
    refused_at(&office.ask(&default, json!({})).await, "filter.status", "a default");
    let filter = "query($f: ReferralFilter) { referrals(filter: $f) { nodes { id } } }";
    refused_at(&office.ask(filter, json!({ "f": { "status": list } })).await, "f.status", "a filter");
}

fn twice(words: &[&'static str]) -> Vec<&'static str> {
    [words, words].concat()
}

#[tokio::test]
async fn a_word_that_is_repeated_counts_once() {
    let district = District::with_medical_assistance().await;
    let (office, shop) = (district.partner(OFFICE).await, district.partner(SHOP).await);
    let person = district.person("王小红", &[]).await;
    let it = vec![office.refer(request("DPF", &person)).await];
    assert_eq!(office.referrals(json!({ "status": twice(&["REQUESTED", "EXPIRED"]) })).await, it);
    assert_eq!(office.referrals(json!({ "status": ["EXPIRED", "ACCEPTED"] })).await, Vec::<String>::new());
    assert_eq!(office.referrals(json!({ "status": [] })).await, Vec::<String>::new());
    district.wait(chrono::TimeDelta::days(20));
    assert_eq!(office.referrals(json!({ "status": twice(&["EXPIRED"]) })).await, it);
    assert_eq!(office.referrals(json!({ "status": twice(&["REQUESTED"]) })).await, Vec::<String>::new());
    let mut kept = consent("DPF", &person, &twice(&["PHONE", "ADDRESS"]));
    kept["givenOn"] = "2016-06-01".into();
    let reply = office.act("recordConsent", kept, "consent { fields }").await.done("recordConsent");
    assert_eq!(reply.at("recordConsent.consent.fields"), &json!(["PHONE", "ADDRESS"]));
    let card = district.card("50.00").await;
    let redemption = shop.sell(&card, "20.00", &new_key()).await;
    let query = "query($s: [RedemptionStatus!]) { redemptions(filter: { status: $s }) { nodes { id } } }";
    let reply = shop.ask(query, json!({ "s": vec!["REDEEMED"; 100] })).await.fine();
    assert_eq!(reply.at("redemptions.nodes"), &json!([{ "id": redemption }]));
}

#[tokio::test]
async fn fifty_reasons_are_enough() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    let mut input = sale(&card, "100.00", "R-1");
    input["lines"] = vec![json!({ "category": "FOOD", "description": " ", "amount": "0.00" }); 100].into();
    let first = shop.redeem(input.clone()).await.fine();
    assert_eq!(first.refusals("redeemAidCard").len(), 50);
    assert_eq!(first.refusals_at("redeemAidCard")[0], ("INVALID".into(), "lines.0.description".into()));
    let again = shop.redeem(input.clone()).await.fine();
    assert_eq!(again.at("redeemAidCard.replayed"), &json!(true));
    assert_eq!(again.at("redeemAidCard.userErrors"), first.at("redeemAidCard.userErrors"));
    let query = "query($key: IdempotencyKey!) { operation(key: $key) { userErrors { code } } }";
    let kept = shop.ask(query, json!({ "key": input["key"] })).await.fine();
    assert_eq!(kept.refusals("operation").len(), 50);
}

#[tokio::test]
async fn a_hundred_goods_lines_are_taken_and_no_more() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    let lines =
        |count: usize| vec![json!({ "category": "FOOD", "description": "rice", "amount": "1.00" }); count];
    let mut input = sale(&card, "101.00", "R-1");
    input["lines"] = lines(101).into();
    refused_at(&shop.redeem(input).await, "input.lines", "101 lines");
    let mut input = sale(&card, "100.00", "R-1");
    input["lines"] = lines(100).into();
    shop.redeem(input).await.done("redeemAidCard");
}
