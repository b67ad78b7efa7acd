//! A partner's slice of the data: every query that is made through it already holds the partner's policy.

use std::net::IpAddr;
use std::sync::Arc;

use chrono::{DateTime, NaiveDate, Utc};
use entity::kinds::Scope;
use sea_orm::sea_query::{Expr, IntoCondition, Query, SelectStatement};
use sea_orm::{
    ConnectionTrait, DatabaseExecutor, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    Select,
};

use super::asked::Asked;
use super::database::Database;
use super::directory::Directory;
use super::keys::Keys;
use super::looks::Seen;
use super::misses::Misses;
use super::policy::Sliced;
use super::purse::Buckets;
use super::viewer::Viewer;
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::page::{Page, Paged};

/// The handle of one viewer. This is the way to the data:
///
/// ```
/// # async fn read(slice: &onestop::access::Slice) {
/// let _ = slice.select::<entity::settlement::Entity>().unwrap().limit(1).all().await;
/// # }
/// ```
///
/// And there is no other:
///
/// ```compile_fail
/// # async fn without_policy(database: onestop::access::Database) {
/// use sea_orm::EntityTrait;
/// entity::settlement::Entity::find().all(&database).await; // a database is no connection
/// # }
/// ```
/// ```compile_fail
/// # async fn slice_is_no_connection(slice: onestop::access::Slice) {
/// use sea_orm::EntityTrait;
/// entity::settlement::Entity::find().all(&slice).await;
/// # }
/// ```
/// ```compile_fail
/// # fn entity_without_a_policy<E: sea_orm::EntityTrait>(slice: &onestop::access::Slice) {
/// let _ = slice.select::<E>(); // any table is not enough: it must be `Sliced`
/// # }
/// ```
/// ```compile_fail
/// # fn made_up_viewer(partner: std::sync::Arc<entity::partner::Model>, token: entity::id::TokenId) {
/// let _ = onestop::access::Viewer::new(partner, &[], token); // private
/// # }
/// ```
/// ```compile_fail
/// # fn forged_claims(claims: onestop::access::Claims) {
/// let _ = onestop::access::Claims { sub: "BUREAU".into(), ..claims }; // private fields
/// # }
/// ```
/// ```compile_fail
/// # async fn insert_outside_an_act(slice: &onestop::access::Slice, row: entity::redemption::Model) {
/// slice.insert::<entity::redemption::Entity>(row).await; // only an Act inserts
/// # }
/// ```
/// ```compile_fail
/// # fn widen(selection: onestop::access::Selection<'_, entity::settlement::Entity>) {
/// let _ = selection.query; // the query with its policy cannot be taken out
/// # }
/// ```
#[derive(Clone)]
pub struct Slice {
    pub(super) database: Database,
    pub(super) directory: Arc<Directory>,
    pub(super) keys: Arc<Keys>,
    pub(super) misses: Arc<Misses>,
    pub(super) asked: Arc<Asked>,
    pub(super) buckets: Arc<Buckets>,
    /// The looks of this request.
    pub(super) seen: Arc<Seen>,
    /// From where the viewer asks.
    pub(super) origin: Option<IpAddr>,
    /// What the viewer asked for: the root fields.
    pub(super) purpose: Option<Arc<str>>,
    pub(super) viewer: Viewer,
    pub(super) clock: Clock,
    /// The scope of the act in which, or for whose answer, this slice reads.
    pub(super) acting: Option<Scope>,
}

impl Slice {
    pub fn viewer(&self) -> &Viewer {
        &self.viewer
    }

    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    pub fn today(&self) -> NaiveDate {
        self.clock.today()
    }

    /// The same slice at another time: a district is loaded with the dates of its past.
    pub fn at(&self, clock: Clock) -> Self {
        Self { clock, ..self.clone() }
    }

    /// The same slice, asked from an address.
    pub fn asked_from(self, origin: Option<IpAddr>) -> Self {
        Self { origin, ..self }
    }

    pub(super) fn origin(&self) -> Option<String> {
        self.origin.map(|address| address.to_string())
    }

    /// The same slice, for a request of these root fields; what it looks at is recorded with them.
    pub fn for_purpose(self, purpose: &str) -> Self {
        let purpose = purpose.chars().take(LONGEST_PURPOSE).collect::<String>().into();
        let seen = Arc::new(Seen::new(Arc::clone(self.seen.looks())));
        Self { purpose: Some(purpose), seen, ..self }
    }

    /// Refused unless the token has this scope.
    pub fn demand(&self, scope: Scope) -> Result<()> {
        if self.viewer.has(scope) || self.acting.is_some_and(|write| covers(write, scope)) {
            Ok(())
        } else {
            Err(Error::Forbidden { scope })
        }
    }

    /// The same slice for an act: it reads what its own scope writes.
    pub(super) fn acting(&self, scope: Scope) -> Self {
        Self { acting: Some(scope), ..self.clone() }
    }

    /// The rows of a table that the viewer sees; it can only be narrowed.
    pub fn select<E: Sliced>(&self) -> Result<Selection<'_, E>> {
        Selection::of_slice(self, self.database.reader())
    }

    /// [`Slice::select`] in another scope that the viewer has, which covers the table's own.
    pub(super) fn select_as<E: Sliced>(&self, scope: Scope) -> Result<Selection<'_, E>> {
        self.demand(scope)?;
        if let Some(read) = E::READ {
            self.acting(scope).demand(read)?;
        }
        Ok(Selection {
            connection: self.database.reader(),
            query: E::find().filter(E::rows(self.viewer.partner())),
        })
    }

    /// The rows that a door shows ([`crate::access::doors`]).
    pub(super) fn through<E: EntityTrait>(&self, door: impl IntoCondition) -> Selection<'_, E> {
        Selection { connection: self.database.reader(), query: E::find().filter(door.into_condition()) }
    }
}

