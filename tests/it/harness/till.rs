//! What a supermarket's till asks.

use entity::aid_card;
use entity::id::AidCardId;
use serde_json::{Value, json};

use super::partner::new_key;
use super::{District, Partner, Reply};

pub const REDEMPTION: &str =
    "id status key supermarket { code } cardNumber receiptNumber amount refunded balanceAfter redeemedAt";
pub const CARD: &str = "id number status balance expiresOn holderName allowedCategories";

/// A redemption as a till posts it, under a key of its own.
pub fn sale(card: &str, amount: &str, receipt: &str) -> Value {
    json!({ "key": new_key(), "cardNumber": card, "amount": amount, "receiptNumber": receipt })
}

impl Partner {
    pub async fn redeem(&self, sale: Value) -> Reply {
        self.act("redeemAidCard", sale, &format!("redemption {{ {REDEMPTION} }} card {{ {CARD} }}")).await
    }

    /// A redemption that succeeds; its id.
    pub async fn sell(&self, card: &str, amount: &str, receipt: &str) -> String {
        let reply = self.redeem(sale(card, amount, receipt)).await.done("redeemAidCard");
        reply.text("redeemAidCard.redemption.id")
    }

    pub async fn refund(&self, redemption: &str, amount: Option<&str>) -> Reply {
        self.refund_under(&new_key(), redemption, amount).await
    }

    pub async fn refund_under(&self, key: &str, redemption: &str, amount: Option<&str>) -> Reply {
        let input = json!({ "key": key, "redemptionId": redemption, "amount": amount, "reason": "returned" });
        self.act("refundRedemption", input, &format!("redemption {{ {REDEMPTION} }} card {{ {CARD} }}")).await
    }

    pub async fn card(&self, number: &str) -> Reply {
        let query = format!("query($n: String!) {{ aidCard(number: $n) {{ {CARD} }} }}");
        self.ask(&query, json!({ "n": number })).await
    }

    pub async fn balance(&self, number: &str) -> String {
        self.card(number).await.fine().text("aidCard.balance")
    }

    pub async fn redemption(&self, by: Value) -> Reply {
        let query = format!("query($by: RedemptionBy!) {{ redemption(by: $by) {{ {REDEMPTION} }} }}");
        self.ask(&query, json!({ "by": by })).await
    }
}

impl District {
    /// [`District::card_that`] with the card's key.
    pub async fn card_number_and_id(
        &self,
        balance: &str,
        change: impl FnOnce(&mut aid_card::Model),
    ) -> (String, AidCardId) {
        let mut id = None;
        let number = self
            .card_that(balance, |card| {
                change(card);
                id = Some(card.id);
            })
            .await;
        (number, id.unwrap())
    }

    /// A card that was lost gives way to another.
    pub async fn replace_card(&self, lost: AidCardId, by: AidCardId) {
        use sea_orm::{ActiveModelTrait, Set};
        let connection = self.database.look().await;
        let replaced = aid_card::ActiveModel {
            id: Set(lost),
            status: Set(entity::kinds::AidCardStatus::Replaced),
            replaced_by: Set(Some(by)),
            ..Default::default()
        };
        replaced.update(&connection).await.unwrap();
        connection.close().await.unwrap();
    }
}
