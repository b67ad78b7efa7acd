//! Receipts: what moved money is proved by a signature that anybody can verify, and nothing else is.

use chrono::TimeDelta;
use entity::kinds::{Category, Scope};
use futures_util::future::join_all;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use onestop::access::{PublicKeys, Receipt};
use reqwest::{Client, Response};
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, CF, DPF, HOSPITAL, OFFICE, OTHER_HOSPITAL, SHOP};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::till::sale;
use crate::harness::{District, Partner};

const JWKS: &str = "/.well-known/jwks.json";

async fn published(district: &District) -> Response {
    Client::new().get(format!("{}{JWKS}", district.url)).send().await.unwrap()
}

/// What a receipt says; verified with the published keys alone, by another implementation than the server's.
async fn said(district: &District, receipt: &str) -> Value {
    let text = published(district).await.text().await.unwrap();
    let header = decode_header(receipt).unwrap();
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::EdDSA, Some("onestop-receipt+jws")));
    let set: JwkSet = serde_json::from_str(&text).unwrap();
    let key = DecodingKey::from_jwk(set.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_required_spec_claims(&["iss"]);
    validation.set_issuer(&["onestop"]);
    validation.validate_exp = false;
    let claims = decode::<Value>(receipt, &key, &validation).unwrap().claims;
    let own = Receipt::verify(receipt, &PublicKeys::read(&text).unwrap()).unwrap();
    assert_eq!(serde_json::to_value(own).unwrap(), claims);
    claims
}

/// An act that is done; its receipt, null or not.
async fn receipt(partner: &Partner, mutation: &str, input: &Value) -> Value {
    let reply = partner.act(mutation, input.clone(), "receipt").await.done(mutation);
    reply.at(&format!("{mutation}.receipt")).clone()
}

/// The receipt of an act, and that it says this and nothing more.
async fn proved(
    district: &District,
    partner: &Partner,
    mutation: &str,
    input: &Value,
    result: &str,
    amount: &str,
) -> String {
    let receipt = receipt(partner, mutation, input).await;
    let receipt = receipt.as_str().unwrap_or_else(|| panic!("{mutation} has no receipt"));
    let at = district.now().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    let mut claims = said(district, receipt).await;
    let found = claims["result"].as_str().unwrap().to_owned();
    assert!(found.starts_with(result), "{found}");
    claims.as_object_mut().unwrap().remove("result");
    let expected = json!({ "iss": "onestop", "mutation": mutation, "key": input["key"], "amount": amount,
        "currency": "CNY", "partner": partner.code, "at": at });
    assert_eq!(claims, expected, "{mutation}");
    receipt.to_owned()
}

async fn kept(partner: &Partner, key: &str) -> Value {
    let query = "query($key: IdempotencyKey!) { operation(key: $key) { status receipt } }";
    partner.ask(query, json!({ "key": key })).await.fine().at("operation").clone()
}

fn reversal(settlement: &str) -> Value {
    json!({ "key": new_key(), "settlementId": settlement, "reason": "billed twice" })
}

fn refund(redemption: &str, amount: Option<&str>) -> Value {
    json!({ "key": new_key(), "redemptionId": redemption, "amount": amount, "reason": "returned" })
}

fn void(key: &Value) -> Value {
    json!({ "key": new_key(), "operationKey": key, "reason": "no answer" })
}

/// A settlement of somebody new, as it is posted.
async fn posted(district: &District) -> Value {
    let patient = district.person("李小明", &[Category::Dibao]).await;
    json!({ "key": new_key(), "bill": bill(&patient).0 })
}

#[tokio::test]
async fn the_keys_are_published_for_everybody() {
    let district = District::new().await;
    let response = published(&district).await;
    assert_eq!(response.status(), 200);
    let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("content-type"), "application/jwk-set+json");
    assert_eq!(header("cache-control"), "public, max-age=300");
    let keys: Value = response.json().await.unwrap();
    let key = &keys["keys"][0];
    let of = |name: &str| key[name].as_str().unwrap().to_owned();
    assert_eq!([of("kty"), of("crv"), of("use"), of("alg")], ["OKP", "Ed25519", "sig", "EdDSA"]);
    let token = district.partner(HOSPITAL).await.token;
    assert_eq!(decode_header(&token).unwrap().kid, Some(of("kid")));
    let posted = Client::new().post(format!("{}{JWKS}", district.url)).send().await.unwrap();
    assert_eq!((posted.status().as_u16(), &posted.headers()["allow"]), (405, &"GET,HEAD".parse().unwrap()));
}

