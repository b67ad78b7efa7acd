use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::{Context, Enum, ID, InputObject, Object};
use entity::id::{RedemptionId, SettlementId, StatementId};
use entity::kinds::{FundSource, PartnerKind, PostingKind};
use entity::{Fen, entry, statement};
use sea_orm::{ColumnTrait, Condition};
use tokio::sync::OnceCell;
use uuid::Uuid;

use super::connection::{List, list, page};
use super::node::{Node, nodes};
use super::partner::{Partner, PartnerBy};
use super::scalars::{DateTime, IdempotencyKey, Money, YearMonth};
use super::{slice, words};
use crate::access::{Slice, Totals};
use crate::error::{Error, Result};
use crate::page::{Paged, type_id, uuid_of};

/// What a partner is owed for a month out of one fund (对账单).
#[derive(Clone)]
pub struct Statement {
    pub row: statement::Model,
    pub totals: Totals,
}

/// One per partner, month (China Standard Time) and fund, paid by the fund's owner. A reversal or refund joins its original's
/// month until that is confirmed, afterwards the next open one. A month can be confirmed once it is over; what it lacks to 0.00 is
/// then carried into the next open one.
#[Object]
impl Statement {
    pub async fn id(&self) -> ID {
        type_id(self.row.id).into()
    }

    async fn partner(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.row.partner_id).await?))
    }

    async fn month(&self) -> YearMonth {
        YearMonth(self.row.month.clone())
    }

    async fn fund(&self) -> words::FundSource {
        self.row.fund.into()
    }

    async fn status(&self) -> words::StatementStatus {
        self.row.status.into()
    }

    /// Number of lines.
    async fn count(&self) -> Result<i32> {
        i32::try_from(self.totals.count).map_err(|_| Error::internal("a statement of too many lines"))
    }

    /// Sum of the originals.
    async fn gross(&self) -> Money {
        Money(self.totals.gross)
    }

    /// Sum of reversals and refunds, as a positive amount; with what was carried: more in the month into which it was carried, less in
    /// the one that it came from.
    async fn reversed(&self) -> Money {
        Money(self.totals.reversed)
    }

    /// gross − reversed: what is owed; equals the sum of the signed lines. Below 0.00 when more came back than was done: then the
    /// month is confirmed with 0.00, and the next open one is less by it.
    async fn net(&self) -> Result<Money> {
        net(&self.totals).map(Money)
    }

    /// When the partner agreed to its net.
    async fn confirmed_at(&self) -> Option<DateTime> {
        self.row.confirmed_at.map(DateTime)
    }

    /// When the fund's owner said that it is paid.
    async fn paid_at(&self) -> Option<DateTime> {
        self.row.paid_at.map(DateTime)
    }

    /// The bank's number of the payment.
    async fn bank_reference(&self) -> Option<&str> {
        self.row.bank_reference.as_deref()
    }

    /// Where all its lines are as a CSV file: a path of this server, for a GET with the same token. The columns have the names of the
    /// fields of a line: `at`, `key`, `reference`, `kind`, `amount`, and `sourceId`. Before a text that a spreadsheet would take for
    /// a formula stands an apostrophe.
    async fn csv_path(&self) -> String {
        format!("/statements/{}/lines.csv", type_id(self.row.id))
    }

    /// Oldest first.
    async fn lines(
        &self,
        ctx: &Context<'_>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<List<StatementLine>> {
        let page = page(ctx, first, after, None, None)?;
        let rows = slice(ctx)?
            .lines_of(self.row.id)?
            .page_oldest_first(&page, entry::Column::PostingId, |row| row.posting_id)
            .await?;
        let sources = Sources::of(rows.rows.iter().map(|(_, row)| row).collect());
        Ok(list(rows, |row| StatementLine { row, sources: Arc::clone(&sources) }))
    }
}

/// What a line accounts for.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
pub enum StatementLineKind {
    Settlement,
    Reversal,
    Redemption,
    /// Also, with the other sign, a refund that was voided.
    Refund,
    /// An invoiced service.
    Service,
    /// What a month came to below 0.00: added to it when it was confirmed, and taken off the next open one.
    Carried,
}

/// One act, or its correction, in a statement.
pub struct StatementLine {
    row: entry::Model,
    sources: Arc<Sources>,
}

/// One act, or its correction, in a statement.
#[Object]
impl StatementLine {
    /// When it was posted.
    async fn at(&self) -> DateTime {
        DateTime(self.row.posted_at)
    }

    /// Of the original act; its reversal or refunds carry the same. Of a carried line that of the confirmation.
    async fn key(&self) -> IdempotencyKey {
        IdempotencyKey(self.row.operation_key.clone())
    }

