//! How many SQL statements a request takes, as numbers: a fixed few per query and per act, whatever the tables hold.
//!
//! Measured in the task of the request with warm caches (token, partners, agreements, programmes). What opens and ends an
//! act's transaction (BEGIN, COMMIT, ROLLBACK, savepoints) is not seen by the counter.

use chrono::Days;
use entity::id::{RedemptionId, SettlementId};
use entity::kinds::Category;
use entity::{redemption, settlement, settlement_part};
use sea_orm::EntityTrait;
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, DPF, HOSPITAL, OFFICE, Resident, SHOP, day, new_id};
use crate::harness::partner::new_key;
use crate::harness::{Bill, District, Within};

const COVERAGE: &str = "query($id: NationalId!, $name: String!) { coverage(nationalId: $id, name: $name) {
    covered patientName entitlements { programme { code } policyVersion { form } capLeft deductibleLeft usedThisYear } } }";
const PREVIEW: &str = "query($bill: BillInput!) { settlementPreview(bill: $bill) {
    calculation { assistance parts { programme { code } steps { code value } } } userErrors { code } } }";
const SETTLE: &str = "mutation($input: SettleInput!) { settle(input: $input) {
    settlement { id hospital { code } calculation { assistance } } replayed userErrors { code } } }";
const REVERSE: &str = "mutation($input: ReverseSettlementInput!) { reverseSettlement(input: $input) {
    settlement { id status hospital { code } } userErrors { code } } }";
const VOID: &str = "mutation($input: VoidOperationInput!) { voidOperation(input: $input) {
    operation { status mutation } userErrors { code } } }";
const REDEEM: &str = "mutation($input: RedeemAidCardInput!) { redeemAidCard(input: $input) {
    redemption { id supermarket { code } } card { balance } userErrors { code } } }";
const REFUND: &str = "mutation($input: RefundRedemptionInput!) { refundRedemption(input: $input) {
    redemption { id status } card { balance } userErrors { code } } }";
const REQUEST: &str = "mutation($input: RequestReferralInput!) { requestReferral(input: $input) {
    referral { id number person { name } receiver { code } allowedSteps } userErrors { code } } }";
const ACCEPT: &str = "mutation($input: ReferralStepInput!) { acceptReferral(input: $input) {
    referral { id status person { name } } userErrors { code } } }";
const HOLD: &str = "mutation($input: ReferralReasonInput!) { holdReferral(input: $input) {
    referral { id status } userErrors { code } } }";
const START: &str = "mutation($input: ReferralStepInput!) { startReferral(input: $input) {
    referral { id status } userErrors { code } } }";
const CONSENT: &str = "mutation($input: RecordConsentInput!) { recordConsent(input: $input) {
    consent { id receiver { code } fields } userErrors { code } } }";
const REFERRAL: &str = "query($id: ID!) { referral(by: { id: $id }) {
    id number status sender { code } receiver { code } programme { code } allowedSteps
    person { name area idNumber health } events(first: 3) { nodes { at status actor { code } note } } } }";
const REFERRALS: &str = "{ referrals(first: 50) { nodes {
    id number status sender { code } receiver { code } person { name area idNumber }
    events(first: 1) { nodes { at status actor { code } } } } pageInfo { hasNextPage } } }";
const SETTLEMENTS: &str =
    "{ settlements(first: 50) { nodes { id assistance hospital { code } calculation { parts {
    programme { code } policyVersion { id } paid } } } pageInfo { hasNextPage } } }";
const COUNTED_SETTLEMENTS: &str = "{ settlements(first: 50) { totalCount nodes { id } } }";
const REDEMPTIONS: &str =
    "{ redemptions(first: 50) { nodes { id amount supermarket { code } } pageInfo { hasNextPage } } }";
const NODES: &str = "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }";
const OPERATION: &str =
    "query($key: IdempotencyKey!) { operation(key: $key) { status mutation result { id } } }";

/// The statements of a document that ends without errors and refusals.
async fn cost(partner: &Within, query: &str, variables: Value) -> u32 {
    answer(partner, query, variables).await.1
}

