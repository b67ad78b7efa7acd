//! A void and its original at the same moment: whoever comes first, nothing stays and the key answers KEY_VOIDED.

use entity::kinds::Category;
use futures_util::future::{join, join_all};
use serde_json::json;

use crate::harness::District;
use crate::harness::district::{HOSPITAL, SHOP};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::till::sale;

const PAIRS: usize = 24;

#[tokio::test]
async fn settlements_voided_while_they_are_posted() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let mut posted = Vec::new();
    for _ in 0..PAIRS {
        let patient = district.person("李小明", &[Category::Dibao]).await;
        posted.push((new_key(), bill(&patient)));
    }
    let hospital = &hospital;
    let pairs = posted.iter().enumerate().map(|(place, (key, bill))| async move {
        match place % 2 {
            0 => join(hospital.settle_under(key, bill), hospital.void(key)).await,
            _ => {
                let (void, settled) = join(hospital.void(key), hospital.settle_under(key, bill)).await;
                (settled, void)
            }
        }
    });
    for (settled, void) in join_all(pairs).await {
        void.done("voidOperation");
        let refusals = settled.fine().refusals("settle");
        assert!(refusals.is_empty() || refusals == ["KEY_VOIDED"], "{refusals:?}");
    }
    for (key, bill) in &posted {
        assert_eq!(hospital.operation(key).await.fine().text("operation.status"), "VOIDED");
        assert_eq!(hospital.settle_under(key, bill).await.fine().refusals("settle"), ["KEY_VOIDED"]);
    }
    let live = "SELECT count(*) FROM settlement WHERE status = 'SETTLED'";
    assert_eq!(district.database.number(live).await, 0);
    let used = "SELECT CAST(coalesce(sum(used), 0) AS bigint) FROM entitlement_use";
    assert_eq!(district.database.number(used).await, 0);
}

#[tokio::test]
async fn sales_voided_while_they_are_made() {
    let district = District::new().await;
    let card = district.card("1000.00").await;
    let shop = district.partner(SHOP).await;
    let shop = &shop;
    let sales: Vec<_> = (0..PAIRS).map(|place| sale(&card, "10.00", &format!("R{place}"))).collect();
    let key = |sale: &serde_json::Value| sale["key"].as_str().unwrap().to_owned();
    let pairs = sales.iter().map(|sale| async move {
        let key = key(sale);
        join(shop.redeem(sale.clone()), shop.void(&key)).await
    });
    for (sold, void) in join_all(pairs).await {
        void.done("voidOperation");
        let refusals = sold.fine().refusals("redeemAidCard");
        assert!(refusals.is_empty() || refusals == ["KEY_VOIDED"], "{refusals:?}");
    }
    for sale in &sales {
        assert_eq!(shop.redeem(sale.clone()).await.fine().refusals("redeemAidCard"), ["KEY_VOIDED"]);
    }
    assert_eq!(shop.balance(&card).await, "1000.00");
    let kept = "SELECT CAST(coalesce(sum(amount - refunded), 0) AS bigint) FROM redemption";
    assert_eq!(district.database.number(kept).await, 0);
}

#[tokio::test]
async fn refunds_voided_while_they_are_made() {
    let district = District::new().await;
    let card = district.card("1000.00").await;
    let shop = district.partner(SHOP).await;
    let shop = &shop;
    let id = shop.sell(&card, "500.00", "R1").await;
    let id = &id;
    let keys: Vec<_> = (0..PAIRS).map(|_| new_key()).collect();
    let pairs = keys.iter().map(|key| join(shop.refund_under(key, id, Some("10.00")), shop.void(key)));
    for (refunded, void) in join_all(pairs).await {
        void.done("voidOperation");
        let refusals = refunded.fine().refusals("refundRedemption");
        assert!(refusals.is_empty() || refusals == ["KEY_VOIDED"], "{refusals:?}");
    }
    assert_eq!(shop.balance(&card).await, "500.00");
    let redemption = shop.redemption(json!({ "id": id })).await.fine();
    assert_eq!(redemption.text("redemption.refunded"), "0.00");
    assert_eq!(redemption.text("redemption.status"), "REDEEMED");
}

#[tokio::test]
async fn many_voids_of_one_settlement_at_once_give_back_once() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    hospital.settle(&bill(&patient).stay("2016-01-01", "2016-01-02")).await.done("settle");
    let key = new_key();
    hospital.settle_under(&key, &bill(&patient)).await.done("settle");
    for reply in join_all((0..16).map(|_| hospital.void(&key))).await {
        let reply = reply.done("voidOperation");
        assert_eq!(reply.text("voidOperation.operation.status"), "VOIDED");
    }
    assert_eq!(hospital.left(&patient, "2016-06-15").await.1, json!("5040.00"));
}
