//! Months that come to less than nothing: what they lack is carried into the next open one, and no fen is lost.

use chrono::TimeDelta;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::district::{CF, OTHER_SHOP, SHOP};
use crate::harness::till::sale;
use crate::harness::{District, Partner, Reply};

fn line(kind: &str, amount: &str) -> (String, String) {
    (kind.into(), amount.into())
}

fn totals(count: i64, gross: &str, reversed: &str, net: &str) -> (i64, String, String, String) {
    (count, gross.into(), reversed.into(), net.into())
}

/// A shop whose June was paid, and which in July took all of it back: July is at -367.00.
struct Below {
    district: District,
    card: String,
}

impl Below {
    async fn new() -> Self {
        let district = District::new().await;
        let card = district.card("2000.00").await;
        let below = Self { district, card };
        let shop = below.on("2016-06-15T02:00:00Z").await;
        let sold = shop.sell(&below.card, "367.00", "R1").await;
        let shop = below.on("2016-07-02T02:00:00Z").await;
        below.pay(&shop.confirm("2016-06", "367.00").await).await;
        shop.refund(&sold, None).await.done("refundRedemption");
        assert_eq!(shop.totals("2016-07").await, totals(1, "0.00", "367.00", "-367.00"));
        below
    }

    /// The shop, at another time.
    async fn on(&self, time: &str) -> Partner {
        self.district.set_time(time);
        self.district.partner(SHOP).await
    }

    /// The fund's owner pays what was confirmed.
    async fn pay(&self, confirmed: &Reply) {
        let id = confirmed.text("confirmStatement.statement.id");
        self.district.partner(CF).await.pay(&id, &format!("BANK-{id}")).await.done("payStatement");
    }

    async fn sum(&self, of: &str) -> i64 {
        let sql = format!(
            "SELECT CAST(COALESCE(SUM(amount), 0) AS bigint) FROM entry WHERE account = 'PAYABLE' AND {of}"
        );
        self.district.database.number(&sql).await
    }

    async fn carries(&self) -> i64 {
        self.district.database.number("SELECT count(*) FROM entry WHERE kind = 'CARRY_FORWARD'").await
    }

    async fn fails_no_audit(&self) {
        let mut findings = Vec::new();
        self.district.gate.audit(&[], &mut |finding| findings.push(finding)).await.unwrap();
        findings.retain(|finding| !finding.warning);
        assert_eq!(findings, []);
    }
}

#[tokio::test]
async fn what_a_month_lacks_is_taken_off_the_next_and_every_fen_is_accounted_for() {
    let below = Below::new().await;
    let district = &below.district;
    let shop = below.on("2016-08-02T02:00:00Z").await;
    shop.sell(&below.card, "500.00", "R2").await;
    let shop = below.on("2016-09-02T02:00:00Z").await;
    assert_eq!(shop.confirm("2016-07", "367.00").await.refusals("confirmStatement"), ["AMOUNT_DIFFERS"]);
    let done = shop.confirm_under("carry", "2016-07", "0.00").await.done("confirmStatement");
    let july = done.text("confirmStatement.statement.id");
    assert_eq!(done.text("confirmStatement.statement.status"), "CONFIRMED");
    assert_eq!(done.text("confirmStatement.statement.net"), "0.00");
    assert_eq!(shop.totals("2016-07").await, totals(2, "0.00", "0.00", "0.00"));
    assert_eq!(shop.lines("2016-07").await, [line("REFUND", "-367.00"), line("CARRIED", "367.00")]);
    assert_eq!(shop.totals("2016-08").await, totals(2, "500.00", "367.00", "133.00"));
    assert_eq!(shop.lines("2016-08").await, [line("REDEMPTION", "500.00"), line("CARRIED", "-367.00")]);
    let august = shop.statement("2016-08").await.fine().text("statement.id");
    for (month, other, other_month) in [("2016-07", &august, "2016-08"), ("2016-08", &july, "2016-07")] {
        let carried = shop.statement(month).await.fine().at("statement.lines.nodes.1").clone();
        assert_eq!(carried["source"], json!({ "__typename": "Statement", "id": other }), "{month}");
        assert_eq!((&carried["key"], &carried["reference"]), (&json!("carry"), &json!(other_month)));
    }
    let kept = "{ operation(key: \"carry\") { status receipt } }";
    let kept = shop.ask(kept, json!({})).await.fine().at("operation").clone();
    assert_eq!(kept, json!({ "status": "SUCCEEDED", "receipt": null }), "nothing moved");
    let again = shop.confirm_under("carry", "2016-07", "0.00").await.done("confirmStatement");
    assert_eq!(again.at("confirmStatement.replayed"), &Value::Bool(true));
    assert_eq!(shop.confirm("2016-07", "0.00").await.refusals("confirmStatement"), ["ALREADY_CONFIRMED"]);
    assert_eq!(below.carries().await, 2);
    // Payments come to what was sold less what came back.
    below.pay(&shop.confirm("2016-08", "133.00").await.done("confirmStatement")).await;
    assert_eq!(below.sum("kind = 'PAYMENT'").await, 50_000);
    assert_eq!(below.sum("kind IN ('REDEMPTION', 'REFUND')").await, -50_000);
    assert_eq!(below.sum("1 = 1").await, 0, "nobody owes anything");
    below.fails_no_audit().await;
    assert_eq!(district.database.number("SELECT count(*) FROM statement").await, 3);
}

