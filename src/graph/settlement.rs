use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, OneofObject};
use entity::id::SettlementId;
use entity::kinds::Scope;
use entity::settlement;
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use super::calculation::Calculation;
use super::connection::{List, list, page};
use super::partner::Partner;
use super::scalars::{Date, DateTime, IdempotencyKey, Money};
use super::statement::{Statement, Statements};
use super::text::Number;
use super::unmasking::{UnmaskPurpose, Unmasked, UnmaskedPerson};
use super::{slice, words};
use crate::error::Result;
use crate::page::{first_key_after, first_key_at, key_of, type_id};

/// A second reimbursement that was posted.
#[derive(Clone)]
pub struct Settlement(pub settlement::Model, Arc<Statements>, Arc<Unmasked>);

impl Settlement {
    pub fn one(row: settlement::Model) -> Self {
        let statements = Statements::of(vec![row.id.into()]);
        let unmasked = Unmasked::of_settlements(vec![row.id.into()]);
        Self(row, statements, unmasked)
    }

    /// Of rows that were read together: their statements are loaded together, too.
    pub fn each(ids: Vec<Uuid>) -> impl Fn(settlement::Model) -> Self + use<> {
        let unmasked = Unmasked::of_settlements(ids.clone());
        let statements = Statements::of(ids);
        move |row| Self(row, Arc::clone(&statements), Arc::clone(&unmasked))
    }
}

/// A second reimbursement that was posted.
#[Object]
impl Settlement {
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    async fn status(&self) -> words::SettlementStatus {
        self.0.status.into()
    }

    async fn channel(&self) -> words::SettlementChannel {
        self.0.channel.into()
    }

    /// The key with which the hospital posted it.
    async fn key(&self) -> IdempotencyKey {
        IdempotencyKey(self.0.operation_key.clone())
    }

    async fn hospital(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.0.hospital_id).await?))
    }

    /// Masked, e.g. 李*明.
    async fn patient_name(&self, ctx: &Context<'_>) -> Result<&str> {
        slice(ctx)?.looked_at(Scope::SettlementRead, type_id(self.0.id), Some(self.0.person_id));
        Ok(&self.0.patient_name)
    }

    /// The patient in the clear. Scope: PERSON_UNMASK. The look is recorded with its purpose before it is answered; in a list all
    /// its patients are. The note holds no personal data.
    async fn unmasked_patient(
        &self,
        ctx: &Context<'_>,
        purpose: UnmaskPurpose,
        note: Option<String>,
    ) -> Result<Option<UnmaskedPerson>> {
        self.2.person(slice(ctx)?, self.0.id.into(), purpose, note.as_deref()).await
    }

    /// 住院号
    async fn admission_number(&self) -> &str {
        &self.0.admission_number
    }

    /// 发票号
    async fn invoice_number(&self) -> &str {
        &self.0.invoice_number
    }

    /// 结算ID [setl_id]
    async fn insurer_settlement_id(&self) -> &str {
        &self.0.insurer_settlement_id
    }

    async fn admitted_on(&self) -> Date {
        Date(self.0.admitted_on)
    }

    async fn discharged_on(&self) -> Date {
        Date(self.0.discharged_on)
    }

    /// 医疗费总额
    async fn total_cost(&self) -> Money {
        Money(self.0.total_cost)
    }

    /// What the bureau pays, and the hospital advances (垫付).
    async fn assistance(&self) -> Money {
        Money(self.0.assistance)
    }

    /// 个人负担: what is left to the patient.
    async fn personal_burden(&self) -> Money {
        Money(self.0.personal_burden)
    }

    async fn calculation(&self) -> Result<Calculation> {
        Calculation::kept(&self.0.calculation)
    }

    async fn settled_at(&self) -> DateTime {
        DateTime(self.0.settled_at)
    }

    async fn reversed_at(&self) -> Option<DateTime> {
        self.0.reversed_at.map(DateTime)
    }

    async fn reversal_reason(&self, ctx: &Context<'_>) -> Result<Option<String>> {
        let reason = self.0.reversal_reason_sealed.as_ref();
        slice(ctx)?.keys().open_some(settlement::Column::ReversalReasonSealed, self.0.id, reason)
    }

    /// A stay before it in the same cap was reversed: the bureau may owe more; nothing changes by itself.
    async fn recalculation_due(&self) -> bool {
        self.0.recalculation_due
    }

    /// The month in which it is owed, and whether it is paid.
    async fn statement(&self, ctx: &Context<'_>) -> Result<Statement> {
        self.1.one(slice(ctx)?, self.0.id.into()).await
    }
}

