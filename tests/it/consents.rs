//! Consents: who may record and withdraw them, and for whom they count.

use chrono::TimeDelta;
use entity::kinds::Scope;
use serde_json::{Value, json};

use crate::harness::database::number;
use crate::harness::district::{BUREAU, CARE, CF, DPF, HOSPITAL, OFFICE, OTHER_OFFICE, SHOP};
use crate::harness::partner::new_key;
use crate::harness::referring::{consent, request};
use crate::harness::{District, Partner, Reply, Within};

const SHOWN: &str = "consent { id receiver { code } fields purpose givenOn withdrawnAt }";

async fn record(partner: &Partner, input: Value) -> Reply {
    partner.act("recordConsent", input, SHOWN).await.fine()
}

async fn withdraw(partner: &Partner, id: &str) -> Reply {
    partner.act("withdrawConsent", json!({ "key": new_key(), "consentId": id }), SHOWN).await.fine()
}

async fn as_node(partner: &Partner, id: &str) -> Value {
    let query = "query($id: ID!) { node(id: $id) { ... on Consent { fields withdrawnAt } } }";
    partner.ask(query, json!({ "id": id })).await.fine().at("node").clone()
}

fn place(code: &str, field: &str) -> (String, String) {
    (code.to_owned(), field.to_owned())
}

#[tokio::test]
async fn a_consent_is_recorded_as_it_was_given() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let input = consent(DPF, &person, &["PHONE", "ID_NUMBER", "PHONE"]);
    let reply = record(&office, input.clone()).await.done("recordConsent");
    let mut found = reply.at("recordConsent.consent").clone();
    let id = found.as_object_mut().unwrap().remove("id").unwrap();
    assert!(id.as_str().unwrap().starts_with("consent_"));
    assert_eq!(
        found,
        json!({
            "receiver": { "code": DPF }, "fields": ["ID_NUMBER", "PHONE"], "purpose": "a wheelchair",
            "givenOn": "2016-06-15", "withdrawnAt": null,
        })
    );
    let again = record(&office, input.clone()).await.done("recordConsent");
    assert_eq!(
        (again.at("recordConsent.replayed"), again.at("recordConsent.consent.id")),
        (&json!(true), &id)
    );
    let mut other = input;
    other["purpose"] = "something else".into();
    assert_eq!(record(&office, other).await.refusals_at("recordConsent"), [place("KEY_REUSED", "key")]);
    let look = district.database.look().await;
    assert_eq!(number(&look, "SELECT COUNT(*) FROM consent").await, 1);
}

#[tokio::test]
async fn its_recorder_its_receiver_and_the_bureau_see_it() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let id = office.consent(DPF, &person, &["HEALTH"]).await;
    let shown = json!({ "fields": ["HEALTH"], "withdrawnAt": null });
    for code in [OFFICE, DPF, BUREAU] {
        assert_eq!(as_node(&district.partner(code).await, &id).await, shown, "{code}");
    }
    for code in [OTHER_OFFICE, CF, HOSPITAL, CARE] {
        assert_eq!(as_node(&district.partner(code).await, &id).await, Value::Null, "{code}");
    }
    let shop = district.partner(SHOP).await;
    let reply = shop.ask("query($id: ID!) { node(id: $id) { id } }", json!({ "id": id })).await;
    assert_eq!(reply.body, json!({ "data": { "node": null } }));
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let mut input = consent("NOBODY", &person, &[]);
    input["person"]["name"] = " ".into();
    input["purpose"] = "".into();
    input["wordingVersion"] = "长".repeat(65).into();
    input["givenOn"] = "2016-06-16".into();
    assert_eq!(
        record(&office, input).await.refusals_at("recordConsent"),
        [
            place("INVALID", "person.name"),
            place("INVALID", "purpose"),
            place("INVALID", "wordingVersion"),
            place("INVALID", "fields"),
            place("DATE_OUT_OF_RANGE", "givenOn"),
            place("NOT_FOUND", "receiver"),
        ]
    );
    let look = district.database.look().await;
    assert_eq!(number(&look, "SELECT COUNT(*) FROM consent").await, 0);
    assert_eq!(number(&look, "SELECT COUNT(*) FROM operation WHERE status = 'REJECTED'").await, 1);
}