#[tokio::test]
async fn no_later_month_is_confirmed_while_an_earlier_one_is_below_zero() {
    let below = Below::new().await;
    let shop = below.on("2016-08-02T02:00:00Z").await;
    shop.sell(&below.card, "500.00", "R2").await;
    let other = below.district.partner(OTHER_SHOP).await;
    other.sell(&below.card, "10.00", "R1").await;
    let shop = below.on("2016-09-02T02:00:00Z").await;
    for net in ["500.00", "133.00", "0.00"] {
        let refused = shop.confirm("2016-08", net).await;
        assert_eq!(refused.refusals_at("confirmStatement"), [("INVALID".to_owned(), "month".to_owned())]);
        let message = refused.text("confirmStatement.userErrors.0.message");
        assert!(message.contains("2016-07") && message.contains("0.00"), "{message}");
    }
    assert_eq!(shop.totals("2016-08").await, totals(1, "500.00", "0.00", "500.00"));
    let other = below.district.partner(OTHER_SHOP).await;
    other.confirm("2016-08", "10.00").await.done("confirmStatement");
    // An earlier month that is open and not below zero is in nobody's way.
    let sold = shop.sell(&below.card, "1.00", "R3").await;
    shop.confirm("2016-07", "0.00").await.done("confirmStatement");
    shop.confirm("2016-08", "133.00").await.done("confirmStatement");
    let shop = below.on("2016-11-02T02:00:00Z").await;
    shop.sell(&below.card, "2.00", "R4").await;
    let shop = below.on("2016-12-02T02:00:00Z").await;
    shop.confirm("2016-11", "2.00").await.done("confirmStatement");
    shop.refund(&sold, None).await.done("refundRedemption");
    shop.confirm("2016-09", "0.00").await.done("confirmStatement");
    assert_eq!(below.carries().await, 2, "a month of exactly nothing carries nothing");
}

#[tokio::test]
async fn a_month_that_is_not_there_yet_is_made_and_one_may_carry_again() {
    let below = Below::new().await;
    let shop = below.on("2016-08-02T02:00:00Z").await;
    assert_eq!(shop.statement("2016-08").await.fine().at("statement"), &Value::Null);
    shop.confirm("2016-07", "0.00").await.done("confirmStatement");
    assert_eq!(shop.lines("2016-08").await, [line("CARRIED", "-367.00")]);
    assert_eq!(shop.confirm("2016-08", "0.00").await.refusals("confirmStatement"), ["MONTH_NOT_OVER"]);
    let shop = below.on("2016-09-02T02:00:00Z").await;
    below.pay(&shop.confirm("2016-08", "0.00").await.done("confirmStatement")).await;
    assert_eq!(shop.totals("2016-08").await, totals(2, "0.00", "0.00", "0.00"));
    assert_eq!(shop.lines("2016-08").await, [line("CARRIED", "-367.00"), line("CARRIED", "367.00")]);
    below.district.wait(TimeDelta::milliseconds(1));
    shop.sell(&below.card, "400.00", "R2").await;
    assert_eq!(shop.totals("2016-09").await, totals(2, "400.00", "367.00", "33.00"));
    let shop = below.on("2016-10-02T02:00:00Z").await;
    below.pay(&shop.confirm("2016-09", "33.00").await.done("confirmStatement")).await;
    assert_eq!(below.sum("1 = 1").await, 0);
    assert_eq!(below.sum("kind = 'PAYMENT'").await, 40_000);
    below.fails_no_audit().await;
}