async fn answer(partner: &Within, query: &str, variables: Value) -> (Value, u32) {
    let (reply, statements) = partner.counted(query, variables).await;
    let data = reply.fine().body["data"].clone();
    for (field, payload) in data.as_object().unwrap() {
        assert!(!payload.is_null(), "{field} is null");
        assert!(payload["userErrors"].as_array().is_none_or(Vec::is_empty), "{field}: {payload}");
    }
    (data, statements)
}

fn bill_of(patient: &Resident) -> Value {
    Bill::of(&patient.national_id, &patient.name).0
}

/// A patient with one settlement posted and this many more laid beside it, in earlier years.
async fn patient_with_stays(district: &District, hospital: &Within, stays: u64) -> (Resident, String) {
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let key = new_key();
    let input = json!({ "key": key, "bill": bill_of(&patient) });
    answer(hospital, SETTLE, json!({ "input": input })).await;
    let look = district.database.look().await;
    let posted = settlement::Entity::find().one(&look).await.unwrap().unwrap();
    let part = settlement_part::Entity::find().one(&look).await.unwrap().unwrap();
    let mut rows = Vec::new();
    let mut parts = Vec::new();
    for number in 0..stays {
        let id = new_id::<SettlementId>();
        let discharged = day("2015-12-01") - Days::new(2 * number);
        rows.push(settlement::Model {
            id,
            operation_key: format!("earlier-{number}"),
            invoice_number: format!("earlier-{number}"),
            insurer_settlement_id: format!("earlier-{number}"),
            admitted_on: discharged - Days::new(1),
            discharged_on: discharged,
            ..posted.clone()
        });
        parts.push(settlement_part::Model { id: new_id(), settlement_id: id, capped: true, ..part.clone() });
    }
    district.lay::<settlement::Entity>(rows).await;
    district.lay::<settlement_part::Entity>(parts).await;
    (patient, key)
}

async fn at_a_hospital(stays: u64) -> Vec<(&'static str, u32)> {
    let district = District::with_medical_assistance().await;
    let hospital = Within::of(&district, HOSPITAL).await;
    let (patient, key) = patient_with_stays(&district, &hospital, stays).await;
    let next = || json!({ "key": new_key(), "bill": bill_of(&patient) });
    let at = |from: &str, to: &str| {
        let mut input = next();
        input["bill"] = Bill(input["bill"].clone()).stay(from, to).0;
        json!({ "input": input })
    };
    let who = json!({ "id": patient.national_id, "name": patient.name });
    let mut costs = Vec::new();
    costs.push(("coverage", cost(&hospital, COVERAGE, who).await));
    let bill = Bill(bill_of(&patient)).stay("2016-05-20", "2016-05-21").0;
    costs.push(("settlementPreview", cost(&hospital, PREVIEW, json!({ "bill": bill })).await));
    let (settled, statements) = answer(&hospital, SETTLE, at("2016-05-20", "2016-05-21")).await;
    costs.push(("settle", statements));
    let id = &settled["settle"]["settlement"]["id"];
    let by_id =
        "query($id: ID!) { settlement(by: { id: $id }) { id hospital { code } calculation { assistance } } }";
    costs.push(("settlement by id", cost(&hospital, by_id, json!({ "id": id })).await));
    let node = "query($id: ID!) { node(id: $id) { id ... on Settlement { assistance hospital { code } } } }";
    costs.push(("node", cost(&hospital, node, json!({ "id": id })).await));
    costs.push(("settlements", cost(&hospital, SETTLEMENTS, json!({})).await));
    costs.push(("settlements with totalCount", cost(&hospital, COUNTED_SETTLEMENTS, json!({})).await));
    costs.push(("operation", cost(&hospital, OPERATION, json!({ "key": key })).await));
    let input = json!({ "key": new_key(), "settlementId": id, "reason": "wrong patient" });
    costs.push(("reverseSettlement", cost(&hospital, REVERSE, json!({ "input": input })).await));
    let input = json!({ "key": new_key(), "operationKey": key, "reason": "timeout" });
    costs.push(("voidOperation of a settlement", cost(&hospital, VOID, json!({ "input": input })).await));
    let input = json!({ "key": new_key(), "operationKey": new_key(), "reason": "timeout" });
    costs.push(("voidOperation of nothing", cost(&hospital, VOID, json!({ "input": input })).await));
    costs
}

