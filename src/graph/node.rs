use std::sync::Arc;

use async_graphql::{Context, ID, Interface, Object};
use entity::id::{
    AgreementId, AidCardId, ClientId, ConsentId, Key, PartnerId, PolicyVersionId, ProgrammeId, RedemptionId,
    ReferralId, SettlementId, StaffId, StatementId,
};
use entity::{
    agreement, aid_card, client, consent, partner, policy_version, programme, redemption, referral_party,
    settlement, staff, statement,
};
use sea_orm::{ColumnTrait, Condition};
use uuid::Uuid;

use super::agreement::Agreement;
use super::aid_card::AidCard;
use super::client::Client;
use super::consent::Consent;
use super::partner::Partner;
use super::programme::{PolicyVersion, Programme};
use super::redemption::Redemption;
use super::referral::Referral;
use super::settlement::Settlement;
use super::slice;
use super::staff::Staff;
use super::statement::{Statement, with_totals};
use crate::access::policy::Sliced;
use crate::access::{Slice, may_hold};
use crate::error::{Error, Result};
use crate::page::{LARGEST_SIZE, Page, key_of, padded, prefix_of, uuid_of};

/// Anything with a global identity. An id is opaque to the client and prefixed by its type (`settlement_…`, a TypeID).
#[derive(Interface, Clone)]
#[graphql(field(name = "id", ty = "ID"))]
#[allow(clippy::large_enum_variant)]
pub enum Node {
    Partner(Partner),
    Agreement(Agreement),
    Programme(Programme),
    PolicyVersion(PolicyVersion),
    Settlement(Settlement),
    AidCard(AidCard),
    Redemption(Redemption),
    Referral(Referral),
    Consent(Consent),
    Statement(Statement),
    Client(Client),
    Staff(Staff),
}

/// What was found, by its key.
type Found = Vec<(Uuid, Node)>;

/// The things of one table that ids name; nothing when the viewer's kind of partner never reads that table.
async fn of_table<E, K>(
    slice: &Slice,
    ids: &[&str],
    key: E::Column,
    key_of_row: fn(&E::Model) -> K,
    node: impl Fn(E::Model) -> Node,
) -> Result<Found>
where
    E: Sliced,
    K: Key,
    sea_orm::Value: From<K>,
{
    if !reads(slice, E::READ) {
        return Ok(Vec::new());
    }
    let keys: Vec<K> = ids.iter().filter_map(|id| key_of::<K>(id)).collect();
    let rows = slice.select::<E>()?.only(key.is_in(padded(keys))).all().await?;
    Ok(rows.into_iter().map(|row| (key_of_row(&row).into(), node(row))).collect())
}

fn reads(slice: &Slice, scope: Option<entity::kinds::Scope>) -> bool {
    scope.is_none_or(|scope| may_hold(slice.viewer().kind(), scope))
}

/// The visible things that ids of one prefix name, in one statement.
async fn of_prefix(slice: &Slice, prefix: &str, ids: &[&str]) -> Result<Found> {
    match prefix {
        PartnerId::PREFIX => {
            of_table::<partner::Entity, _>(
                slice,
                ids,
                partner::Column::Id,
                |row| row.id,
                |row| Node::Partner(Partner(Arc::new(row))),
            )
            .await
        }
        AgreementId::PREFIX => {
            of_table::<agreement::Entity, _>(
                slice,
                ids,
                agreement::Column::Id,
                |row| row.id,
                |row| Node::Agreement(Agreement(row)),
            )
            .await
        }
        ProgrammeId::PREFIX => {
            of_table::<programme::Entity, _>(
                slice,
                ids,
                programme::Column::Id,
                |row| row.id,
                |row| Node::Programme(Programme(Arc::new(row))),
            )
            .await
        }
        PolicyVersionId::PREFIX => {
            of_table::<policy_version::Entity, _>(
                slice,
                ids,
                policy_version::Column::Id,
                |row| row.id,
                |row| Node::PolicyVersion(PolicyVersion(Arc::new(row))),
            )
            .await
        }
        SettlementId::PREFIX => {
            let settlement = Settlement::each(ids.iter().filter_map(|id| uuid_of(id)).collect());
            of_table::<settlement::Entity, _>(
                slice,
                ids,
                settlement::Column::Id,
                |row| row.id,
                |row| Node::Settlement(settlement(row)),
            )
            .await
        }
        AidCardId::PREFIX => {
            of_table::<aid_card::Entity, _>(
                slice,
                ids,
                aid_card::Column::Id,
                |row| row.id,
                |row| Node::AidCard(AidCard(row)),
            )
            .await
        }
        RedemptionId::PREFIX => {
            let redemption = Redemption::each(ids.iter().filter_map(|id| uuid_of(id)).collect());
            of_table::<redemption::Entity, _>(
                slice,
                ids,
                redemption::Column::Id,
                |row| row.id,
                |row| Node::Redemption(redemption(row)),
            )
            .await
        }
        ConsentId::PREFIX => {
            of_table::<consent::Entity, _>(
                slice,
                ids,
                consent::Column::Id,
                |row| row.id,
                |row| Node::Consent(Consent(row)),
            )
            .await
        }
        ClientId::PREFIX => {
            of_table::<client::Entity, _>(
                slice,
                ids,
                client::Column::Id,
                |row| row.id,
                |row| Node::Client(Client(row)),
            )
            .await
        }
        StaffId::PREFIX => {
            of_table::<staff::Entity, _>(
                slice,
                ids,
                staff::Column::Id,
                |row| row.id,
                |row| Node::Staff(Staff(row)),
            )
            .await
        }
        ReferralId::PREFIX => referrals(slice, ids).await,
        StatementId::PREFIX => statements(slice, ids).await,
        _ => Ok(Vec::new()),
    }
}

