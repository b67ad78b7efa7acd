//! Whether settlements of one programme wait for its budget: as many hospitals and people under one programme as under sixteen, in
//! turns. `ONESTOP_TEST_POSTGRES=postgres://… cargo bench --bench budgets`
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, unused_imports)]
#[path = "../tests/it/harness/mod.rs"]
mod harness;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{Days, NaiveDate};
use entity::id::{AgreementId, PartnerId, PolicyVersionId, ProgrammeId};
use entity::kinds::{Category, FundSource, PartnerKind, Scope};
use entity::{agreement, partner, programme};
use harness::district::{BUREAU, Resident, day, new_id};
use harness::partner::new_key;
use harness::{Bill, District, Policy};
use onestop::access::{Slice, scopes_of};
use onestop::language::Language;
use onestop::schema::{Asked, Gateway};
use serde_json::{Value, json};

const HOSPITALS: usize = 16;
const PATIENTS_EACH: usize = 25;
const TURNS: u32 = 6;
const TURN: Duration = Duration::from_secs(5);
const SETTLE: &str = "mutation($input: SettleInput!) { settle(input: $input) { userErrors { code } } }";

/// A hospital with patients of its own.
struct Ward {
    slice: Slice,
    patients: Vec<Resident>,
    settled: usize,
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let district = District::new().await;
    let programmes = programmes(&district).await;
    let mut one = wards(&district, &[programmes[0]]).await;
    let mut sixteen = wards(&district, &programmes).await;
    let gateway = Arc::new(Gateway::default());
    let (mut under_one, mut under_sixteen) = (0, 0);
    for _ in 0..TURNS {
        under_one += turn(&gateway, &mut one).await;
        under_sixteen += turn(&gateway, &mut sixteen).await;
    }
    let per_second = |settled: usize| settled as u64 / (u64::from(TURNS) * TURN.as_secs());
    println!("one programme:      {} settlements a second", per_second(under_one));
    println!("sixteen programmes: {} settlements a second", per_second(under_sixteen));
    println!(
        "share:              {}.{:02}",
        under_one / under_sixteen,
        under_one * 100 / under_sixteen % 100
    );
}

/// Sixteen programmes for the same people, each in a cap group of its own, with plenty for the year.
async fn programmes(district: &District) -> Vec<ProgrammeId> {
    let bureau = district.partner(BUREAU).await;
    let mut ids = Vec::new();
    for number in 0..HOSPITALS {
        let id = new_id::<ProgrammeId>();
        let code = format!("BENCH_{number}");
        let row = programme::Model {
            id,
            code: code.clone(),
            name: code.to_lowercase(),
            name_zh: "测试项目".into(),
            fund: FundSource::Fiscal,
        };
        district.lay::<programme::Entity>(vec![row]).await;
        let policy = Policy::medical(district).change(|version| {
            version.id = new_id::<PolicyVersionId>();
            version.programme_id = id;
            version.cap_group = code.clone();
        });
        district.policy(policy).await;
        ids.push(id);
    }
    for number in 0..HOSPITALS {
        let input = json!({ "key": new_key(), "programmeCode": format!("BENCH_{number}"), "year": 2016, "amount": "1000000000.00" });
        bureau.act("appropriate", input, "budget { available }").await.done("appropriate");
    }
    ids
}

/// Each hospital has an agreement for one of the programmes.
async fn wards(district: &District, programmes: &[ProgrammeId]) -> Vec<Ward> {
    let mut wards = Vec::new();
    for number in 0..HOSPITALS {
        let (id, code) = (new_id::<PartnerId>(), new_key());
        district
            .lay::<partner::Entity>(vec![partner::Model {
                id,
                code: code.clone(),
                kind: PartnerKind::Hospital,
                name: code.clone(),
                area: "410102".into(),
                created_at: district.now(),
                suspended_at: None,
            }])
            .await;
        district
            .lay::<agreement::Entity>(vec![agreement::Model {
                id: new_id::<AgreementId>(),
                partner_id: id,
                programme_id: programmes[number % programmes.len()],
                valid_from: day("2015-01-01"),
                valid_to: None,
            }])
            .await;
        let mut patients = Vec::new();
        for _ in 0..PATIENTS_EACH {
            patients.push(district.person("李小明", &[Category::Dibao]).await);
        }
        let scopes: Vec<Scope> = scopes_of(PartnerKind::Hospital);
        let token = district.gate.issue(&code, &scopes, Duration::from_secs(24 * 3600)).await.unwrap();
        let slice = district.gate.enter(&token).await.unwrap();
        wards.push(Ward { slice, patients, settled: 0 });
    }
    wards
}

/// All hospitals at once for a while; how many settlements they posted.
async fn turn(gateway: &Arc<Gateway>, wards: &mut Vec<Ward>) -> usize {
    let until = Instant::now() + TURN;
    let working: Vec<_> = std::mem::take(wards)
        .into_iter()
        .map(|ward| tokio::spawn(work(Arc::clone(gateway), ward, until)))
        .collect();
    let mut posted = 0;
    for worked in working {
        let (ward, settled) = worked.await.unwrap();
        posted += settled;
        wards.push(ward);
    }
    posted
}

async fn work(gateway: Arc<Gateway>, mut ward: Ward, until: Instant) -> (Ward, usize) {
    let before = ward.settled;
    while Instant::now() < until {
        let patient = &ward.patients[ward.settled % PATIENTS_EACH];
        let days = Days::new(u64::try_from(ward.settled / PATIENTS_EACH).unwrap());
        let day = (NaiveDate::from_ymd_opt(2015, 1, 1).unwrap() + days).to_string();
        let bill = Bill::of(&patient.national_id, &patient.name).stay(&day, &day);
        let Value::Object(variables) = json!({ "input": { "key": new_key(), "bill": bill.0 } }) else {
            unreachable!()
        };
        let asked = Asked { query: SETTLE.to_owned(), operation_name: None, variables, read_only: false };
        let executing = Box::pin(gateway.execute(ward.slice.clone(), Language::English, asked));
        let response = executing.await.unwrap().response.expect("not by GET");
        let answer = serde_json::to_value(response).unwrap();
        assert_eq!(answer["data"]["settle"]["userErrors"], json!([]), "{answer}");
        ward.settled += 1;
    }
    let settled = ward.settled - before;
    (ward, settled)
}