    /// Invoice or receipt number; of a carried line the other month.
    async fn reference(&self) -> &str {
        self.row.reference.as_deref().unwrap_or_default()
    }

    /// Signed.
    async fn amount(&self) -> Result<Money> {
        owed(&self.row).map(Money)
    }

    async fn kind(&self) -> Result<StatementLineKind> {
        line_kind(self.row.kind)
    }

    /// The settlement or redemption, as it is now; of a carried line the statement of the other month.
    async fn source(&self, ctx: &Context<'_>) -> Result<Node> {
        let slice = slice(ctx)?;
        let found = self.sources.loaded.get_or_init(|| self.sources.load(slice)).await;
        let found = found.as_ref().map_err(|shared| shared.for_each("loading sources"))?;
        found
            .get(&self.row.source_id)
            .cloned()
            .ok_or_else(|| Error::internal("a line whose source is not seen"))
    }
}

/// gross − reversed.
pub fn net(totals: &Totals) -> Result<Fen> {
    totals.net().ok_or_else(|| Error::internal("a statement beyond 64 bits of fen"))
}

/// What a line adds to what is owed.
pub fn owed(line: &entry::Model) -> Result<Fen> {
    line.amount.negated().ok_or_else(|| Error::internal("a line beyond 64 bits of fen"))
}

/// The id of the settlement or redemption that a line accounts for, or of the statement on the other side of what was carried.
pub fn source_of(line: &entry::Model) -> String {
    match line.kind {
        PostingKind::Settlement | PostingKind::Reversal => type_id(SettlementId::from(line.source_id)),
        PostingKind::CarryForward => type_id(StatementId::from(line.source_id)),
        _ => type_id(RedemptionId::from(line.source_id)),
    }
}

pub fn line_kind(kind: PostingKind) -> Result<StatementLineKind> {
    match kind {
        PostingKind::Settlement => Ok(StatementLineKind::Settlement),
        PostingKind::Reversal => Ok(StatementLineKind::Reversal),
        PostingKind::Redemption => Ok(StatementLineKind::Redemption),
        PostingKind::Refund => Ok(StatementLineKind::Refund),
        PostingKind::CarryForward => Ok(StatementLineKind::Carried),
        PostingKind::CardIssue | PostingKind::Appropriation | PostingKind::Payment => {
            Err(Error::internal("a line of a statement that owes nothing"))
        }
    }
}

/// The sources of lines that were read together: asked for by one, they are loaded for all.
struct Sources {
    ids: Vec<ID>,
    loaded: OnceCell<std::result::Result<HashMap<Uuid, Node>, Arc<Error>>>,
}

impl Sources {
    fn of(lines: Vec<&entry::Model>) -> Arc<Self> {
        let mut ids: Vec<ID> = lines.iter().map(|line| ID(source_of(line))).collect();
        ids.sort_by(|one, other| one.0.cmp(&other.0));
        ids.dedup();
        Arc::new(Self { ids, loaded: OnceCell::new() })
    }

    async fn load(&self, slice: &Slice) -> std::result::Result<HashMap<Uuid, Node>, Arc<Error>> {
        let found = nodes(slice, &self.ids).await.map_err(Arc::new)?;
        let keyed = self.ids.iter().zip(found);
        Ok(keyed.filter_map(|(id, node)| Some((uuid_of(id)?, node?))).collect())
    }
}

/// The statements in which acts stand that were read together.
pub struct Statements {
    acts: Vec<Uuid>,
    loaded: OnceCell<std::result::Result<HashMap<Uuid, Statement>, Arc<Error>>>,
}

impl Statements {
    pub fn of(acts: Vec<Uuid>) -> Arc<Self> {
        Arc::new(Self { acts, loaded: OnceCell::new() })
    }

    pub async fn one(&self, slice: &Slice, act: Uuid) -> Result<Statement> {
        let found = self.loaded.get_or_init(|| self.load(slice)).await;
        let found = found.as_ref().map_err(|shared| shared.for_each("loading statements"))?;
        found.get(&act).cloned().ok_or_else(|| Error::internal("an act in no statement"))
    }

    async fn load(&self, slice: &Slice) -> std::result::Result<HashMap<Uuid, Statement>, Arc<Error>> {
        let of_acts = slice.statements_of(self.acts.clone()).await.map_err(Arc::new)?;
        let mut rows: Vec<statement::Model> = of_acts.values().cloned().collect();
        rows.sort_by_key(|row| row.id);
        rows.dedup_by_key(|row| row.id);
        let whole = with_totals(&slice.reading_statements(), rows).await.map_err(Arc::new)?;
        let whole: HashMap<StatementId, Statement> =
            whole.into_iter().map(|statement| (statement.row.id, statement)).collect();
        Ok(of_acts.into_iter().filter_map(|(act, row)| Some((act, whole.get(&row.id)?.clone()))).collect())
    }
}

