use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, OneofObject};
use entity::id::PartnerId;
use entity::partner;
use sea_orm::{ColumnTrait, Condition};

use super::connection::{List, list, page};
use super::{slice, words};
use crate::access::Selection;
use crate::error::{Error, Result};
use crate::page::{key_of, type_id};

/// A partner: an organisation that calls this API, or the bureau itself.
#[derive(Clone)]
pub struct Partner(pub Arc<partner::Model>);

/// A partner: an organisation that calls this API, or the bureau itself.
#[Object]
impl Partner {
    pub async fn id(&self) -> ID {
        type_id(self.0.id).into()
    }

    async fn kind(&self) -> words::PartnerKind {
        self.0.kind.into()
    }

    async fn name(&self) -> &str {
        &self.0.name
    }

    /// Unique and stable, e.g. `H41999900153`, `SM-RUHELU`.
    async fn code(&self) -> &str {
        &self.0.code
    }

    /// The area code of its territory: six digits for a district, nine for a sub-district, twelve for a community.
    async fn area(&self) -> &str {
        &self.0.area
    }
}

/// Names one partner, by one of these.
#[derive(OneofObject)]
pub enum PartnerBy {
    Id(ID),
    Code(String),
}

impl PartnerBy {
    /// The partner, if the viewer may refer to it or deal with it.
    pub async fn find(&self, partners: Selection<'_, partner::Entity>) -> Result<Option<partner::Model>> {
        match self {
            Self::Id(id) => match key_of::<PartnerId>(id) {
                Some(id) => partners.only(partner::Column::Id.eq(id)).one().await,
                None => Ok(None),
            },
            Self::Code(code) => partners.only(partner::Column::Code.eq(code.as_str())).one().await,
        }
    }
}

#[derive(InputObject)]
pub struct PartnerFilter {
    kind: Option<Vec<words::PartnerKind>>,
    /// An area code; partners in that territory. Two, four, six, nine or twelve digits.
    area: Option<String>,
}

#[derive(Default)]
pub struct PartnerQuery;

#[Object]
impl PartnerQuery {
    /// One partner that the viewer may refer to or deal with.
    async fn partner(&self, ctx: &Context<'_>, by: PartnerBy) -> Result<Option<Partner>> {
        Ok(by.find(slice(ctx)?.select()?).await?.map(|row| Partner(Arc::new(row))))
    }

    /// Partners that the viewer may refer to or deal with.
    async fn partners(
        &self,
        ctx: &Context<'_>,
        filter: Option<PartnerFilter>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<Partner>>> {
        let page = page(ctx, first, after, last, before)?;
        let filter = filter.unwrap_or(PartnerFilter { kind: None, area: None });
        if filter.area.as_deref().is_some_and(|area| !is_area(area)) {
            return Err(Error::invalid("area", "must be an area code of 2, 4, 6, 9 or 12 digits."));
        }
        let kinds = filter.kind.map(words::distinct::<_, entity::kinds::PartnerKind>);
        let rows = slice(ctx)?
            .select::<partner::Entity>()?
            .only_if(kinds.map(|kinds| partner::Column::Kind.is_in(kinds)))
            .only_if(filter.area.as_deref().map(within))
            .page(&page, partner::Column::Id, |row| row.id)
            .await?;
        Ok(Some(list(rows, |row| Partner(Arc::new(row)))))
    }
}

/// Whether a text is an area code.
pub fn is_area(text: &str) -> bool {
    matches!(text.len(), 2 | 4 | 6 | 9 | 12) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The partners of a territory, as a range that an index serves: a letter sorts after every digit.
fn within(area: &str) -> Condition {
    Condition::all().add(partner::Column::Area.gte(area)).add(partner::Column::Area.lt(format!("{area}A")))
}
