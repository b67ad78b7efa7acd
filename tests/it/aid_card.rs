//! `aidCard`: what a till sees of a card.

use entity::kinds::AidCardStatus;
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::district::{OTHER_SHOP, SHOP, day};

#[tokio::test]
async fn a_card_is_shown_masked() {
    let district = District::new().await;
    let limited = |card: &mut entity::aid_card::Model| card.allowed_categories = Some("FOOD HYGIENE".into());
    let number = district.card_that("200.00", limited).await;
    let shop = district.partner(SHOP).await;
    let reply = shop.card(&number).await.fine();
    let mut card = reply.at("aidCard").clone();
    let id = card.as_object_mut().unwrap().remove("id").unwrap();
    assert!(id.as_str().unwrap().starts_with("aid_card_"), "{id}");
    assert_eq!(
        card,
        json!({
            "number": format!("*************{}", &number[13..]),
            "status": "ACTIVE",
            "balance": "200.00",
            "expiresOn": "2030-12-31",
            "holderName": "李*明",
            "allowedCategories": ["FOOD", "HYGIENE"],
        })
    );
    assert!(!reply.body.to_string().contains(&number));
}

#[tokio::test]
async fn an_unlimited_card_allows_every_category() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    assert_eq!(
        shop.card(&card).await.fine().at("aidCard.allowedCategories"),
        &json!(["GRAIN_AND_OIL", "FOOD", "CLOTHING", "BEDDING", "HOUSEHOLD", "HYGIENE", "STATIONERY"])
    );
}

#[tokio::test]
async fn an_unknown_or_mistyped_number_is_nobodys() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let last = card.as_bytes()[16] - b'0';
    let mistyped = format!("{}{}", &card[..16], (last + 1) % 10);
    for number in ["20161020010000015", mistyped.as_str(), &card[13..], "", "20161020010000015\n"] {
        let reply = shop.card(number).await.fine();
        assert_eq!(reply.at("aidCard"), &Value::Null, "{number:?}");
    }
}

#[tokio::test]
async fn the_status_says_why_a_card_does_not_serve() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    for (status, word) in [
        (AidCardStatus::Issued, "ISSUED"),
        (AidCardStatus::Active, "ACTIVE"),
        (AidCardStatus::Frozen, "FROZEN"),
        (AidCardStatus::Expired, "EXPIRED"),
        (AidCardStatus::Cancelled, "CANCELLED"),
        (AidCardStatus::Replaced, "REPLACED"),
    ] {
        let card = district.card_that("200.00", |card| card.status = status).await;
        assert_eq!(shop.card(&card).await.fine().text("aidCard.status"), word);
        let past = district
            .card_that("200.00", |card| {
                card.status = status;
                card.expires_on = day("2016-06-14");
            })
            .await;
        let after_its_last_day = match status {
            AidCardStatus::Cancelled | AidCardStatus::Replaced => word,
            _ => "EXPIRED",
        };
        assert_eq!(shop.card(&past).await.fine().text("aidCard.status"), after_its_last_day, "{word}");
    }
}

#[tokio::test]
async fn a_shop_meets_a_card_only_by_its_full_number_until_it_has_redeemed_it() {
    let district = District::new().await;
    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let other = district.partner(OTHER_SHOP).await;
    let id = shop.card(&card).await.fine().text("aidCard.id");
    let query = "query($id: ID!) { node(id: $id) { id ... on AidCard { balance } } }";
    let before = shop.ask(query, json!({ "id": id })).await.fine();
    assert_eq!(before.at("node"), &Value::Null);
    shop.sell(&card, "10.00", "R1").await;
    let after = shop.ask(query, json!({ "id": id })).await.fine();
    assert_eq!(after.text("node.balance"), "190.00");
    assert_eq!(other.ask(query, json!({ "id": id })).await.fine().at("node"), &Value::Null);
}