#[tokio::test]
async fn a_hospitals_acts_are_proved() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let input = posted(&district).await;
    let receipt = proved(&district, &hospital, "settle", &input, "settlement_", "5040.00").await;
    let id = said(&district, &receipt).await["result"].as_str().unwrap().to_owned();
    assert_eq!(hospital.settlement(json!({ "key": input["key"] })).await.fine().text("settlement.id"), id);
    district.wait(TimeDelta::microseconds(7));
    proved(&district, &hospital, "reverseSettlement", &reversal(&id), &id, "-5040.00").await;
    let again = posted(&district).await;
    proved(&district, &hospital, "settle", &again, "settlement_", "5040.00").await;
    district.wait(TimeDelta::milliseconds(1));
    let original = again["key"].as_str().unwrap();
    proved(&district, &hospital, "voidOperation", &void(&again["key"]), original, "-5040.00").await;
}

#[tokio::test]
async fn a_shops_acts_are_proved() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    let sold = sale(&card, "80.05", "R1");
    let receipt = proved(&district, &shop, "redeemAidCard", &sold, "redemption_", "80.05").await;
    let id = said(&district, &receipt).await["result"].as_str().unwrap().to_owned();
    district.wait(TimeDelta::milliseconds(1));
    let back = refund(&id, Some("30.00"));
    proved(&district, &shop, "refundRedemption", &back, "refund_", "-30.00").await;
    district.wait(TimeDelta::milliseconds(1));
    let of_refund = void(&back["key"]);
    let key = back["key"].as_str().unwrap();
    proved(&district, &shop, "voidOperation", &of_refund, key, "30.00").await;
    district.wait(TimeDelta::milliseconds(1));
    proved(&district, &shop, "refundRedemption", &refund(&id, Some("0.05")), "refund_", "-0.05").await;
    district.wait(TimeDelta::milliseconds(1));
    let key = sold["key"].as_str().unwrap();
    proved(&district, &shop, "voidOperation", &void(&sold["key"]), key, "-80.00").await;
}

#[tokio::test]
async fn the_acts_of_the_funds_owners_are_proved() {
    let district = District::with_medical_assistance().await;
    let (bureau, charity) = (district.partner(BUREAU).await, district.partner(CF).await);
    let hospital = district.partner(HOSPITAL).await;
    for (owner, programme) in [(&bureau, "MEDICAL_ASSISTANCE"), (&charity, "CHARITY_CARD")] {
        let input =
            json!({ "key": new_key(), "programmeCode": programme, "year": 2016, "amount": "1200.00" });
        proved(&district, owner, "appropriate", &input, "programme_", "1200.00").await;
    }
    receipt(&hospital, "settle", &posted(&district).await).await;
    district.set_time("2016-07-02T02:00:00Z");
    let id = hospital.statement("2016-06").await.fine().text("statement.id");
    hospital.confirm("2016-06", "5040.00").await.done("confirmStatement");
    district.wait(TimeDelta::milliseconds(1));
    let pay = json!({ "key": new_key(), "statementId": id, "bankReference": "BANK-1" });
    proved(&district, &bureau, "payStatement", &pay, &id, "-5040.00").await;
}

#[tokio::test]
async fn a_settlement_of_nothing_is_proved_too() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let mut input = posted(&district).await;
    input["bill"]["basicInsurancePaid"] = json!("17000.00");
    proved(&district, &hospital, "settle", &input, "settlement_", "0.00").await;
}

