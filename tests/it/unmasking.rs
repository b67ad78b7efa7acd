//! People in the clear: for whom, for what, and never without a record; and who looked at a person.

use entity::kinds::{Category, Scope};
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, DPF, HOSPITAL, OFFICE};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::referring::request;
use crate::harness::{District, Partner, Reply, Within};

const SETTLEMENTS: &str = "query($note: String) { settlements { nodes { id patientName
    unmaskedPatient(purpose: SETTLEMENT_REVIEW, note: $note) { name idNumber } } } }";
const REFERRALS: &str =
    "{ referrals { nodes { id unmaskedPerson(purpose: IDENTITY_CHECK) { name idNumber } } } }";
const LOOKS: &str = "query($subject: ID!) { looksAtPerson(subject: $subject) {
    nodes { act outcome partner { code } } } }";
const COUNTED_LOOKS: &str = "query($subject: ID!) { looksAtPerson(subject: $subject, first: 50) {
    totalCount nodes { act outcome scope subject partner { code } operatorCode origin at } } }";
const UNMASKED: &str = "SELECT COUNT(*) FROM audit_record WHERE outcome = 'UNMASKED'";

async fn reviewer(district: &District) -> Partner {
    let scopes = [Scope::SettlementRead, Scope::ReferralRead, Scope::PersonUnmask];
    district.partner_with(BUREAU, &scopes).await
}

async fn looks(district: &District, subject: &str) -> Reply {
    let auditor = district.partner_with(BUREAU, &[Scope::AuditRead]).await;
    auditor.ask(COUNTED_LOOKS, json!({ "subject": subject })).await.fine()
}

fn node_of(reply: &Reply, list: &str, id: &str) -> Value {
    let nodes = reply.at(list).as_array().unwrap();
    nodes.iter().find(|node| node["id"] == id).unwrap().clone()
}

#[tokio::test]
async fn the_bureau_sees_patients_in_the_clear_for_a_purpose_that_is_recorded() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let mut settlements = Vec::new();
    for (number, name) in ["李小明", "王小红"].into_iter().enumerate() {
        let patient = district.person(name, &[Category::Dibao]).await;
        let posted = bill(&patient)
            .with("invoiceNumber", &*format!("INV-{number}"))
            .with("insurerSettlementId", &*format!("SETL-{number}"));
        let id = hospital.settle(&posted).await.done("settle").text("settle.settlement.id");
        settlements.push((id, patient));
    }
    let bureau = reviewer(&district).await;
    let shown = bureau.ask(SETTLEMENTS, json!({ "note": "paper missing" })).await.fine();
    for (id, patient) in &settlements {
        let node = node_of(&shown, "settlements.nodes", id);
        let clear = json!({ "name": patient.name, "idNumber": patient.national_id });
        assert_eq!(node["unmaskedPatient"], clear);
        let looked = looks(&district, id).await;
        let newest = looked.at("looksAtPerson.nodes")[0].clone();
        let expected = ("SETTLEMENT_REVIEW: paper missing", "UNMASKED", "PERSON_UNMASK", BUREAU);
        let found = [&newest["act"], &newest["outcome"], &newest["scope"], &newest["partner"]["code"]];
        assert_eq!(found, [expected.0, expected.1, expected.2, expected.3].map(Value::from).each_ref());
        let acts = looked.at("looksAtPerson.nodes").as_array().unwrap().clone();
        assert!(acts.iter().any(|record| record["act"] == "settle" && record["partner"]["code"] == HOSPITAL));
    }
    assert_eq!(district.database.number(UNMASKED).await, 1, "one record for the page");
    let within = Within::of(&district, BUREAU).await;
    let id = json!({ "subject": settlements[0].0 });
    let mut costs = [0; 2];
    for _ in 0..2 {
        costs[0] = within.counted(SETTLEMENTS, json!({})).await.1;
        costs[1] = within.counted(LOOKS, id.clone()).await.1;
    }
    assert_eq!(
        costs,
        [4, 3],
        "the page, its people, the record, the looks; the person, the looks, the records"
    );
    let summary = district.gate.audit(&[], &mut |finding| panic!("{finding:?}")).await.unwrap();
    assert_eq!(summary.differences, 0);
}