#[tokio::test]
async fn a_hospitals_requests_take_a_fixed_number_of_statements() {
    let expected = vec![
        ("coverage", 2),
        ("settlementPreview", 4),
        ("settle", 14),
        ("settlement by id", 1),
        ("node", 1),
        ("settlements", 1),
        ("settlements with totalCount", 2),
        ("operation", 2),
        ("reverseSettlement", 14),
        ("voidOperation of a settlement", 16),
        ("voidOperation of nothing", 4),
    ];
    assert_eq!(at_a_hospital(10).await, expected);
    assert_eq!(at_a_hospital(500).await, expected);
}

/// A card with a monthly limit, one redemption of it, and this many more laid beside it.
async fn card_with_redemptions(district: &District, shop: &Within, redemptions: u64) -> String {
    let limited = |card: &mut entity::aid_card::Model| card.monthly_limit = Some(card.face_value);
    let card = district.card_that("90000.00", limited).await;
    let input = json!({ "key": new_key(), "cardNumber": card, "amount": "1.00", "receiptNumber": "warm" });
    answer(shop, REDEEM, json!({ "input": input })).await;
    let look = district.database.look().await;
    let redeemed = redemption::Entity::find().one(&look).await.unwrap().unwrap();
    let rows = (0..redemptions).map(|number| redemption::Model {
        id: new_id::<RedemptionId>(),
        operation_key: format!("earlier-{number}"),
        receipt_number: format!("earlier-{number}"),
        ..redeemed.clone()
    });
    district.lay::<redemption::Entity>(rows.collect()).await;
    card
}

async fn at_a_shop(redemptions: u64) -> Vec<(&'static str, u32)> {
    let district = District::new().await;
    let shop = Within::of(&district, SHOP).await;
    let limited = card_with_redemptions(&district, &shop, redemptions).await;
    let card = district.card("200.00").await;
    let redeem = |card: &str, receipt: &str| json!({ "key": new_key(), "cardNumber": card, "amount": "2.00", "receiptNumber": receipt });
    let mut costs = Vec::new();
    let seen =
        "query($n: String!) { aidCard(number: $n) { id balance status holderName allowedCategories } }";
    costs.push(("aidCard", cost(&shop, seen, json!({ "n": card })).await));
    let input = redeem(&card, "R1");
    let key = input["key"].clone();
    let (redeemed, statements) = answer(&shop, REDEEM, json!({ "input": input })).await;
    costs.push(("redeemAidCard", statements));
    let input = redeem(&limited, "R2");
    costs
        .push(("redeemAidCard within a monthly limit", cost(&shop, REDEEM, json!({ "input": input })).await));
    let id = &redeemed["redeemAidCard"]["redemption"]["id"];
    let by_id = "query($id: ID!) { redemption(by: { id: $id }) { id supermarket { code } } }";
    costs.push(("redemption by id", cost(&shop, by_id, json!({ "id": id })).await));
    costs.push(("redemptions", cost(&shop, REDEMPTIONS, json!({})).await));
    let input = json!({ "key": new_key(), "redemptionId": id, "amount": "1.00", "reason": "returned" });
    costs.push(("refundRedemption", cost(&shop, REFUND, json!({ "input": input })).await));
    let input = json!({ "key": new_key(), "operationKey": key, "reason": "timeout" });
    costs.push(("voidOperation of a redemption", cost(&shop, VOID, json!({ "input": input })).await));
    costs
}

#[tokio::test]
async fn a_shops_requests_take_a_fixed_number_of_statements() {
    let expected = vec![
        ("aidCard", 1),
        ("redeemAidCard", 8),
        ("redeemAidCard within a monthly limit", 9),
        ("redemption by id", 1),
        ("redemptions", 1),
        ("refundRedemption", 11),
        ("voidOperation of a redemption", 13),
    ];
    assert_eq!(at_a_shop(10).await, expected);
    assert_eq!(at_a_shop(500).await, expected);
}

/// Requests this many referrals from the office to the federation; their ids, oldest first.
async fn referrals(office: &Within, patient: &Resident, many: u32) -> Vec<Value> {
    let mut ids = Vec::new();
    for _ in 0..many {
        let (requested, _) = answer(office, REQUEST, json!({ "input": referral_of(patient) })).await;
        ids.push(requested["requestReferral"]["referral"]["id"].clone());
    }
    ids
}