/// The day is China's: at 16:00 UTC the next one has begun.
#[tokio::test]
async fn a_consent_may_be_given_today_but_not_tomorrow() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let mut input = consent(DPF, &person, &["PHONE"]);
    input["givenOn"] = "2016-06-16".into();
    district.set_time("2016-06-15T15:59:59.999999Z");
    assert_eq!(record(&office, input.clone()).await.refusals("recordConsent"), ["DATE_OUT_OF_RANGE"]);
    district.set_time("2016-06-15T16:00:00Z");
    input["key"] = new_key().into();
    record(&office, input).await.done("recordConsent");
}

/// A consent is for somebody to whom the recorder may refer; never for the recorder itself.
#[tokio::test]
async fn a_consent_names_somebody_to_whom_one_may_refer() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    for (recorder, receiver, refused) in [
        (HOSPITAL, CARE, Some("INVALID")),
        (DPF, CF, Some("INVALID")),
        (OFFICE, OFFICE, Some("INVALID")),
        (BUREAU, BUREAU, Some("INVALID")),
        (OFFICE, SHOP, Some("NOT_FOUND")),
        (OFFICE, OTHER_OFFICE, None),
        (HOSPITAL, DPF, None),
    ] {
        let reply = record(&district.partner(recorder).await, consent(receiver, &person, &["PHONE"])).await;
        let expected: Vec<_> = refused.map(|code| place(code, "receiver")).into_iter().collect();
        assert_eq!(reply.refusals_at("recordConsent"), expected, "{recorder} for {receiver}");
    }
}

#[tokio::test]
async fn only_its_recorder_withdraws_it() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let id = office.consent(DPF, &person, &["HEALTH"]).await;
    for code in [DPF, BUREAU, OTHER_OFFICE, CF] {
        let reply = withdraw(&district.partner(code).await, &id).await;
        assert_eq!(reply.refusals_at("withdrawConsent"), [place("NOT_FOUND", "consentId")], "{code}");
        assert!(reply.at("withdrawConsent.consent").is_null());
    }
    assert_eq!(as_node(&office, &id).await["withdrawnAt"], Value::Null);
    let reply = withdraw(&office, &id).await.done("withdrawConsent");
    assert_eq!(reply.text("withdrawConsent.consent.withdrawnAt"), "2016-06-15T02:00:00.000000Z");
    district.wait(chrono::TimeDelta::hours(1));
    let again = withdraw(&office, &id).await.done("withdrawConsent");
    assert_eq!(
        again.text("withdrawConsent.consent.withdrawnAt"),
        "2016-06-15T02:00:00.000000Z",
        "it stays as it is"
    );
}

#[tokio::test]
async fn a_consent_counts_for_its_person_and_its_receiver_alone() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let somebody = district.person("王小红", &[]).await;
    let (office, federation) = (district.partner(OFFICE).await, district.partner(DPF).await);
    let id = office.consent(DPF, &person, &["HEALTH"]).await;
    let ask = async |partner: &Partner, mut input: Value, consent: &str| {
        input["consentId"] = consent.into();
        partner.act("requestReferral", input, "referral { id }").await.fine().refusals_at("requestReferral")
    };
    let required = [place("CONSENT_REQUIRED", "consentId")];
    assert_eq!(ask(&office, request(DPF, &somebody), &id).await, required, "another person of the same name");
    let mut renamed = person.clone();
    renamed.name = "王大红".into();
    assert_eq!(ask(&office, request(DPF, &renamed), &id).await, required, "another name");
    assert_eq!(ask(&office, request(CF, &person), &id).await, required, "another receiver");
    let hospital = district.partner(HOSPITAL).await;
    assert_eq!(ask(&hospital, request(DPF, &person), &id).await, required, "another partner's consent");
    assert_eq!(ask(&office, request(DPF, &person), "consent_nonsense").await, required);
    assert_eq!(ask(&federation, request(OFFICE, &person), &id).await, required, "the other way round");
    let look = district.database.look().await;
    assert_eq!(number(&look, "SELECT COUNT(*) FROM referral").await, 0);
    assert_eq!(ask(&office, request(DPF, &person), &id).await, []);
    withdraw(&office, &id).await.done("withdrawConsent");
    assert_eq!(ask(&office, request(DPF, &person), &id).await, required, "withdrawn");
    assert_eq!(number(&look, "SELECT COUNT(*) FROM referral").await, 1);
}