#[tokio::test]
async fn nobody_else_does_and_nothing_is_recorded() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    hospital.settle(&bill(&patient)).await.done("settle");
    assert_eq!(hospital.ask(SETTLEMENTS, json!({})).await.error(), "GRAPHQL_VALIDATION_FAILED");
    let reader = district.partner_with(BUREAU, &[Scope::SettlementRead]).await;
    assert_eq!(reader.ask(SETTLEMENTS, json!({})).await.error(), "FORBIDDEN");
    let unmasker = district.partner_with(BUREAU, &[Scope::PersonUnmask]).await;
    assert_eq!(unmasker.ask(SETTLEMENTS, json!({})).await.error(), "FORBIDDEN");
    let bureau = reviewer(&district).await;
    for note in ["", "419999197001010014", "tel 13800000000"] {
        assert_eq!(
            bureau.ask(SETTLEMENTS, json!({ "note": note })).await.error(),
            "BAD_USER_INPUT",
            "{note}"
        );
    }
    let without = "{ settlements { nodes { unmaskedPatient { name } } } }";
    assert_eq!(bureau.ask(without, json!({})).await.error(), "GRAPHQL_VALIDATION_FAILED");
    assert_eq!(district.database.number(UNMASKED).await, 0);
    // Without the record there is no answer.
    district.database.change("DROP TABLE look").await;
    let reply = bureau.ask(SETTLEMENTS, json!({})).await;
    assert!(!reply.body.to_string().contains(&patient.national_id), "{}", reply.body);
}

#[tokio::test]
async fn a_referral_shows_its_person_in_the_clear_while_the_consent_stands() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let consent = office.consent(DPF, &person, &["ID_NUMBER"]).await;
    let mut input = request(DPF, &person);
    input["consentId"] = consent.clone().into();
    let open = office.refer(input).await;
    let closed = office.refer(request(DPF, &person)).await;
    let bureau = reviewer(&district).await;
    let shown = bureau.ask(REFERRALS, json!({})).await.fine();
    let clear = json!({ "name": person.name, "idNumber": person.national_id });
    assert!(node_of(&shown, "referrals.nodes", &closed)["unmaskedPerson"].is_null(), "without a consent");
    assert_eq!(node_of(&shown, "referrals.nodes", &open)["unmaskedPerson"], clear);
    assert_eq!(district.database.number(UNMASKED).await, 1);
    let withdrawal = json!({ "key": new_key(), "consentId": consent });
    office.act("withdrawConsent", withdrawal, "consent { id }").await.done("withdrawConsent");
    let shown = bureau.ask(REFERRALS, json!({})).await.fine();
    assert!(node_of(&shown, "referrals.nodes", &open)["unmaskedPerson"].is_null());
    assert_eq!(district.database.number(UNMASKED).await, 1);
    assert_eq!(
        district.partner(DPF).await.ask(REFERRALS, json!({})).await.error(),
        "GRAPHQL_VALIDATION_FAILED"
    );
}

#[tokio::test]
async fn a_person_who_was_found_by_a_check_has_it_among_the_looks() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let other = district.person("王小红", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    hospital.coverage(&patient.national_id, &patient.name, None).await.fine();
    hospital.coverage(&patient.national_id, "别人", None).await.fine();
    district.gate.write_looks().await.unwrap();
    let id = onestop::page::type_id(patient.id);
    let looked = looks(&district, &id).await;
    assert_eq!(looked.at("looksAtPerson.totalCount"), &json!(1), "a wrong name found nobody");
    let look = looked.at("looksAtPerson.nodes")[0].clone();
    assert_eq!((&look["act"], &look["outcome"]), (&json!("coverage"), &json!("LOOKED")));
    assert_eq!((&look["partner"]["code"], &look["origin"]), (&json!(HOSPITAL), &json!("127.0.0.1")));
    let of_other = looks(&district, &onestop::page::type_id(other.id)).await;
    assert_eq!(of_other.at("looksAtPerson.totalCount"), &json!(0));
    assert!(looks(&district, "settlement_nonsense").await.at("looksAtPerson").is_null());
}