#[tokio::test]
async fn a_replay_gives_the_same_receipt_for_ever() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let input = posted(&district).await;
    let first = proved(&district, &hospital, "settle", &input, "settlement_", "5040.00").await;
    district.wait(TimeDelta::days(1));
    assert_eq!(receipt(&hospital, "settle", &input).await, json!(first));
    let id = said(&district, &first).await["result"].as_str().unwrap().to_owned();
    let back = reversal(&id);
    let reversed = receipt(&hospital, "reverseSettlement", &back).await;
    district.wait(TimeDelta::days(1));
    assert_eq!(receipt(&hospital, "settle", &input).await, json!(first), "a reversal does not unsay it");
    assert_eq!(receipt(&hospital, "reverseSettlement", &back).await, reversed);
    assert_eq!(kept(&hospital, input["key"].as_str().unwrap()).await["receipt"], json!(first));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_key_sent_many_times_at_once_has_one_receipt() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let input = posted(&district).await;
    let receipts = join_all((0..8).map(|_| receipt(&hospital, "settle", &input))).await;
    assert!(receipts[0].is_string());
    assert!(receipts.iter().all(|receipt| *receipt == receipts[0]), "{receipts:?}");
}

#[tokio::test]
async fn a_refusal_has_no_receipt() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let mut input = posted(&district).await;
    input["expectedAssistance"] = json!("1.00");
    for _ in 0..2 {
        let refused = hospital.act("settle", input.clone(), "receipt").await.fine();
        assert_eq!(refused.refusals("settle"), ["AMOUNT_DIFFERS"]);
        assert_eq!(refused.at("settle.receipt"), &Value::Null);
    }
    let rejected = json!({ "status": "REJECTED", "receipt": null });
    assert_eq!(kept(&hospital, input["key"].as_str().unwrap()).await, rejected);
    input = posted(&district).await;
    receipt(&hospital, "settle", &input).await;
    input["bill"]["invoiceNumber"] = json!("another");
    let reused = hospital.act("settle", input, "receipt").await.fine();
    assert_eq!(reused.refusals("settle"), ["KEY_REUSED"]);
    assert_eq!(reused.at("settle.receipt"), &Value::Null);
}

#[tokio::test]
async fn a_lost_receipt_is_asked_for_by_key() {
    let district = District::with_medical_assistance().await;
    let (hospital, other) = (district.partner(HOSPITAL).await, district.partner(OTHER_HOSPITAL).await);
    let input = posted(&district).await;
    let given = receipt(&hospital, "settle", &input).await;
    let key = input["key"].as_str().unwrap();
    assert_eq!(kept(&hospital, key).await, json!({ "status": "SUCCEEDED", "receipt": given }));
    assert_eq!(kept(&other, key).await, Value::Null, "another partner's key");
}

#[tokio::test]
async fn what_was_voided_gives_its_receipt_no_more() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let input = posted(&district).await;
    receipt(&hospital, "settle", &input).await;
    let undo = void(&input["key"]);
    let shape = "operation { status receipt } receipt";
    let reply = hospital.act("voidOperation", undo.clone(), shape).await.done("voidOperation");
    assert_eq!(reply.at("voidOperation.operation"), &json!({ "status": "VOIDED", "receipt": null }));
    let proof = reply.text("voidOperation.receipt");
    assert_eq!(said(&district, &proof).await["amount"], json!("-5040.00"));
    let late = hospital.act("settle", input.clone(), "receipt").await.fine();
    assert_eq!(late.refusals("settle"), ["KEY_VOIDED"]);
    assert_eq!(late.at("settle.receipt"), &Value::Null);
    let (original, voiding) = (input["key"].as_str().unwrap(), undo["key"].as_str().unwrap());
    assert_eq!(kept(&hospital, original).await, json!({ "status": "VOIDED", "receipt": null }));
    assert_eq!(kept(&hospital, voiding).await, json!({ "status": "SUCCEEDED", "receipt": proof }));
    assert_eq!(receipt(&hospital, "voidOperation", &undo).await, json!(proof));
}

