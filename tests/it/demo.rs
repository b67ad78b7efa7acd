//! The demo district: exact figures, and requests that work as they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use entity::kinds::{PartnerKind, ReferralStatus, SettlementStatus};
use onestop::access::{Database, Gate, Keys, is_of_people, scopes_of};
use onestop::clock::Clock;
use onestop::http::{App, serve, url_of};
use onestop::schema::cut::ROOT_FIELDS;
use serde_json::Value;
use tokio::sync::watch;

use crate::harness::Partner;
use crate::harness::database::{Fresh, number};

async fn loaded(fresh: &Fresh) -> Gate {
    let database = Database::open(&fresh.url).await.unwrap();
    let gate = Gate::new(database, Arc::new(Keys::ephemeral().unwrap()), Clock::system());
    onestop::demo::load(&gate, &|_, _, _| {}).await.unwrap();
    gate
}

#[tokio::test]
async fn the_figures_of_2016_come_out_to_the_fen() {
    let fresh = Fresh::new().await;
    let gate = loaded(&fresh).await;
    assert!(onestop::demo::is_loaded(&gate).await.unwrap());
    let look = fresh.look().await;
    let of_hospitals = |what: &str, codes: &str| {
        format!(
            "SELECT CAST({what} AS bigint) FROM settlement s JOIN partner p ON p.id = s.hospital_id \
             WHERE s.status = '{}' AND p.code IN ({codes})",
            SettlementStatus::Settled.word()
        )
    };
    assert_eq!(number(&look, &of_hospitals("COUNT(*)", "'H41999900153'")).await, 95);
    assert_eq!(number(&look, &of_hospitals("COUNT(DISTINCT person_id)", "'H41999900153'")).await, 95);
    assert_eq!(number(&look, &of_hospitals("SUM(assistance)", "'H41999900153'")).await, 10_370_000);
    let others = "'H41999900001', 'H41999900002'";
    assert_eq!(number(&look, &of_hospitals("COUNT(*)", others)).await, 10);
    assert_eq!(number(&look, &of_hospitals("SUM(assistance)", others)).await, 1_121_000);
    let cards = |what: &str| {
        format!(
            "SELECT CAST({what} AS bigint) FROM aid_card WHERE issued_on BETWEEN '2016-01-01' AND '2016-12-31'"
        )
    };
    assert_eq!(number(&look, &cards("COUNT(*)")).await, 4_214);
    assert_eq!(number(&look, &cards("SUM(face_value)")).await, 84_280_000);
    assert_eq!(number(&look, &cards("COUNT(DISTINCT number_hash)")).await, 4_214);
    let spent = "SELECT CAST(SUM(amount - refunded) AS bigint) FROM redemption";
    let left = "SELECT CAST(SUM(face_value - balance) AS bigint) FROM aid_card";
    assert_eq!(
        number(&look, spent).await,
        number(&look, left).await,
        "what the cards lost is what the shops took"
    );
    for status in ReferralStatus::ALL {
        let found = format!("SELECT COUNT(*) FROM referral WHERE status = '{}'", status.word());
        assert!(number(&look, &found).await > 0, "no referral is {}", status.word());
    }
    let shops = "SELECT COUNT(DISTINCT supermarket_id) FROM redemption";
    assert_eq!(number(&look, shops).await, 14);
    let used = "SELECT CAST(SUM(used) AS bigint) FROM entitlement_use";
    assert_eq!(number(&look, used).await, 11_491_000);
}

#[tokio::test]
async fn every_request_works_in_any_order_and_at_every_start() {
    let fresh = Fresh::new().await;
    let gate = loaded(&fresh).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of(listener.local_addr().unwrap());
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(serve(listener, App::new(gate.clone()), stopped));
    for start in 0..2 {
        let mut requests = onestop::demo::fresh_requests(&gate).await.unwrap();
        let names: BTreeSet<&str> = requests.iter().map(|request| request.name).collect();
        // What only people of the bureau's staff may ask is left out: the demo's tokens are of systems.
        let served: BTreeSet<&str> = ROOT_FIELDS
            .iter()
            .filter(|(_, scopes)| scopes.is_empty() || scopes.iter().any(|scope| !is_of_people(*scope)))
            .map(|(name, _)| *name)
            .collect();
        assert_eq!(names, served, "one request for each operation of a system");
        if start == 1 {
            requests.reverse();
        }
        for request in requests {
            let partner = gate.partner(&request.partner).await.unwrap().unwrap();
            let life = std::time::Duration::from_secs(60);
            let token = gate.issue(&partner.code, &scopes_of(partner.kind), life).await.unwrap();
            let reply =
                Partner::new(&partner.code, token, &url).ask(&request.query, request.variables).await.fine();
            let result = reply.at(request.name);
            assert!(!result.is_null(), "{}: {}", request.name, reply.body);
            let refusals = result.get("userErrors").and_then(Value::as_array);
            assert!(refusals.is_none_or(Vec::is_empty), "{}: {}", request.name, reply.body);
        }
    }
}

/// What the README walks, as it stands there.
#[tokio::test]
async fn the_request_of_the_readme_settles() {
    let readme = include_str!("../../README.md");
    let block = |begin: &str| {
        let (_, rest) = readme.split_once(begin).unwrap();
        rest.split_once("```").unwrap().0.to_owned()
    };
    let query = block("```graphql\n");
    let variables: Value = serde_json::from_str(&block("```json\n")).unwrap();
    let fresh = Fresh::new().await;
    let gate = loaded(&fresh).await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = url_of(listener.local_addr().unwrap());
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(serve(listener, App::new(gate.clone()), stopped));
    let life = std::time::Duration::from_secs(60);
    let token = gate.issue("H41999900153", &scopes_of(PartnerKind::Hospital), life).await.unwrap();
    let hospital = Partner::new("H41999900153", token, &url);
    for replayed in [false, true] {
        let reply = hospital.ask(&query, variables.clone()).await.done("settle");
        assert_eq!(reply.text("settle.settlement.assistance"), variables["input"]["expectedAssistance"]);
        assert_eq!(reply.at("settle.replayed"), replayed);
    }
}

#[tokio::test]
async fn the_same_seed_gives_the_same_district() {
    let sums = "SELECT CAST(SUM(amount) AS bigint) + CAST(SUM(refunded) AS bigint) * 1000 + COUNT(*) FROM redemption";
    let stays = "SELECT CAST(SUM(total_cost) AS bigint) FROM settlement";
    let mut districts = Vec::new();
    for _ in 0..2 {
        let fresh = Fresh::new().await;
        loaded(&fresh).await;
        let look = fresh.look().await;
        districts.push((number(&look, sums).await, number(&look, stays).await));
    }
    assert_eq!(districts[0], districts[1]);
}
