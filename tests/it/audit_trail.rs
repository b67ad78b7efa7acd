//! Who did and looked at what.

use entity::kinds::{Category, Scope};
use entity::person;
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, DPF, HOSPITAL, OFFICE, SHOP};
use crate::harness::hospital::bill;
use crate::harness::referring::{consent, request};
use crate::harness::{District, Partner, Town};

const RECORD: &str = "at partner { code } client operatorCode scope act outcome subject operationKey beforeDigest afterDigest origin sealNumber";

impl Partner {
    /// The audit trail, newest first.
    async fn trail(&self) -> Vec<Value> {
        let query = format!("{{ auditTrail(first: 100) {{ nodes {{ {RECORD} }} }} }}");
        self.ask(&query, json!({})).await.fine().at("auditTrail.nodes").as_array().unwrap().clone()
    }

    /// The newest record of an act.
    async fn newest(&self, act: &str) -> Value {
        let trail = self.trail().await;
        trail
            .iter()
            .find(|record| record["act"] == act)
            .unwrap_or_else(|| panic!("no {act} in {trail:?}"))
            .clone()
    }
}

async fn auditor(district: &District) -> Partner {
    district.partner_with(BUREAU, &[Scope::AuditRead]).await
}

#[tokio::test]
async fn an_act_is_recorded_with_who_did_it_to_what_and_from_where() {
    let district = District::with_medical_assistance().await;
    let auditor = auditor(&district).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let input = json!({ "key": "K1", "bill": bill(&patient).0, "operator": { "code": "OP7" } });
    let settled = hospital.settle_with(input).await.done("settle").text("settle.settlement.id");
    let record = auditor.newest("settle").await;
    let expected = [
        ("partner", json!({ "code": HOSPITAL })),
        ("operatorCode", json!("OP7")),
        ("scope", json!("SETTLEMENT_WRITE")),
        ("outcome", json!("DONE")),
        ("subject", json!(settled)),
        ("operationKey", json!("K1")),
        ("beforeDigest", Value::Null),
        ("origin", json!("127.0.0.1")),
    ];
    for (field, value) in expected {
        assert_eq!(record[field], value, "{field}");
    }
    assert!(record["client"].as_str().unwrap().starts_with("token_"));
    assert_eq!(record["afterDigest"].as_str().unwrap().len(), 64);
    hospital.reverse(&settled).await.done("reverseSettlement");
    let reversal = auditor.newest("reverseSettlement").await;
    assert_eq!(reversal["beforeDigest"].as_str().unwrap().len(), 64);
    assert_ne!(reversal["beforeDigest"], reversal["afterDigest"]);
}

#[tokio::test]
async fn a_refusal_is_recorded_and_a_replay_is_not() {
    let district = District::with_medical_assistance().await;
    let auditor = auditor(&district).await;
    let stranger = district.person("钱二", &[]).await;
    let hospital = district.partner(HOSPITAL).await;
    let posted = bill(&stranger);
    for _ in 0..2 {
        assert_eq!(hospital.settle_under("K1", &posted).await.refusals("settle"), ["NOT_COVERED"]);
    }
    let trail = auditor.trail().await;
    let of: Vec<&Value> = trail.iter().filter(|record| record["act"] == "settle").collect();
    assert_eq!(of.len(), 1);
    assert_eq!((&of[0]["outcome"], &of[0]["subject"]), (&json!("REFUSED"), &Value::Null));
    assert_eq!(of[0]["afterDigest"], Value::Null);
}

#[tokio::test]
async fn masked_looks_are_queued_and_written_together() {
    let district = District::with_medical_assistance().await;
    let auditor = auditor(&district).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let settled = hospital.settle(&bill(&patient)).await.done("settle").text("settle.settlement.id");
    district.gate.write_looks().await.unwrap();
    let before = district.database.rows("audit_record").await;
    hospital.coverage(&patient.national_id, &patient.name, None).await.fine();
    hospital.coverage(&patient.national_id, "某某", None).await.fine();
    hospital.ask("{ settlements { nodes { id patientName } } }", json!({})).await.fine();
    hospital.ask("{ settlements { nodes { id } } }", json!({})).await.fine();
    assert_eq!(district.database.rows("audit_record").await, before, "no read waits for a write");
    assert_eq!(district.gate.write_looks().await.unwrap(), 2, "a stranger and a bare list show nobody");
    let look = auditor.newest("coverage").await;
    assert_eq!((&look["outcome"], &look["operationKey"]), (&json!("LOOKED"), &Value::Null));
    assert!(look["subject"].as_str().unwrap().starts_with("person_"));
    assert_eq!(auditor.newest("settlements").await["subject"], json!(settled));
}

