//! What the acts of hospitals and shops leave in the ledger.

use chrono::TimeDelta;
use entity::kinds::{Account, Category, FundSource, PostingKind};
use entity::{Fen, entry};
use sea_orm::{ConnectionTrait, EntityTrait, QueryOrder};

use crate::harness::district::{HOSPITAL, SHOP, day, fen};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::till::sale;
use crate::harness::{District, Policy, Town};

/// The entries of partners' acts, oldest first.
async fn entries(district: &District) -> Vec<entry::Model> {
    let look = district.database.look().await;
    let all = entry::Entity::find()
        .order_by_asc(entry::Column::PostedAt)
        .order_by_asc(entry::Column::PostingId)
        .order_by_asc(entry::Column::Number)
        .all(&look)
        .await
        .unwrap();
    let founding = [PostingKind::Appropriation, PostingKind::CardIssue];
    all.into_iter().filter(|entry| !founding.contains(&entry.kind)).collect()
}

/// What each account has after some kinds of postings.
fn booked(entries: &[entry::Model], kind: PostingKind) -> Vec<(Account, Fen)> {
    entries.iter().filter(|entry| entry.kind == kind).map(|entry| (entry.account, entry.amount)).collect()
}

fn less(yuan: &str) -> Fen {
    fen(yuan).negated().unwrap()
}

#[tokio::test]
async fn a_settlement_is_spent_owed_and_used() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let posted = bill(&patient);
    hospital.settle_under("once", &posted).await.done("settle");
    hospital.settle_under("once", &posted).await.done("settle");
    let entries = entries(&district).await;
    assert_eq!(
        booked(&entries, PostingKind::Settlement),
        [
            (Account::Payable, less("5040.00")),
            (Account::Spending, fen("5040.00")),
            (Account::Entitlement, fen("5040.00")),
            (Account::EntitlementTotal, less("5040.00")),
        ]
    );
    assert!(entries.iter().all(|entry| entry.book == FundSource::Fiscal && entry.operation_key == "once"));
    assert_eq!(entries[0].reference.as_deref(), posted.0["invoiceNumber"].as_str());
    assert_eq!((entries[1].programme_id, entries[1].year), (Some(district.medical), Some(2016)));
    assert_eq!((entries[2].person_id, entries[2].year), (Some(patient.id), Some(2016)));
}

#[tokio::test]
async fn a_reversal_is_a_new_posting_that_names_the_old_one() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let settled = hospital.settle_under("original", &bill(&patient)).await.done("settle");
    district.wait(TimeDelta::milliseconds(1));
    hospital.reverse(&settled.text("settle.settlement.id")).await.done("reverseSettlement");
    let entries = entries(&district).await;
    let (original, correction) = entries.split_at(4);
    for (old, new) in original.iter().zip(correction) {
        assert_eq!(new.amount, old.amount.negated().unwrap());
        assert_eq!((new.account, new.statement_id), (old.account, old.statement_id));
        assert_eq!((new.kind, new.corrects), (PostingKind::Reversal, Some(old.posting_id)));
        assert_eq!((new.operation_key.as_str(), new.acted_at), ("original", old.acted_at));
    }
    assert_eq!(correction.len(), 4);
}

#[tokio::test]
async fn two_programmes_spend_each_their_part_and_the_hospital_is_owed_the_sum() {
    let district = District::new().await;
    district.policy(Policy::veterans(&district).rate(3500)).await;
    district.policy(Policy::medical(&district)).await;
    district.stacking(entity::kinds::Stacking::Sequential).await;
    let both = [Category::Dibao, Category::EntitledVeteran];
    let patient = district.person("李小明", &both).await;
    district.partner(HOSPITAL).await.settle(&bill(&patient)).await.done("settle");
    let entries = entries(&district).await;
    let spent = |programme| {
        let of = |entry: &&entry::Model| {
            entry.account == Account::Spending && entry.programme_id == Some(programme)
        };
        entries.iter().find(of).map(|entry| entry.amount)
    };
    assert_eq!(spent(district.veterans), Some(fen("2520.00")));
    assert_eq!(spent(district.medical), Some(fen("3276.00")));
    assert_eq!(booked(&entries, PostingKind::Settlement)[0], (Account::Payable, less("5796.00")));
}