/// Longest purpose of a look that is kept.
const LONGEST_PURPOSE: usize = 200;

/// What an act may read because it writes it.
pub(super) const fn covers(write: Scope, read: Scope) -> bool {
    matches!(
        (write, read),
        (Scope::SettlementWrite, Scope::SettlementRead)
            | (Scope::CardRedeem, Scope::CardRead)
            | (Scope::ReferralWrite, Scope::ReferralRead)
            | (Scope::StatementRead, Scope::StatementRead)
            | (Scope::StatementConfirm | Scope::StatementPay, Scope::StatementRead)
            | (Scope::BudgetWrite | Scope::BudgetRead, Scope::BudgetRead)
            | (Scope::AdministrationWrite | Scope::AdministrationRead, Scope::AdministrationRead)
            | (Scope::BudgetRead | Scope::AuditRead, Scope::StatementRead)
    )
}

/// A query whose policy is already in it.
pub struct Selection<'a, E: EntityTrait> {
    pub(super) connection: DatabaseExecutor<'a>,
    pub(super) query: Select<E>,
}

impl<'a, E: EntityTrait> Selection<'a, E> {
    pub(super) fn of_slice(slice: &Slice, connection: DatabaseExecutor<'a>) -> Result<Self>
    where
        E: Sliced,
    {
        if let Some(scope) = E::READ {
            slice.demand(scope)?;
        }
        Ok(Self { connection, query: E::find().filter(E::rows(slice.viewer.partner())) })
    }

    /// Only those for which this holds, too.
    pub fn only(self, condition: impl IntoCondition) -> Self {
        Self { query: self.query.filter(condition.into_condition()), ..self }
    }

    /// Only those for which this holds, when it was asked for.
    pub fn only_if<C: IntoCondition>(self, condition: Option<C>) -> Self {
        match condition {
            Some(condition) => self.only(condition),
            None => self,
        }
    }

    pub fn newest_first(self, column: E::Column) -> Self {
        Self { query: self.query.order_by(column, Order::Desc), ..self }
    }

    pub fn oldest_first(self, column: E::Column) -> Self {
        Self { query: self.query.order_by(column, Order::Asc), ..self }
    }

    pub fn limit(self, rows: u64) -> Self {
        Self { query: self.query.limit(rows), ..self }
    }

    /// Locks the rows until the act ends. SQLite has one writer and needs no such lock.
    pub(crate) fn locked(self) -> Self {
        Self { query: self.query.lock(sea_orm::sea_query::LockType::NoKeyUpdate), ..self }
    }

    pub async fn one(self) -> Result<Option<E::Model>> {
        Ok(self.query.one(&self.connection).await?)
    }

    pub async fn all(self) -> Result<Vec<E::Model>> {
        Ok(self.query.all(&self.connection).await?)
    }

    /// One page, newest first by a key that grows with time.
    pub async fn page<K>(
        self,
        page: &Page,
        key: E::Column,
        key_of: fn(&E::Model) -> K,
    ) -> Result<Paged<E::Model>>
    where
        K: Into<uuid::Uuid>,
    {
        let query = page.narrow(self.query.clone(), key);
        self.paged(page, query, key_of).await
    }

    /// One page, oldest first by a key that grows with time.
    pub async fn page_oldest_first<K>(
        self,
        page: &Page,
        key: E::Column,
        key_of: fn(&E::Model) -> K,
    ) -> Result<Paged<E::Model>>
    where
        K: Into<uuid::Uuid>,
    {
        let query = page.narrow_oldest_first(self.query.clone(), key);
        self.paged(page, query, key_of).await
    }

    async fn paged<K: Into<uuid::Uuid>>(
        self,
        page: &Page,
        narrowed: Select<E>,
        key_of: fn(&E::Model) -> K,
    ) -> Result<Paged<E::Model>> {
        let counted = match page.counts {
            true => Some(count(&self.connection, self.query.into_query()).await?),
            false => None,
        };
        let rows = narrowed.all(&self.connection).await?;
        Ok(page.cut(rows, |row| key_of(row).into(), counted))
    }

    /// The connection and the query, for a door that joins more to it.
    pub(super) fn into_parts(self) -> (DatabaseExecutor<'a>, Select<E>) {
        (self.connection, self.query)
    }
}

/// `totalCount`: exact up to this, unknown above, so that counting never grows with the table.
pub const COUNTED_UP_TO: u64 = 10_000;

/// How many rows a query finds; nothing when there are more than [`COUNTED_UP_TO`].
pub(super) async fn count(
    connection: &impl ConnectionTrait,
    mut query: SelectStatement,
) -> Result<Option<u64>> {
    query.clear_selects().clear_order_by().expr(Expr::value(1)).limit(COUNTED_UP_TO + 1);
    let outer =
        Query::select().expr(Expr::cust("CAST(COUNT(*) AS bigint)")).from_subquery(query, "found").to_owned();
    let row = connection.query_one(&outer).await?.ok_or_else(|| Error::internal("a count without a row"))?;
    let found = u64::try_from(row.try_get_by_index::<i64>(0)?).unwrap_or(u64::MAX);
    Ok((found <= COUNTED_UP_TO).then_some(found))
}
