//! Door: the shop's counter. An aid card is met by its full number, and changed only through what was met here.

use chrono::{DateTime, Utc};
use entity::id::ProgrammeId;
use entity::kinds::{AidCardStatus, Scope};
use entity::{CardNumber, Fen, aid_card, redemption};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, EntityTrait, FromQueryResult, QueryFilter, QuerySelect};

use super::act::Act;
use super::slice::Slice;
use crate::error::{Error, Result};

impl Slice {
    /// An aid card by its full number.
    pub async fn card_at_the_counter(&self, number: &CardNumber) -> Result<Option<aid_card::Model>> {
        self.demand(Scope::CardRead)?;
        let hash = self.keys.find_card(number);
        self.asks_for_card(&hash)?;
        let attempt = self.try_card()?;
        let by_number = aid_card::Column::NumberHash.eq(hash);
        Ok(attempt.told(self.through::<aid_card::Entity>(by_number).one().await?))
    }
}

impl Act {
    /// [`Slice::card_at_the_counter`] inside the act.
    pub async fn card_at_the_counter(&self, number: &CardNumber) -> Result<Option<aid_card::Model>> {
        self.slice().demand(Scope::CardRedeem)?;
        let hash = self.slice().keys().find_card(number);
        self.slice().asks_for_card(&hash)?;
        let attempt = self.slice().try_card()?;
        let by_number = aid_card::Column::NumberHash.eq(hash);
        Ok(attempt.told(aid_card::Entity::find().filter(by_number).one(&self.executor()).await?))
    }

    /// Whether the viewer used this receipt number before today.
    pub async fn receipt_used(&self, receipt_number: &str) -> Result<bool> {
        self.slice().demand(Scope::CardRedeem)?;
        let used = redemption::Entity::find()
            .filter(redemption::Column::SupermarketId.eq(self.slice().viewer().partner_id()))
            .filter(redemption::Column::ReceiptDay.eq(self.today()))
            .filter(redemption::Column::ReceiptNumber.eq(receipt_number))
            .filter(redemption::Column::VoidedAt.is_null())
            .one(&self.executor())
            .await?;
        Ok(used.is_some())
    }

    /// Takes an amount from a card that serves today and has that much; judged and done in one statement, so that the balance is
    /// never negative whatever runs at once. Nothing when it does not.
    pub async fn take_from_card(
        &mut self,
        number: &CardNumber,
        amount: Fen,
    ) -> Result<Option<aid_card::Model>> {
        self.slice().demand(Scope::CardRedeem)?;
        let hash = self.slice().keys().find_card(number);
        self.slice().asks_for_card(&hash)?;
        self.slice().try_card()?;
        let serves = Condition::all()
            .add(aid_card::Column::NumberHash.eq(hash))
            .add(aid_card::Column::Status.eq(AidCardStatus::Active))
            .add(aid_card::Column::ExpiresOn.gte(self.today()))
            .add(aid_card::Column::Balance.gte(amount));
        let less = Expr::col(aid_card::Column::Balance).sub(amount.get());
        Ok(self.set_through::<aid_card::Entity>([(aid_card::Column::Balance, less)], serves).await?.pop())
    }

    /// Puts an amount back on the card of a redemption that the viewer holds, or on the card that replaced it. Nothing when that
    /// card is expired or cancelled: the amount then goes back to its fund.
    pub async fn put_back(
        &mut self,
        redemption: &redemption::Model,
        amount: Fen,
    ) -> Result<Option<aid_card::Model>> {
        let mut id = redemption.aid_card_id;
        for _ in 0..LONGEST_CHAIN {
            let holds = Condition::all()
                .add(aid_card::Column::Id.eq(id))
                .add(aid_card::Column::ExpiresOn.gte(self.today()))
                .add(aid_card::Column::Status.is_in([
                    AidCardStatus::Issued,
                    AidCardStatus::Active,
                    AidCardStatus::Frozen,
                ]));
            let more = Expr::col(aid_card::Column::Balance).add(amount.get());
            if let Some(card) =
                self.set_through::<aid_card::Entity>([(aid_card::Column::Balance, more)], holds).await?.pop()
            {
                return Ok(Some(card));
            }
            let card = aid_card::Entity::find_by_id(id).one(&self.executor()).await?;
            match card.and_then(|card| card.replaced_by) {
                Some(next) => id = next,
                None => return Ok(None),
            }
        }
        Ok(None)
    }

    /// The programme of the card that a redemption of the viewer's was made with.
    pub async fn programme_of_card(&self, redemption: &redemption::Model) -> Result<ProgrammeId> {
        let card = aid_card::Entity::find_by_id(redemption.aid_card_id).one(&self.executor()).await?;
        Ok(card.ok_or_else(|| Error::internal("a redemption without its card"))?.programme_id)
    }

    /// Takes back what [`Act::put_back`] gave to a card, if it is still there.
    pub async fn take_again(&mut self, card: entity::id::AidCardId, amount: Fen) -> Result<bool> {
        let has =
            Condition::all().add(aid_card::Column::Id.eq(card)).add(aid_card::Column::Balance.gte(amount));
        let less = Expr::col(aid_card::Column::Balance).sub(amount.get());
        let taken = self.set_through::<aid_card::Entity>([(aid_card::Column::Balance, less)], has).await?;
        Ok(!taken.is_empty())
    }

    /// What was spent from a card since an instant, at all shops, less what was refunded. The card was met at the counter.
    pub async fn spent_since(&self, card: &aid_card::Model, since: DateTime<Utc>) -> Result<Fen> {
        #[derive(FromQueryResult)]
        struct Spent {
            amount: Option<i64>,
            refunded: Option<i64>,
        }
        let spent = redemption::Entity::find()
            .select_only()
            .column_as(redemption::Column::Amount.sum().cast_as("bigint"), "amount")
            .column_as(redemption::Column::Refunded.sum().cast_as("bigint"), "refunded")
            .filter(redemption::Column::AidCardId.eq(card.id))
            .filter(redemption::Column::RedeemedAt.gte(since))
            .into_model::<Spent>()
            .one(&self.executor())
            .await?;
        let (amount, refunded) =
            spent.map_or((0, 0), |spent| (spent.amount.unwrap_or(0), spent.refunded.unwrap_or(0)));
        Ok(Fen::new(amount).less(Fen::new(refunded)))
    }
}

/// How many times a card can have been replaced before a refund stops looking.
const LONGEST_CHAIN: u32 = 16;