#[tokio::test]
async fn a_sale_is_taken_from_the_card_and_a_refund_goes_back_to_it() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let sold = shop.sell(&card, "80.00", "R1").await;
    district.wait(TimeDelta::milliseconds(1));
    shop.refund(&sold, Some("30.00")).await.done("refundRedemption");
    let entries = entries(&district).await;
    let sale = [(Account::Payable, less("80.00")), (Account::Card, fen("80.00"))];
    assert_eq!(booked(&entries, PostingKind::Redemption), sale);
    let refund = [(Account::Payable, fen("30.00")), (Account::Card, less("30.00"))];
    assert_eq!(booked(&entries, PostingKind::Refund), refund);
    assert!(entries.iter().all(|entry| entry.book == FundSource::Charity));
    assert_eq!(entries[2].operation_key, entries[0].operation_key, "a refund carries the sale's key");
}

#[tokio::test]
async fn what_no_card_can_take_back_is_recovered_by_the_programme() {
    let district = District::new().await;
    let card = district.card_that("200.00", |card| card.expires_on = day("2016-06-15")).await;
    let shop = district.partner(SHOP).await;
    let sold = shop.sell(&card, "80.00", "R1").await;
    district.wait(TimeDelta::days(1));
    shop.refund(&sold, None).await.done("refundRedemption");
    let entries = entries(&district).await;
    let refund = [(Account::Payable, fen("80.00")), (Account::Recovery, less("80.00"))];
    assert_eq!(booked(&entries, PostingKind::Refund), refund);
    assert_eq!(entries[3].programme_id, Some(district.cards));
}

#[tokio::test]
async fn a_voided_refund_is_owed_again() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let sold = shop.sell(&card, "80.00", "R1").await;
    district.wait(TimeDelta::milliseconds(1));
    shop.refund_under("refund", &sold, Some("30.00")).await.done("refundRedemption");
    district.wait(TimeDelta::milliseconds(1));
    shop.void("refund").await.done("voidOperation");
    let entries = entries(&district).await;
    let both = [
        (Account::Payable, fen("30.00")),
        (Account::Card, less("30.00")),
        (Account::Payable, less("30.00")),
        (Account::Card, fen("30.00")),
    ];
    assert_eq!(booked(&entries, PostingKind::Refund), both);
    assert_eq!(entries[4].corrects, Some(entries[2].posting_id));
}

#[tokio::test]
async fn a_refused_act_posts_nothing() {
    let district = District::with_medical_assistance().await;
    let card = district.card("10.00").await;
    let stranger = district.person("钱二", &[]).await;
    let refused = district.partner(HOSPITAL).await.settle(&bill(&stranger)).await;
    assert_eq!(refused.refusals("settle"), ["NOT_COVERED"]);
    let refused = district.partner(SHOP).await.redeem(sale(&card, "10.01", &new_key())).await;
    assert_eq!(refused.refusals("redeemAidCard"), ["INSUFFICIENT_BALANCE"]);
    assert_eq!(entries(&district).await, []);
    assert_eq!(district.database.rows("statement").await, 0);
}

#[tokio::test]
async fn every_posting_of_a_busy_town_balances_in_one_book() {
    let town = Town::new().await;
    let database = &town.district.database;
    let unbalanced = "SELECT COUNT(*) FROM (SELECT posting_id FROM entry GROUP BY posting_id \
                      HAVING SUM(amount) <> 0 OR COUNT(DISTINCT book) > 1) AS wrong";
    assert_eq!(database.number(unbalanced).await, 0);
    assert!(database.rows("entry").await > 40);
}

#[tokio::test]
async fn entries_are_never_changed_and_never_deleted() {
    let town = Town::new().await;
    let database = &town.district.database;
    let before = database.rows("entry").await;
    let look = database.look().await;
    let mut tries = vec!["UPDATE entry SET amount = amount + 1", "DELETE FROM entry"];
    if crate::harness::database::postgres().is_some() {
        tries.push("TRUNCATE entry");
    }
    for sql in tries {
        let refused = look.execute_unprepared(sql).await.unwrap_err().to_string();
        assert!(refused.contains("kept for ever"), "{sql}: {refused}");
    }
    assert_eq!(database.rows("entry").await, before);
}
