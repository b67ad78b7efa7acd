use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, OneofObject};
use entity::id::RedemptionId;
use entity::redemption;
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use super::aid_card::masked_number;
use super::connection::{List, list, page};
use super::partner::Partner;
use super::scalars::{DateTime, IdempotencyKey, Money};
use super::statement::{Statement, Statements};
use super::text::Number;
use super::{slice, words};
use crate::error::Result;
use crate::page::{first_key_after, first_key_at, key_of, type_id};

/// An aid card redeemed for goods.
#[derive(Clone)]
pub struct Redemption(pub redemption::Model, Arc<Statements>);

impl Redemption {
    pub fn one(row: redemption::Model) -> Self {
        let statements = Statements::of(vec![row.id.into()]);
        Self(row, statements)
    }

    /// Of rows that were read together: their statements are loaded together, too.
    pub fn each(ids: Vec<Uuid>) -> impl Fn(redemption::Model) -> Self + use<> {
        let statements = Statements::of(ids);
        move |row| Self(row, Arc::clone(&statements))
    }
}

/// An aid card redeemed for goods.
#[Object]
impl Redemption {
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    async fn status(&self) -> words::RedemptionStatus {
        self.0.status.into()
    }

    /// The key with which the shop posted it.
    async fn key(&self) -> IdempotencyKey {
        IdempotencyKey(self.0.operation_key.clone())
    }

    async fn supermarket(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.0.supermarket_id).await?))
    }

    /// Masked but for the last four digits.
    async fn card_number(&self) -> String {
        masked_number(&self.0.card_last_four)
    }

    /// 小票号
    async fn receipt_number(&self) -> &str {
        &self.0.receipt_number
    }

    async fn amount(&self) -> Money {
        Money(self.0.amount)
    }

    /// What was given back of it so far.
    async fn refunded(&self) -> Money {
        Money(self.0.refunded)
    }

    /// The card's balance right after this redemption.
    async fn balance_after(&self) -> Money {
        Money(self.0.balance_after)
    }

    async fn redeemed_at(&self) -> DateTime {
        DateTime(self.0.redeemed_at)
    }

    /// The month in which it is owed, and whether it is paid.
    async fn statement(&self, ctx: &Context<'_>) -> Result<Statement> {
        self.1.one(slice(ctx)?, self.0.id.into()).await
    }
}

/// Names one redemption, by one of these.
#[derive(OneofObject)]
enum RedemptionBy {
    Id(ID),
    Key(IdempotencyKey),
}

#[derive(InputObject, Default)]
struct RedemptionFilter {
    receipt_number: Option<Number>,
    status: Option<Vec<words::RedemptionStatus>>,
    /// Inclusive.
    redeemed_from: Option<DateTime>,
    /// Exclusive.
    redeemed_to: Option<DateTime>,
}

impl RedemptionFilter {
    fn condition(self) -> Condition {
        use redemption::Column::{Id, ReceiptNumber, RedeemedAt, Status};
        let statuses = self.status.map(words::distinct::<_, entity::kinds::RedemptionStatus>);
        Condition::all()
            .add_option(self.receipt_number.map(|number| ReceiptNumber.eq(number.as_str())))
            .add_option(statuses.map(|statuses| Status.is_in(statuses)))
            .add_option(self.redeemed_from.as_ref().map(|from| Id.gte(first_key_at::<RedemptionId>(from.0))))
            .add_option(self.redeemed_from.map(|from| RedeemedAt.gte(from.0)))
            .add_option(self.redeemed_to.as_ref().map(|to| Id.lt(first_key_after::<RedemptionId>(to.0))))
            .add_option(self.redeemed_to.map(|to| RedeemedAt.lt(to.0)))
    }
}

#[derive(Default)]
pub struct RedemptionQuery;

#[Object]
impl RedemptionQuery {
    /// One redemption of the viewer's.
    async fn redemption(&self, ctx: &Context<'_>, by: RedemptionBy) -> Result<Option<Redemption>> {
        let redemptions = slice(ctx)?.select::<redemption::Entity>()?;
        let condition = match by {
            RedemptionBy::Id(id) => match key_of::<RedemptionId>(&id) {
                Some(id) => redemption::Column::Id.eq(id),
                None => return Ok(None),
            },
            RedemptionBy::Key(key) => redemption::Column::OperationKey.eq(key.0),
        };
        let row = redemptions.only(condition).newest_first(redemption::Column::Id).limit(1).one().await?;
        Ok(row.map(Redemption::one))
    }

    /// The viewer's redemptions, newest first.
    async fn redemptions(
        &self,
        ctx: &Context<'_>,
        filter: Option<RedemptionFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<Redemption>>> {
        let page = page(ctx, first, after, last, before)?;
        let rows = slice(ctx)?
            .select::<redemption::Entity>()?
            .only(filter.unwrap_or_default().condition())
            .page(&page, redemption::Column::Id, |row| row.id)
            .await?;
        let node = Redemption::each(rows.rows.iter().map(|(_, row)| row.id.into()).collect());
        Ok(Some(list(rows, node)))
    }
}