/// Names one settlement, by one of these. Of several with the same number, the live one, else the newest.
#[derive(OneofObject)]
enum SettlementBy {
    Id(ID),
    InvoiceNumber(Number),
    InsurerSettlementId(Number),
    Key(IdempotencyKey),
}

#[derive(InputObject, Default)]
struct SettlementFilter {
    status: Option<Vec<words::SettlementStatus>>,
    /// Inclusive.
    discharged_from: Option<Date>,
    /// Inclusive.
    discharged_to: Option<Date>,
    /// Inclusive.
    settled_from: Option<DateTime>,
    /// Exclusive.
    settled_to: Option<DateTime>,
}

impl SettlementFilter {
    fn condition(self) -> Condition {
        use settlement::Column::{DischargedOn, Id, SettledAt, Status};
        let statuses = self.status.map(words::distinct::<_, entity::kinds::SettlementStatus>);
        Condition::all()
            .add_option(statuses.map(|statuses| Status.is_in(statuses)))
            .add_option(self.discharged_from.map(|from| DischargedOn.gte(from.0)))
            .add_option(self.discharged_to.map(|to| DischargedOn.lte(to.0)))
            .add_option(self.settled_from.as_ref().map(|from| Id.gte(first_key_at::<SettlementId>(from.0))))
            .add_option(self.settled_from.map(|from| SettledAt.gte(from.0)))
            .add_option(self.settled_to.as_ref().map(|to| Id.lt(first_key_after::<SettlementId>(to.0))))
            .add_option(self.settled_to.map(|to| SettledAt.lt(to.0)))
    }
}

#[derive(Default)]
pub struct SettlementQuery;

#[Object]
impl SettlementQuery {
    /// One settlement of the viewer's.
    async fn settlement(&self, ctx: &Context<'_>, by: SettlementBy) -> Result<Option<Settlement>> {
        use settlement::Column::{InsurerSettlementId, InvoiceNumber, OperationKey};
        let settlements = slice(ctx)?.select::<settlement::Entity>()?;
        let condition = match by {
            SettlementBy::Id(id) => match key_of::<SettlementId>(&id) {
                Some(id) => settlement::Column::Id.eq(id),
                None => return Ok(None),
            },
            SettlementBy::InvoiceNumber(number) => InvoiceNumber.eq(number.as_str()),
            SettlementBy::InsurerSettlementId(id) => InsurerSettlementId.eq(id.as_str()),
            SettlementBy::Key(key) => OperationKey.eq(key.0),
        };
        let row = settlements
            .only(condition)
            .newest_first(settlement::Column::Status)
            .newest_first(settlement::Column::Id)
            .limit(1)
            .one()
            .await?;
        Ok(row.map(Settlement::one))
    }

    /// The viewer's settlements, newest first.
    async fn settlements(
        &self,
        ctx: &Context<'_>,
        filter: Option<SettlementFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<Settlement>>> {
        let page = page(ctx, first, after, last, before)?;
        let rows = slice(ctx)?
            .select::<settlement::Entity>()?
            .only(filter.unwrap_or_default().condition())
            .page(&page, settlement::Column::Id, |row| row.id)
            .await?;
        let node = Settlement::each(rows.rows.iter().map(|(_, row)| row.id.into()).collect());
        Ok(Some(list(rows, node)))
    }
}