#[tokio::test]
async fn a_request_leaves_one_look_however_often_it_looks() {
    let district = District::with_medical_assistance().await;
    let auditor = auditor(&district).await;
    let hospital = district.partner(HOSPITAL).await;
    let mut settled = Vec::new();
    for name in ["李小明", "王小红"] {
        let patient = district.person(name, &[Category::Dibao]).await;
        settled.push(hospital.settle(&bill(&patient)).await.done("settle").text("settle.settlement.id"));
    }
    district.gate.write_looks().await.unwrap();
    let query = "{ settlements { nodes { a: patientName b: patientName c: patientName } } }";
    hospital.ask(query, json!({})).await.fine();
    assert_eq!(district.gate.write_looks().await.unwrap(), 1);
    settled.sort();
    assert_eq!(auditor.newest("settlements").await["subject"], json!(settled.join(" ")));
}

#[tokio::test]
async fn what_a_consent_opens_is_written_down_before_it_is_shown() {
    let district = District::new().await;
    let auditor = auditor(&district).await;
    let person = district
        .person_who("王小红", &[], |row| {
            let health = district.gate.keys().seal(person::Column::HealthSealed, row.id, "kidney");
            row.health_sealed = Some(health.unwrap());
        })
        .await;
    let office = district.partner(OFFICE).await;
    let given = office.act("recordConsent", consent(DPF, &person, &["HEALTH"]), "consent { id }").await;
    let mut open = request(DPF, &person);
    open["consentId"] = given.done("recordConsent").at("recordConsent.consent.id").clone();
    let opened = office.refer(open).await;
    let closed = office.refer(request(DPF, &person)).await;
    let federation = district.partner(DPF).await;
    let list = "{ referrals { nodes { id person { name health } } } }";
    let shown = federation.ask(list, json!({})).await.fine().body.to_string();
    assert!(shown.contains("kidney"));
    let record = auditor.newest("referrals").await;
    assert_eq!((&record["outcome"], &record["subject"]), (&json!("UNMASKED"), &json!(opened)));
    let unmasked = "SELECT COUNT(*) FROM audit_record WHERE outcome = 'UNMASKED'";
    assert_eq!(district.database.number(unmasked).await, 1, "one record for the page");
    district.gate.write_looks().await.unwrap();
    assert!(auditor.trail().await.iter().any(|record| record["subject"] == json!(closed)));
    // Without the record there is no answer.
    district.database.change("DROP TABLE look").await;
    district.database.change("DROP TABLE audit_record").await;
    let reply = federation.ask(list, json!({})).await;
    assert!(!reply.body.to_string().contains("kidney"), "{}", reply.body);
}

#[tokio::test]
async fn an_auditor_sees_the_trail_and_the_ledger_and_nothing_else() {
    let town = Town::new().await;
    let auditor = auditor(&town.district).await;
    assert!(auditor.trail().await.len() > 30);
    let ledger =
        "{ ledger(first: 100) { totalCount nodes { id book kind corrects entries { account amount } } } }";
    let postings = auditor.ask(ledger, json!({})).await.fine();
    for posting in postings.at("ledger.nodes").as_array().unwrap() {
        let entries = posting["entries"].as_array().unwrap();
        assert!(entries.len() >= 2, "{posting}");
        let sum: rust_decimal::Decimal = entries
            .iter()
            .map(|entry| entry["amount"].as_str().unwrap().parse::<rust_decimal::Decimal>().unwrap())
            .sum();
        assert_eq!(sum, rust_decimal::Decimal::ZERO, "{posting}");
    }
    for query in [
        "{ settlements { nodes { id } } }",
        "{ referrals { nodes { id } } }",
        "{ budgets(year: 2016) { year } }",
    ] {
        assert_eq!(auditor.ask(query, json!({})).await.error(), "FORBIDDEN", "{query}");
    }
    let shop = town.partner(SHOP);
    assert_eq!(shop.ask(ledger, json!({})).await.error(), "GRAPHQL_VALIDATION_FAILED");
    let later = "{ auditTrail(from: \"2016-06-16T00:00:00Z\") { totalCount } }";
    assert_eq!(auditor.ask(later, json!({})).await.fine().at("auditTrail.totalCount"), &json!(0));
    let until = "{ auditTrail(to: \"2016-06-16T00:00:00Z\") { totalCount } }";
    assert!(auditor.ask(until, json!({})).await.fine().at("auditTrail.totalCount").as_i64() > Some(30));
}
