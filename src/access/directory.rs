//! What does not change from request to request, kept for a few seconds: programmes and their rules, partners, agreements.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::NaiveDate;
use entity::id::{PartnerId, PolicyVersionId, ProgrammeId};
use entity::kinds::{FundSource, PartnerKind};
use entity::{agreement, cap_group, partner, policy_version, programme};
use quick_cache::sync::Cache;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use tokio::time::Instant;

use super::database::Database;
use super::policy::owns;
use crate::error::{Error, Result};

/// How old anything here may be.
pub const LONGEST_AGE: Duration = Duration::from_secs(4);

const CACHED_PARTNERS: usize = 10_000;

/// Programmes with every version of their rules, and the bureaus: a few rows each.
pub struct Reference {
    programmes: BTreeMap<ProgrammeId, Arc<programme::Model>>,
    versions: Vec<Arc<policy_version::Model>>,
    cap_groups: Vec<cap_group::Model>,
    /// The bureaus and the charity federations: whose money it is.
    owners: Vec<Arc<partner::Model>>,
}

/// Whether a day lies in a period whose end, if it has one, counts.
pub fn in_force(from: NaiveDate, to: Option<NaiveDate>, on: NaiveDate) -> bool {
    from <= on && to.is_none_or(|to| on <= to)
}

impl Reference {
    pub fn programme(&self, id: ProgrammeId) -> Option<&Arc<programme::Model>> {
        self.programmes.get(&id)
    }

    pub fn programme_of_code(&self, code: &str) -> Option<&Arc<programme::Model>> {
        self.programmes.values().find(|programme| programme.code == code)
    }

    pub fn version(&self, id: PolicyVersionId) -> Option<&Arc<policy_version::Model>> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// Every version in force on a day, one per programme, in stacking order.
    pub fn versions_on(&self, on: NaiveDate) -> impl Iterator<Item = &Arc<policy_version::Model>> {
        self.versions.iter().filter(move |version| in_force(version.valid_from, version.valid_to, on))
    }

    /// The cap group's rule on a day.
    pub fn cap_group(&self, code: &str, on: NaiveDate) -> Option<&cap_group::Model> {
        self.cap_groups
            .iter()
            .find(|group| group.code == code && in_force(group.valid_from, group.valid_to, on))
    }

    /// Every bureau.
    pub fn bureaus(&self) -> impl Iterator<Item = &Arc<partner::Model>> {
        self.owners.iter().filter(|owner| owner.kind == PartnerKind::Bureau)
    }

    /// The owners of a fund.
    pub fn owners_of(&self, fund: FundSource) -> impl Iterator<Item = PartnerId> {
        self.owners.iter().filter(move |owner| owns(owner, fund)).map(|owner| owner.id)
    }

    /// The bureaus in whose territory an area lies.
    pub fn bureaus_above<'a>(&'a self, area: &'a str) -> impl Iterator<Item = &'a Arc<partner::Model>> {
        self.bureaus().filter(move |bureau| area.starts_with(&bureau.area))
    }
}

struct Aged<T> {
    value: T,
    at: Instant,
}

/// The process-wide cache; bounded in size and in age.
pub struct Directory {
    database: Database,
    age: Duration,
    reference: Mutex<Option<Arc<Aged<Arc<Reference>>>>>,
    partners: Cache<PartnerId, Arc<Aged<Arc<partner::Model>>>>,
    agreements: Cache<PartnerId, Arc<Aged<Arc<Vec<agreement::Model>>>>>,
}

impl Directory {
    pub(super) fn new(database: Database, age: Duration) -> Self {
        Self {
            database,
            age,
            reference: Mutex::new(None),
            partners: Cache::new(CACHED_PARTNERS),
            agreements: Cache::new(CACHED_PARTNERS),
        }
    }

    /// The same directory inside a load.
    pub(super) fn within(&self, database: Database) -> Self {
        Self::new(database, self.age)
    }

    fn fresh<T>(&self, aged: &Aged<T>) -> bool {
        aged.at.elapsed() < self.age
    }

    /// Programmes, rules and bureaus.
    pub async fn reference(&self) -> Result<Arc<Reference>> {
        let known = self.reference.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| self.fresh(known)) {
            return Ok(Arc::clone(&known.value));
        }
        let reader = self.database.reader();
        let at = Instant::now();
        let programmes = programme::Entity::find().all(&reader).await?;
        let versions = policy_version::Entity::find()
            .order_by_asc(policy_version::Column::StackingOrder)
            .order_by_asc(policy_version::Column::Id)
            .all(&reader)
            .await?;
        let cap_groups = cap_group::Entity::find().all(&reader).await?;
        let owners = partner::Entity::find()
            .filter(partner::Column::Kind.is_in([PartnerKind::Bureau, PartnerKind::CharityFederation]))
            .all(&reader)
            .await?;
        let value = Arc::new(Reference {
            programmes: programmes.into_iter().map(|row| (row.id, Arc::new(row))).collect(),
            versions: versions.into_iter().map(Arc::new).collect(),
            cap_groups,
            owners: owners.into_iter().map(Arc::new).collect(),
        });
        let aged = Arc::new(Aged { value: Arc::clone(&value), at });
        *self.reference.lock().unwrap_or_else(PoisonError::into_inner) = Some(aged);
        Ok(value)
    }

    /// A partner by its key; for rows that the viewer already sees and that point to it.
    pub async fn partner(&self, id: PartnerId) -> Result<Arc<partner::Model>> {
        if let Some(known) = self.partners.get(&id).filter(|known| self.fresh(known)) {
            return Ok(Arc::clone(&known.value));
        }
        let at = Instant::now();
        let row = partner::Entity::find_by_id(id)
            .one(&self.database.reader())
            .await?
            .ok_or_else(|| Error::internal("a row points to a partner that is not there"))?;
        let value = Arc::new(row);
        self.partners.insert(id, Arc::new(Aged { value: Arc::clone(&value), at }));
        Ok(value)
    }

    /// Every agreement of a partner, ended ones too, oldest first.
    pub async fn agreements(&self, id: PartnerId) -> Result<Arc<Vec<agreement::Model>>> {
        if let Some(known) = self.agreements.get(&id).filter(|known| self.fresh(known)) {
            return Ok(Arc::clone(&known.value));
        }
        let at = Instant::now();
        let rows = agreement::Entity::find()
            .filter(agreement::Column::PartnerId.eq(id))
            .order_by_asc(agreement::Column::ValidFrom)
            .all(&self.database.reader())
            .await?;
        let value = Arc::new(rows);
        self.agreements.insert(id, Arc::new(Aged { value: Arc::clone(&value), at }));
        Ok(value)
    }

    /// Whether a partner had an agreement for a programme on a day.
    pub async fn agreed(&self, partner: PartnerId, programme: ProgrammeId, on: NaiveDate) -> Result<bool> {
        Ok(self.agreements(partner).await?.iter().any(|agreement| {
            agreement.programme_id == programme && in_force(agreement.valid_from, agreement.valid_to, on)
        }))
    }
}
