//! The clock is set back by two hours and forward by ten minutes: nothing ends early, and orders stay what they were.

use chrono::TimeDelta;
use entity::kinds::Category;
use serde_json::{Value, json};

use crate::harness::district::{DPF, HOSPITAL, OFFICE, Resident, SHOP};
use crate::harness::hospital::bill;
use crate::harness::referring::request;
use crate::harness::till::sale;
use crate::harness::{District, Partner};
use crate::size;

const BACK: TimeDelta = TimeDelta::hours(-2);
const FORWARD: TimeDelta = TimeDelta::minutes(10);

/// Everything that might end, or lose its order.
struct Day {
    district: District,
    patient: Resident,
    hospital: Partner,
    shop: Partner,
    office: Partner,
    federation: Partner,
    /// It expires today.
    card: String,
    referral: String,
    settled: String,
    sold: String,
}

impl Day {
    async fn begin() -> Self {
        let district = District::with_medical_assistance().await;
        let patient = district.person("李小明", &[Category::Dibao]).await;
        let (hospital, shop) = (district.partner(HOSPITAL).await, district.partner(SHOP).await);
        let (office, federation) = (district.partner(OFFICE).await, district.partner(DPF).await);
        let today = onestop::rules::calendar::china_date(district.now());
        let card = district.card_that("200.00", |card| card.expires_on = today).await;
        let mut asked = request(DPF, &patient);
        asked["dueInWorkingDays"] = 1.into();
        let referral = office.refer(asked).await;
        let settled = hospital.settle_under("bill", &bill(&patient)).await.done("settle");
        let mut day = Self {
            settled: settled.text("settle.settlement.id"),
            sold: String::new(),
            district,
            patient,
            hospital,
            shop,
            office,
            federation,
            card,
            referral,
        };
        day.sold = day.shop.sell(&day.card, "20.00", "R1").await;
        day
    }

    /// What must go on as if nothing had happened.
    async fn goes_on(&self, number: u32) {
        for partner in [&self.hospital, &self.shop, &self.office, &self.federation] {
            assert_eq!(partner.ask("{ viewer { scopes } }", json!({})).await.status, 200, "a token ended");
        }
        let again = self.hospital.operation("bill").await.fine();
        assert_eq!(again.at("operation.status"), "SUCCEEDED", "a key was forgotten");
        let replayed = self.hospital.settle_under("bill", &bill(&self.patient)).await;
        assert_eq!(replayed.refusals("settle"), ["KEY_REUSED"], "a key was forgotten");
        let bought = self.shop.redeem(sale(&self.card, "1.00", &format!("again-{number}"))).await;
        bought.done("redeemAidCard");
        let referral = self.federation.referral(&self.referral, "status").await;
        assert_eq!(referral["status"], "REQUESTED", "a referral ended");
    }

    async fn kinds(&self, partner: &Partner) -> Vec<String> {
        self.district.gate.number_events().await.unwrap();
        let query = "{ events(first: 100) { nodes { kind } } }";
        let feed = partner.ask(query, json!({})).await.fine();
        let kinds = feed.at("events.nodes").as_array().unwrap().clone();
        kinds.iter().map(|node| node["kind"].as_str().unwrap().to_owned()).collect()
    }
}

#[tokio::test]
async fn a_clock_that_jumps_ends_nothing_early() {
    let _alone = size::alone().await;
    let day = Day::begin().await;
    for (number, jump) in [BACK, FORWARD, FORWARD, -BACK, FORWARD].into_iter().enumerate() {
        day.district.wait(jump);
        day.goes_on(u32::try_from(number).unwrap()).await;
    }
}

#[tokio::test]
async fn what_follows_stays_behind_what_it_follows() {
    let _alone = size::alone().await;
    let day = Day::begin().await;
    // Not yet numbered: both come into the feed at once, with times that say the contrary.
    day.district.wait(BACK);
    day.hospital.reverse(&day.settled).await.done("reverseSettlement");
    day.shop.refund(&day.sold, Some("5.00")).await.done("refundRedemption");
    day.district.wait(FORWARD);
    day.shop.refund(&day.sold, Some("4.00")).await.done("refundRedemption");
    let accept = json!({ "key": "accept", "referralId": day.referral });
    day.federation.act("acceptReferral", accept, "referral { id }").await.done("acceptReferral");
    assert_eq!(day.kinds(&day.hospital).await, ["settlement.settled", "settlement.reversed"]);
    let of_shop = ["redemption.redeemed", "redemption.refunded", "redemption.refunded"];
    assert_eq!(day.kinds(&day.shop).await, of_shop);
    assert_eq!(day.kinds(&day.office).await, ["referral.requested", "referral.accepted"]);
    let lines = day.hospital.lines("2016-06").await;
    assert_eq!(lines.iter().map(|(kind, _)| kind.as_str()).collect::<Vec<_>>(), ["SETTLEMENT", "REVERSAL"]);
    let lines = day.shop.lines("2016-06").await;
    assert_eq!(
        lines.iter().map(|(_, amount)| amount.as_str()).collect::<Vec<_>>(),
        ["20.00", "-5.00", "-4.00"]
    );
    let reversed = day.hospital.settlement(json!({ "id": day.settled })).await.fine();
    let at = |field: &str| reversed.text(&format!("settlement.{field}"));
    assert!(at("settledAt") < at("reversedAt"), "{}", reversed.body);
    let events = day.office.referral(&day.referral, "events { nodes { status } }").await;
    let newest: Vec<&Value> =
        events["events"]["nodes"].as_array().unwrap().iter().map(|event| &event["status"]).collect();
    assert_eq!(newest, ["ACCEPTED", "REQUESTED"]);
}