/// Statements with what their lines come to: by now while they are open, as agreed once they are confirmed.
pub async fn with_totals(slice: &Slice, rows: Vec<statement::Model>) -> Result<Vec<Statement>> {
    let open: Vec<StatementId> = rows.iter().filter(|row| row.count.is_none()).map(|row| row.id).collect();
    let sums = if open.is_empty() { HashMap::new() } else { slice.totals(open).await? };
    Ok(rows
        .into_iter()
        .map(|row| {
            let totals = match (row.count, row.gross, row.reversed) {
                (Some(count), Some(gross), Some(reversed)) => Totals { count, gross, reversed },
                _ => sums.get(&row.id).copied().unwrap_or_default(),
            };
            Statement { row, totals }
        })
        .collect())
}

/// The fund with which a kind of partner deals when it does not say which.
pub fn usual_fund(kind: PartnerKind) -> FundSource {
    match kind {
        PartnerKind::CharitySupermarket | PartnerKind::CharityFederation => FundSource::Charity,
        PartnerKind::Bureau
        | PartnerKind::SubdistrictOffice
        | PartnerKind::Hospital
        | PartnerKind::DisabilityFederation
        | PartnerKind::HomeCareProvider => FundSource::Fiscal,
    }
}

/// The fund that was asked for, or the viewer's usual one.
pub fn fund_of(slice: &Slice, fund: Option<words::FundSource>) -> FundSource {
    fund.map_or_else(|| usual_fund(slice.viewer().kind()), Into::into)
}

/// The viewer's own statement of a month and fund.
pub fn own(slice: &Slice, month: &str, fund: FundSource) -> Condition {
    Condition::all()
        .add(statement::Column::PartnerId.eq(slice.viewer().partner_id()))
        .add(statement::Column::Fund.eq(fund))
        .add(statement::Column::Month.eq(month))
}

#[derive(InputObject, Default)]
struct StatementFilter {
    status: Option<Vec<words::StatementStatus>>,
    month: Option<YearMonth>,
    fund: Option<words::FundSource>,
    /// Whose statements; for the owner of the fund.
    partner: Option<PartnerBy>,
}

#[derive(Default)]
pub struct StatementQuery;

#[Object]
impl StatementQuery {
    /// The viewer's own month: what it advanced, what was reversed, what it is owed. `fund` may be left out by a partner that deals
    /// with one fund. Null for a month in which nothing was posted.
    async fn statement(
        &self,
        ctx: &Context<'_>,
        month: YearMonth,
        fund: Option<words::FundSource>,
    ) -> Result<Option<Statement>> {
        let slice = slice(ctx)?;
        let which = own(slice, &month.0, fund_of(slice, fund));
        let row = slice.select::<statement::Entity>()?.only(which).one().await?;
        Ok(with_totals(slice, row.into_iter().collect()).await?.pop())
    }

    /// The statements that the viewer sees, newest first: a partner its own, the owner of a fund those that it pays.
    #[allow(clippy::too_many_arguments)]
    async fn statements(
        &self,
        ctx: &Context<'_>,
        filter: Option<StatementFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<Statement>>> {
        let page = page(ctx, first, after, last, before)?;
        let slice = slice(ctx)?;
        let filter = filter.unwrap_or_default();
        let mut rows = slice
            .select::<statement::Entity>()?
            .only_if(filter.status.map(|statuses| {
                statement::Column::Status
                    .is_in(words::distinct::<_, entity::kinds::StatementStatus>(statuses))
            }))
            .only_if(filter.month.map(|month| statement::Column::Month.eq(month.0)))
            .only_if(filter.fund.map(|fund| statement::Column::Fund.eq(FundSource::from(fund))));
        if let Some(by) = filter.partner {
            let partner = by.find(slice.select()?).await?;
            // A partner that is not seen has no statements that are.
            let id = partner.map(|partner| partner.id).unwrap_or_else(|| Uuid::nil().into());
            rows = rows.only(statement::Column::PartnerId.eq(id));
        }
        let paged = rows.page(&page, statement::Column::Id, |row| row.id).await?;
        let Paged { rows, has_previous, has_next, total } = paged;
        let (cursors, rows): (Vec<String>, Vec<statement::Model>) = rows.into_iter().unzip();
        let rows = cursors.into_iter().zip(with_totals(slice, rows).await?).collect();
        Ok(Some(list(Paged { rows, has_previous, has_next, total }, |statement| statement)))
    }
}
