//! The named ways to rows that a policy alone does not show: each takes something that only the rightful can have.

use std::collections::HashSet;

use entity::id::{ConsentId, ReferralId};
use entity::kinds::Scope;
use entity::{NationalId, consent, person, referral, referral_event, referral_party};
use sea_orm::sea_query::{Expr, ExprTrait, LockType, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, FromQueryResult, Order, QueryFilter, QuerySelect,
    QueryTrait,
};

use super::act::Act;
use super::slice::{Slice, count};
use crate::error::Result;
use crate::page::{Page, Paged, padded};

/// A referral with what its list shows at once: the viewer's party row, the matched person, the consent.
#[derive(Clone, Debug)]
pub struct ReferralRow {
    pub referral: referral::Model,
    pub party: referral_party::Model,
    pub person: Option<person::Model>,
    pub consent: Option<consent::Model>,
}

impl Slice {
    /// One referral of the viewer's, with its person and consent.
    pub async fn referral(&self, condition: Condition) -> Result<Option<ReferralRow>> {
        let (connection, query) = self.select::<referral_party::Entity>()?.into_parts();
        let row = with_person(query).filter(condition).one(&connection).await?;
        Ok(row.and_then(assemble))
    }

    /// Some of the viewer's referrals, each with its person and consent.
    pub(super) async fn referrals_of(&self, condition: Condition) -> Result<Vec<ReferralRow>> {
        let (connection, query) = self.select::<referral_party::Entity>()?.into_parts();
        let rows = with_person(query).filter(condition).all(&connection).await?;
        Ok(rows.into_iter().filter_map(assemble).collect())
    }

    /// Which of these consents stand now.
    pub async fn standing_consents(&self, consents: Vec<ConsentId>) -> Result<HashSet<ConsentId>> {
        let wanted = Condition::all()
            .add(consent::Column::Id.is_in(padded(consents)))
            .add(consent::Column::WithdrawnAt.is_null());
        let rows = self.through::<consent::Entity>(wanted).all().await?;
        Ok(rows.into_iter().map(|row| row.id).collect())
    }

    /// A page of the viewer's referrals, each with its person and consent, in one statement.
    pub async fn referrals(&self, condition: Condition, page: &Page) -> Result<Paged<ReferralRow>> {
        let (connection, query) = self.select::<referral_party::Entity>()?.into_parts();
        let query = with_person(query).filter(condition);
        let total = match page.counts {
            true => Some(count(&connection, query.clone().into_query()).await?),
            false => None,
        };
        let rows = page.narrow(query, referral_party::Column::ReferralId).all(&connection).await?;
        let rows = rows.into_iter().filter_map(assemble).collect();
        Ok(page.cut(rows, |row| row.referral.id.into(), total))
    }

    /// The newest events of referrals that the viewer holds, a page of each, in one statement. Whoever holds a referral may see
    /// its events: the scope was judged where the referral was read.
    pub async fn events_of(
        &self,
        referrals: &[ReferralId],
        page: &Page,
    ) -> Result<Vec<referral_event::Model>> {
        let mut wanted =
            Condition::all().add(referral_event::Column::ReferralId.is_in(padded(referrals.to_vec())));
        if let Some(after) = page.after() {
            wanted = wanted.add(referral_event::Column::Id.lt(after));
        }
        let holding = self.acting(Scope::ReferralWrite);
        let (connection, own) = holding.select::<referral_event::Entity>()?.into_parts();
        let ranked = own
            .filter(wanted)
            .expr_as(Expr::cust("ROW_NUMBER() OVER (PARTITION BY referral_id ORDER BY id DESC)"), "place")
            .into_query();
        let newest = Query::select()
            .columns([
                referral_event::Column::Id,
                referral_event::Column::ReferralId,
                referral_event::Column::At,
                referral_event::Column::Status,
                referral_event::Column::ActorId,
                referral_event::Column::NoteSealed,
            ])
            .from_subquery(ranked, "ranked")
            .and_where(Expr::col("place").lte(page.fetched()))
            .order_by(referral_event::Column::Id, Order::Desc)
            .to_owned();
        let rows = connection.query_all(&newest).await?;
        Ok(rows
            .iter()
            .map(|row| referral_event::Model::from_query_result(row, ""))
            .collect::<Result<_, _>>()?)
    }
}

impl Act {
    /// [`Slice::referral`] inside the act.
    pub async fn referral(&self, condition: Condition) -> Result<Option<ReferralRow>> {
        let (connection, query) = self.select::<referral_party::Entity>()?.into_parts();
        let row = with_person(query).filter(condition).one(&connection).await?;
        Ok(row.and_then(assemble))
    }

    /// Door: the person of the register whom a sender has stated, matched by the bureau alone: number and name must both be
    /// right, and the sender is not told whether they were. Nobody is forgotten until the act ends.
    pub async fn matched_person(&self, id: &NationalId, name: &str) -> Result<Option<person::Model>> {
        self.slice().demand(Scope::ReferralWrite)?;
        let stated = person::Column::DeskHash.eq(self.slice().keys().find_at_desk(id, name));
        Ok(person::Entity::find().filter(stated).lock(LockType::KeyShare).one(&self.executor()).await?)
    }
}

type Joined = (referral_party::Model, Option<referral::Model>, Option<person::Model>, Option<consent::Model>);

fn with_person(
    query: sea_orm::Select<referral_party::Entity>,
) -> sea_orm::SelectFour<
    referral_party::Entity,
    referral::Entity,
    person::Entity,
    consent::Entity,
    sea_orm::TopologyStar,
> {
    query
        .find_also_related(referral::Entity)
        .find_also(referral::Entity, person::Entity)
        .find_also(referral::Entity, consent::Entity)
}

fn assemble((party, referral, person, consent): Joined) -> Option<ReferralRow> {
    Some(ReferralRow { referral: referral?, party, person, consent })
}