fn referral_of(patient: &Resident) -> Value {
    json!({
        "key": new_key(),
        "receiver": { "code": DPF },
        "person": { "nationalId": patient.national_id, "name": patient.name },
        "reason": "wheelchair",
    })
}

async fn between_agencies(many: u32) -> Vec<(&'static str, u32)> {
    let district = District::new().await;
    let office = Within::of(&district, OFFICE).await;
    let federation = Within::of(&district, DPF).await;
    let bureau = Within::of(&district, BUREAU).await;
    let person = district.person("王小红", &[]).await;
    let ids = referrals(&office, &person, many).await;
    let mut costs = Vec::new();
    for partner in [&federation, &bureau] {
        cost(partner, REFERRALS, json!({})).await;
    }
    let consent = json!({
        "key": new_key(),
        "person": { "nationalId": person.national_id, "name": person.name },
        "receiver": { "code": DPF },
        "fields": ["ID_NUMBER", "HEALTH"],
        "purpose": "a wheelchair",
        "wordingVersion": "2016-1",
        "givenOn": "2016-06-01",
    });
    let (consent, statements) = answer(&office, CONSENT, json!({ "input": consent })).await;
    costs.push(("recordConsent", statements));
    let (requested, statements) = answer(&office, REQUEST, json!({ "input": referral_of(&person) })).await;
    costs.push(("requestReferral", statements));
    let mut input = referral_of(&person);
    input["consentId"] = consent["recordConsent"]["consent"]["id"].clone();
    let key = input["key"].clone();
    costs.push(("requestReferral with a consent", cost(&office, REQUEST, json!({ "input": input })).await));
    let id = &requested["requestReferral"]["referral"]["id"];
    let step = || json!({ "input": { "key": new_key(), "referralId": id } });
    costs.push(("acceptReferral", cost(&federation, ACCEPT, step()).await));
    costs.push(("startReferral", cost(&federation, START, step()).await));
    let reason = json!({ "input": { "key": new_key(), "referralId": id, "reason": "measured first" } });
    costs.push(("holdReferral", cost(&federation, HOLD, reason).await));
    let mut noted = step();
    noted["input"]["externalReference"] = json!("DPF-1");
    costs.push(("startReferral with a reference", cost(&federation, START, noted).await));
    costs.push(("referral with person and events", cost(&federation, REFERRAL, json!({ "id": id })).await));
    costs.push(("referrals", cost(&federation, REFERRALS, json!({})).await));
    costs.push(("referrals of the bureau", cost(&bureau, REFERRALS, json!({})).await));
    let some: Vec<&Value> = ids.iter().take(10).collect();
    costs.push(("nodes", cost(&office, NODES, json!({ "ids": some })).await));
    let input = json!({ "key": new_key(), "operationKey": key, "reason": "timeout" });
    costs.push(("voidOperation of a request", cost(&office, VOID, json!({ "input": input })).await));
    costs
}

#[tokio::test]
async fn the_agencies_requests_take_a_fixed_number_of_statements() {
    let expected = vec![
        ("recordConsent", 5),
        ("requestReferral", 9),
        ("requestReferral with a consent", 10),
        ("acceptReferral", 7),
        ("startReferral", 7),
        ("holdReferral", 7),
        ("startReferral with a reference", 8),
        ("referral with person and events", 2),
        ("referrals", 2),
        ("referrals of the bureau", 2),
        ("nodes", 1),
        ("voidOperation of a request", 9),
    ];
    assert_eq!(between_agencies(10).await, expected);
    assert_eq!(between_agencies(60).await, expected);
}

/// The same on threads that could run a load before the last referral of the page has asked for its events.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_events_of_a_page_are_always_one_statement() {
    let district = District::new().await;
    let office = Within::of(&district, OFFICE).await;
    let federation = Within::of(&district, DPF).await;
    let person = district.person("王小红", &[]).await;
    referrals(&office, &person, 50).await;
    cost(&federation, REFERRALS, json!({})).await;
    for _ in 0..20 {
        assert_eq!(cost(&federation, REFERRALS, json!({})).await, 2);
    }
}