#[tokio::test]
async fn a_void_that_moves_nothing_has_no_receipt() {
    let district = District::with_medical_assistance().await;
    let (hospital, shop) = (district.partner(HOSPITAL).await, district.partner(SHOP).await);
    let blocked = void(&json!(new_key()));
    assert_eq!(receipt(&hospital, "voidOperation", &blocked).await, Value::Null, "it never came");
    assert_eq!(
        receipt(&hospital, "voidOperation", &void(&blocked["operationKey"])).await,
        Value::Null,
        "voided before"
    );
    let input = posted(&district).await;
    let id = hospital.act("settle", input.clone(), "settlement { id }").await.done("settle");
    receipt(&hospital, "reverseSettlement", &reversal(&id.text("settle.settlement.id"))).await;
    assert_eq!(
        receipt(&hospital, "voidOperation", &void(&input["key"])).await,
        Value::Null,
        "reversed before"
    );
    let card = district.card("200.00").await;
    let sold = sale(&card, "80.00", "R1");
    let id = shop.redeem(sold.clone()).await.done("redeemAidCard").text("redeemAidCard.redemption.id");
    let back = refund(&id, None);
    receipt(&shop, "refundRedemption", &back).await;
    assert_eq!(receipt(&shop, "voidOperation", &void(&sold["key"])).await, Value::Null, "refunded before");
    assert_eq!(receipt(&shop, "voidOperation", &void(&back["key"])).await, Value::Null, "the sale is void");
}

#[tokio::test]
async fn what_moves_no_money_has_no_receipt() {
    let district = District::with_medical_assistance().await;
    let (office, hospital) = (district.partner(OFFICE).await, district.partner(HOSPITAL).await);
    let person = district.person("王小红", &[]).await;
    let input = json!({ "key": new_key(), "receiver": { "code": DPF }, "reason": "wheelchair",
        "person": { "nationalId": person.national_id, "name": person.name } });
    office.act("requestReferral", input.clone(), "referral { id }").await.done("requestReferral");
    let nothing = json!({ "status": "SUCCEEDED", "receipt": null });
    assert_eq!(kept(&office, input["key"].as_str().unwrap()).await, nothing);
    assert_eq!(receipt(&office, "voidOperation", &void(&input["key"])).await, Value::Null);
    receipt(&hospital, "settle", &posted(&district).await).await;
    district.set_time("2016-07-02T02:00:00Z");
    hospital.confirm_under("agreed", "2016-06", "5040.00").await.done("confirmStatement");
    assert_eq!(kept(&hospital, "agreed").await, nothing);
}

#[tokio::test]
async fn a_receipt_opens_nothing_and_a_token_proves_nothing() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let receipt = receipt(&hospital, "settle", &posted(&district).await).await;
    let bearer = Partner::new(HOSPITAL, receipt.as_str().unwrap().to_owned(), &district.url);
    let reply = bearer.ask("{ viewer { partner { code } } }", json!({})).await;
    assert_eq!((reply.status, reply.error()), (401, "UNAUTHENTICATED".to_owned()));
    let keys = PublicKeys::read(&published(&district).await.text().await.unwrap()).unwrap();
    let flaw = Receipt::verify(&hospital.token, &keys).unwrap_err();
    assert_eq!(flaw.to_string(), "its type is \"at+jwt\", not onestop-receipt+jws");
}

#[tokio::test]
async fn a_receipt_is_for_who_may_act_or_read_what_was_done() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let input = posted(&district).await;
    let given = receipt(&hospital, "settle", &input).await;
    let query = "query($key: IdempotencyKey!) { operation(key: $key) { status receipt } }";
    for (scope, reads) in [
        (Scope::SettlementWrite, true),
        (Scope::SettlementRead, true),
        (Scope::EventRead, false),
        (Scope::StatementRead, false),
    ] {
        let narrow = district.partner_with(HOSPITAL, &[scope]).await;
        let reply = narrow.ask(query, json!({ "key": input["key"] })).await;
        assert_eq!(reply.at("operation.status"), "SUCCEEDED");
        let expected = if reads { (given.clone(), "") } else { (Value::Null, "FORBIDDEN") };
        assert_eq!((reply.at("operation.receipt").clone(), reply.error().as_str()), expected, "{scope:?}");
    }
}
