//! What a partner waits for, without the wire: `cargo bench`. On an SQLite file in a temporary folder or, with
//! `ONESTOP_TEST_POSTGRES` naming a PostgreSQL server, there. Times are for comparing on one machine; tests hold counts and plans.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, unused_imports)]
#[path = "../tests/it/harness/mod.rs"]
mod harness;

use chrono::{Days, NaiveDate};
use divan::Bencher;
use entity::kinds::Category;
use harness::district::{DPF, HOSPITAL, OFFICE, Resident, SHOP};
use harness::partner::new_key;
use harness::{Bill, District, Within};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

const REDEEM: &str = "mutation($input: RedeemAidCardInput!) { redeemAidCard(input: $input) {
    redemption { id balanceAfter } card { balance } userErrors { code } } }";
const SETTLE: &str = "mutation($input: SettleInput!) { settle(input: $input) {
    settlement { id assistance personalBurden hospital { code } } userErrors { code } } }";
const REQUEST: &str = "mutation($input: RequestReferralInput!) { requestReferral(input: $input) {
    referral { id } userErrors { code } } }";
const REFERRALS: &str = "{ referrals(first: 50) { nodes {
    id number status sender { code } receiver { code } person { name area }
    events(first: 1) { nodes { at status actor { code } } } } pageInfo { hasNextPage } } }";

fn main() {
    divan::main();
}

async fn done(partner: &Within, query: &str, variables: Value) {
    let reply = partner.ask(query, variables).await.fine();
    for payload in reply.body["data"].as_object().unwrap().values() {
        assert!(payload["userErrors"].as_array().is_none_or(Vec::is_empty), "{payload}");
    }
}

/// What a document costs beside its statements: it asks the database for nothing.
#[divan::bench(max_time = 3)]
fn a_document_without_statements(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().unwrap();
    let (_district, shop) = runtime.block_on(async {
        let district = District::new().await;
        let shop = Within::of(&district, SHOP).await;
        (district, shop)
    });
    bencher.bench_local(|| {
        runtime.block_on(done(&shop, "{ viewer { partner { id code name area kind } } }", json!({})))
    });
}

#[divan::bench(max_time = 3)]
fn look_at_an_aid_card(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().unwrap();
    let (_district, shop, card) = runtime.block_on(async {
        let district = District::new().await;
        let shop = Within::of(&district, SHOP).await;
        let card = district.card("200.00").await;
        (district, shop, card)
    });
    let query = "query($n: String!) { aidCard(number: $n) { id status balance holderName expiresOn } }";
    bencher.bench_local(|| runtime.block_on(done(&shop, query, json!({ "n": card }))));
}

#[divan::bench(max_time = 5)]
fn redeem_an_aid_card(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().unwrap();
    let (_district, shop, card) = runtime.block_on(async {
        let district = District::new().await;
        let shop = Within::of(&district, SHOP).await;
        let card = district.card("99999999.00").await;
        (district, shop, card)
    });
    bencher.bench_local(|| {
        let key = new_key();
        let input = json!({ "key": key, "cardNumber": card, "amount": "1.25", "receiptNumber": key });
        runtime.block_on(done(&shop, REDEEM, json!({ "input": input })));
    });
}

const PATIENTS: usize = 40;

/// One day in hospital, another for each number.
fn bill(patients: &[Resident], number: usize) -> Value {
    let patient = &patients[number % patients.len()];
    let days = Days::new(u64::try_from(number / patients.len()).unwrap());
    let day = (NaiveDate::from_ymd_opt(2015, 1, 1).unwrap() + days).to_string();
    Bill::of(&patient.national_id, &patient.name).stay(&day, &day).0
}

#[divan::bench(max_time = 5, sample_size = 1, sample_count = 2000)]
fn settle_a_bill(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().unwrap();
    let (_district, hospital, patients) = runtime.block_on(async {
        let district = District::with_medical_assistance().await;
        let hospital = Within::of(&district, HOSPITAL).await;
        let mut patients = Vec::new();
        for _ in 0..PATIENTS {
            patients.push(district.person("李小明", &[Category::Dibao]).await);
        }
        (district, hospital, patients)
    });
    let mut number = 0;
    bencher.bench_local(|| {
        let input = json!({ "key": new_key(), "bill": bill(&patients, number) });
        number += 1;
        runtime.block_on(done(&hospital, SETTLE, json!({ "input": input })));
    });
}

#[divan::bench(max_time = 3)]
fn read_a_page_of_50_referrals(bencher: Bencher<'_, '_>) {
    let runtime = Runtime::new().unwrap();
    let (_district, federation) = runtime.block_on(async {
        let district = District::new().await;
        let office = Within::of(&district, OFFICE).await;
        let person = district.person("王小红", &[]).await;
        for _ in 0..60 {
            let person = json!({ "nationalId": person.national_id, "name": person.name });
            let input = json!({ "key": new_key(), "receiver": { "code": DPF }, "person": person, "reason": "wheelchair" });
            done(&office, REQUEST, json!({ "input": input })).await;
        }
        let federation = Within::of(&district, DPF).await;
        (district, federation)
    });
    bencher.bench_local(|| runtime.block_on(done(&federation, REFERRALS, json!({}))));
}
