//! The program's own commands act for the bureau: whoever runs them owns the database and its keys anyway. What they do is an act with
//! its audit record like anybody's.

use chrono::{DateTime, Utc};
use entity::id::{PartnerId, TokenId};
use entity::kinds::PartnerKind;
use entity::{partner, token};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QuerySelect};
use uuid::Uuid;

use super::slice::Slice;
use super::token::Gate;
use super::viewer::Viewer;
use crate::error::Result;

impl Gate {
    /// The bureau's slice with the right to administrate; none as long as there is no bureau. Nobody can present its token.
    pub async fn steward(&self) -> Result<Option<Slice>> {
        let Some(bureau) = self.bureau().await? else { return Ok(None) };
        let now = self.clock().now();
        let row = token_of(bureau.id, now);
        let id = row.id;
        token::Entity::insert(row.into_active_model().reset_all())
            .exec_without_returning(&self.database().reader())
            .await?;
        Ok(Some(self.slice_of(Viewer::steward(bureau, id))))
    }

    /// Lays down the bureau of a new installation; false when there is one.
    pub async fn found(&self, code: &str, name: &str, area: &str) -> Result<bool> {
        if self.bureau().await?.is_some() {
            return Ok(false);
        }
        let row = partner::Model {
            id: PartnerId::from(Uuid::now_v7()),
            code: code.to_owned(),
            kind: PartnerKind::Bureau,
            name: name.to_owned(),
            area: area.to_owned(),
            created_at: self.clock().now(),
            suspended_at: None,
        };
        partner::Entity::insert(row.into_active_model().reset_all())
            .exec_without_returning(&self.database().reader())
            .await?;
        Ok(true)
    }

    async fn bureau(&self) -> Result<Option<partner::Model>> {
        let bureaus = partner::Entity::find().filter(partner::Column::Kind.eq(PartnerKind::Bureau));
        Ok(bureaus.limit(1).one(&self.database().reader()).await?)
    }
}

fn token_of(bureau: PartnerId, now: DateTime<Utc>) -> token::Model {
    token::Model {
        id: TokenId::from(Uuid::now_v7()),
        partner_id: bureau,
        client_id: None,
        staff_id: None,
        scopes: String::new(),
        issued_at: now,
        expires_at: now,
        revoked_at: Some(now),
        key_thumbprint: None,
    }
}