#[tokio::test]
async fn what_is_carried_passes_over_months_that_are_confirmed() {
    let below = Below::new().await;
    let shop = below.on("2016-07-05T02:00:00Z").await;
    let sold = shop.sell(&below.card, "400.00", "R2").await;
    let shop = below.on("2016-08-05T02:00:00Z").await;
    shop.sell(&below.card, "5.00", "R3").await;
    let shop = below.on("2016-09-05T02:00:00Z").await;
    shop.confirm("2016-08", "5.00").await.done("confirmStatement");
    shop.refund(&sold, None).await.done("refundRedemption");
    assert_eq!(shop.totals("2016-07").await.3, "-367.00");
    shop.confirm("2016-07", "0.00").await.done("confirmStatement");
    assert_eq!(shop.totals("2016-08").await, totals(1, "5.00", "0.00", "5.00"), "as agreed");
    assert_eq!(shop.lines("2016-09").await, [line("CARRIED", "-367.00")]);
    below.fails_no_audit().await;
}

#[tokio::test]
async fn what_is_carried_is_of_no_act_when_days_are_compared() {
    let below = Below::new().await;
    let shop = below.on("2016-08-02T02:00:00Z").await;
    let mut sold = sale(&below.card, "500.00", "R2");
    sold["key"] = "till".into();
    shop.redeem(sold).await.done("redeemAidCard");
    below.district.wait(TimeDelta::milliseconds(1));
    shop.confirm_under("carry", "2016-07", "0.00").await.done("confirmStatement");
    let days = ("2016-08-01", "2016-08-31");
    let compared = shop.reconcile(days.0, days.1, &[("till", "500.00")]).await.done("reconcile");
    assert_eq!(compared.at("reconcile.agreed"), &Value::Bool(true), "{}", compared.body);
    // The statement as it is downloaded, and uploaded again.
    let file = shop.download(&shop.csv_path("2016-08").await).await;
    let lines = file.lines();
    assert_eq!((lines[2][1].as_str(), lines[2][2].as_str()), ("carry", "2016-07"));
    assert_eq!((lines[2][3].as_str(), lines[2][4].as_str()), ("CARRIED", "-367.00"));
    assert!(lines[2][5].starts_with("statement_"));
    let compared = shop.upload("from=2016-08-01&to=2016-08-31", file.text).await.lines();
    assert_eq!(compared[1][1], "AGREED", "{compared:?}");
}

/// Refunds and the confirmation at the same moment: what comes after it stands in the next month, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carry_takes_all_that_came_before_it_and_nothing_after() {
    let below = Below::new().await;
    let shop = below.on("2016-07-03T02:00:00Z").await;
    let mut sales = Vec::new();
    for number in 0..8 {
        below.district.wait(TimeDelta::milliseconds(1));
        sales.push(shop.sell(&below.card, "10.00", &format!("S{number}")).await);
    }
    let shop = below.on("2016-08-02T02:00:00Z").await;
    let refunds = join_all(sales.iter().map(|sold| shop.refund(sold, None)));
    let confirmed = shop.confirm("2016-07", "0.00");
    let (refunds, confirmed) = tokio::join!(refunds, confirmed);
    confirmed.done("confirmStatement");
    for refund in refunds {
        refund.done("refundRedemption");
    }
    let (count, _, _, net) = shop.totals("2016-07").await;
    assert_eq!(net, "0.00");
    let july = shop.lines("2016-07").await;
    assert_eq!(i64::try_from(july.len()).unwrap(), count, "the frozen totals are those of the lines");
    assert_eq!(shop.totals("2016-08").await.3, "-367.00", "whatever came first");
    assert_eq!(july.len() + shop.lines("2016-08").await.len(), 1 + 8 + 8 + 2);
    assert_eq!(below.carries().await, 2);
    below.fails_no_audit().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirmations_of_all_months_at_once_carry_one_after_another() {
    let below = Below::new().await;
    let shop = below.on("2016-08-02T02:00:00Z").await;
    shop.sell(&below.card, "100.00", "R2").await;
    let shop = below.on("2016-10-02T02:00:00Z").await;
    let months = ["2016-07", "2016-08", "2016-09"];
    for _ in 0..months.len() {
        let at_once = (0..2).flat_map(|_| months.map(|month| shop.confirm(month, "0.00")));
        for reply in join_all(at_once).await {
            reply.fine();
        }
    }
    for month in months {
        assert_eq!(shop.totals(month).await.3, "0.00", "{month}");
    }
    assert_eq!(shop.lines("2016-10").await, [line("CARRIED", "-267.00")]);
    assert_eq!(below.carries().await, 6);
    below.fails_no_audit().await;
}