/// Referrals come with their person and consent, through the door of their list.
async fn referrals(slice: &Slice, ids: &[&str]) -> Result<Found> {
    if !reads(slice, referral_party::Entity::READ) {
        return Ok(Vec::new());
    }
    let keys: Vec<ReferralId> = ids.iter().filter_map(|id| key_of(id)).collect();
    let wanted = Condition::all().add(referral_party::Column::ReferralId.is_in(padded(keys)));
    let page = Page::new(Some(LARGEST_SIZE), None, None, None, false)?;
    let rows = slice.referrals(wanted, &page).await?.rows;
    let referral = Referral::each(&rows);
    Ok(rows.into_iter().map(|(_, row)| (row.referral.id.into(), Node::Referral(referral(row)))).collect())
}

/// Statements come with what their lines come to.
async fn statements(slice: &Slice, ids: &[&str]) -> Result<Found> {
    if !reads(slice, statement::Entity::READ) {
        return Ok(Vec::new());
    }
    let keys: Vec<StatementId> = ids.iter().filter_map(|id| key_of(id)).collect();
    let wanted = statement::Column::Id.is_in(padded(keys));
    let rows = slice.select::<statement::Entity>()?.only(wanted).all().await?;
    let whole = with_totals(slice, rows).await?;
    Ok(whole.into_iter().map(|statement| (statement.row.id.into(), Node::Statement(statement))).collect())
}

/// What the viewer sees of these ids, each at its place; null for the rest.
pub async fn nodes(slice: &Slice, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    found(slice, ids, Err).await
}

/// [`nodes`] for ids that the client did not choose: null also for what its scopes do not let it read.
pub async fn readable_nodes(slice: &Slice, ids: &[ID]) -> Result<Vec<Option<Node>>> {
    let unread = |error| match error {
        Error::Forbidden { .. } => Ok(Vec::new()),
        other => Err(other),
    };
    found(slice, ids, unread).await
}

async fn found(slice: &Slice, ids: &[ID], refused: fn(Error) -> Result<Found>) -> Result<Vec<Option<Node>>> {
    let mut prefixes: Vec<String> = ids.iter().filter_map(|id| prefix_of(id)).collect();
    prefixes.sort();
    prefixes.dedup();
    let mut found: Vec<Option<Node>> = ids.iter().map(|_| None).collect();
    for prefix in prefixes {
        let places: Vec<usize> = (0..ids.len())
            .filter(|place| prefix_of(&ids[*place]).as_deref() == Some(prefix.as_str()))
            .collect();
        let of_prefix_ids: Vec<&str> = places.iter().map(|place| ids[*place].as_str()).collect();
        for (key, node) in of_prefix(slice, &prefix, &of_prefix_ids).await.or_else(refused)? {
            for place in places.iter().copied().filter(|place| uuid_of(&ids[*place]) == Some(key)) {
                found[place] = Some(node.clone());
            }
        }
    }
    Ok(found)
}

/// The one thing that an id names.
pub async fn node(slice: &Slice, id: &ID) -> Result<Option<Node>> {
    Ok(nodes(slice, std::slice::from_ref(id)).await?.pop().flatten())
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any one thing by its id; null when it does not exist or is not in the viewer's slice: the two look alike.
    async fn node(&self, ctx: &Context<'_>, id: ID) -> Result<Option<Node>> {
        node(slice(ctx)?, &id).await
    }

    /// Several things by their ids, each at its place; at most 100.
    async fn nodes(&self, ctx: &Context<'_>, ids: Vec<ID>) -> Result<Vec<Option<Node>>> {
        nodes(slice(ctx)?, &ids).await
    }
}