#[tokio::test]
async fn a_consent_serves_for_several_referrals() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let id = office.consent(DPF, &person, &["ID_NUMBER"]).await;
    for _ in 0..2 {
        let mut input = request(DPF, &person);
        input["consentId"] = id.clone().into();
        office.refer(input).await;
    }
    let federation = district.partner(DPF).await;
    let reply = federation.ask("{ referrals { nodes { person { idNumber } } } }", json!({})).await.fine();
    let shown = json!({ "person": { "idNumber": format!("4199**********{}", &person.national_id[14..]) } });
    assert_eq!(reply.at("referrals.nodes"), &json!([shown, shown]));
}

#[tokio::test]
async fn each_side_lists_its_own_and_the_bureau_lists_all() {
    let district = District::new().await;
    let (office, receiver) = (district.partner(OFFICE).await, district.partner(DPF).await);
    let mut recorded = Vec::new();
    for name in ["李小明", "王小红", "钱二"] {
        let person = district.person(name, &[]).await;
        recorded.push(office.consent(DPF, &person, &["PHONE"]).await);
        district.wait(TimeDelta::seconds(1));
    }
    let person = district.person("赵一", &[]).await;
    let other = district.partner(HOSPITAL).await.consent(CF, &person, &["PHONE"]).await;
    let withdrawal = json!({ "key": new_key(), "consentId": recorded[0] });
    office.act("withdrawConsent", withdrawal, "consent { id }").await.done("withdrawConsent");
    recorded.reverse();
    let ids = |reply: &Reply| -> Vec<String> {
        let nodes = reply.at("consents.nodes").as_array().unwrap().clone();
        nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    };
    const OF: &str =
        "query($side: ConsentSide, $after: String) { consents(side: $side, first: 2, after: $after) {
        totalCount nodes { id withdrawnAt receiver { code } recorder { code } } pageInfo { endCursor } } }";
    for (partner, side) in [(&office, "RECORDER"), (&receiver, "RECEIVER")] {
        let page = partner.ask(OF, json!({ "side": side })).await.fine();
        assert_eq!((ids(&page), page.at("consents.totalCount")), (recorded[..2].to_vec(), &json!(3)));
        let after = page.text("consents.pageInfo.endCursor");
        let page = partner.ask(OF, json!({ "side": side, "after": after })).await.fine();
        assert_eq!(ids(&page), recorded[2..]);
        assert!(!page.at("consents.nodes")[0]["withdrawnAt"].is_null());
        assert_eq!(partner.ask(OF, json!({})).await.error(), "BAD_USER_INPUT");
    }
    assert_eq!(ids(&office.ask(OF, json!({ "side": "RECEIVER" })).await.fine()), Vec::<String>::new());
    let all = district.partner(BUREAU).await.ask(OF, json!({})).await.fine();
    assert_eq!((&ids(&all)[0], all.at("consents.totalCount")), (&other, &json!(4)));
    let within = Within::of(&district, OFFICE).await;
    let mut costs = Vec::new();
    for _ in 0..2 {
        costs.push(within.counted(OF, json!({ "side": "RECORDER" })).await.1);
    }
    assert_eq!(costs[1], 2, "the page and its total");
    let settling = district.partner_with(OFFICE, &[Scope::ConsentWrite]).await;
    assert_eq!(settling.ask(OF, json!({ "side": "RECORDER" })).await.error(), "FORBIDDEN");
}
