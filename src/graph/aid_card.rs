use async_graphql::{Context, ID, Object};
use entity::kinds::{AidCardStatus, GoodsCategory, Scope};
use entity::{CardNumber, aid_card};

use super::scalars::{Date, Money};
use super::{slice, words};
use crate::error::Result;
use crate::page::type_id;

/// A charity supermarket aid card: stored value for one holder, never cash.
#[derive(Clone)]
pub struct AidCard(pub aid_card::Model);

/// A charity supermarket aid card: stored value for one holder, never cash.
#[Object]
impl AidCard {
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    /// Masked but for the last four digits.
    async fn number(&self) -> String {
        masked_number(&self.0.last_four)
    }

    async fn status(&self, ctx: &Context<'_>) -> Result<words::AidCardStatus> {
        Ok(status_on(&self.0, slice(ctx)?.today()).into())
    }

    async fn balance(&self) -> Money {
        Money(self.0.balance)
    }

    /// The last day on which it can be used.
    async fn expires_on(&self) -> Date {
        Date(self.0.expires_on)
    }

    /// Masked, e.g. 李*明.
    async fn holder_name(&self, ctx: &Context<'_>) -> Result<&str> {
        slice(ctx)?.looked_at(Scope::CardRead, type_id(self.0.id), Some(self.0.person_id));
        Ok(&self.0.holder_name)
    }

    /// What it may be spent on; every category when the card is not limited.
    async fn allowed_categories(&self) -> Vec<words::GoodsCategory> {
        let allowed = allowed_categories(&self.0);
        allowed.unwrap_or_else(|| GoodsCategory::ALL.to_vec()).into_iter().map(Into::into).collect()
    }
}

/// A card number as it is shown.
pub fn masked_number(last_four: &str) -> String {
    format!("*************{last_four}")
}

/// The status on a day: a card past its last day is expired before anything has written it.
pub fn status_on(card: &aid_card::Model, today: chrono::NaiveDate) -> AidCardStatus {
    match card.status {
        AidCardStatus::Issued | AidCardStatus::Active | AidCardStatus::Frozen if card.expires_on < today => {
            AidCardStatus::Expired
        }
        status => status,
    }
}

/// The categories to which a card is limited; nothing when it is not.
pub fn allowed_categories(card: &aid_card::Model) -> Option<Vec<GoodsCategory>> {
    card.allowed_categories
        .as_deref()
        .map(|words| words.split(' ').filter_map(GoodsCategory::of_word).collect())
}

#[derive(Default)]
pub struct AidCardQuery;

#[Object]
impl AidCardQuery {
    /// Supermarket: a card by its full number. Null for an unknown number; refusals to serve a known card are in `status`.
    async fn aid_card(&self, ctx: &Context<'_>, number: String) -> Result<Option<AidCard>> {
        let slice = slice(ctx)?;
        match CardNumber::parse(&number) {
            Ok(number) => Ok(slice.card_at_the_counter(&number).await?.map(AidCard)),
            Err(_) => slice.select::<aid_card::Entity>().map(|_| None),
        }
    }
}
