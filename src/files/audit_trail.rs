//! The audit trail of a period.

use entity::audit_record;
use entity::id::AuditRecordId;
use sea_orm::ColumnTrait;

use super::csv::{self, if_any, plain, text};
use super::period::Period;
use super::{Pieces, ROWS_AT_A_TIME, next, pages};
use crate::access::Slice;
use crate::error::Result;
use crate::graph::audit::hex;
use crate::graph::scalars::DateTime;
use crate::page::{first_key_after, first_key_at, type_id};

/// Named as the fields of `AuditRecord`; the partner by its code.
const COLUMNS: &[&str] = &[
    "at",
    "partner",
    "client",
    "operatorCode",
    "scope",
    "act",
    "outcome",
    "subject",
    "operationKey",
    "beforeDigest",
    "afterDigest",
    "origin",
    "sealNumber",
];

/// The audit trail, oldest first.
pub fn trail(slice: Slice, period: Period) -> Pieces {
    pages(COLUMNS, move |after| page(slice.clone(), period, after))
}

async fn page(
    slice: Slice,
    period: Period,
    after: Option<AuditRecordId>,
) -> Result<(Vec<u8>, Option<AuditRecordId>)> {
    use audit_record::Column::{At, Id};
    let rows = slice
        .select::<audit_record::Entity>()?
        .only(Id.gte(first_key_at::<AuditRecordId>(period.from)))
        .only(Id.lt(first_key_after::<AuditRecordId>(period.before)))
        .only(At.gte(period.from))
        .only(At.lt(period.before))
        .only_if(after.map(|after| Id.gt(after)))
        .oldest_first(Id)
        .limit(ROWS_AT_A_TIME)
        .all()
        .await?;
    let mut lines = Vec::new();
    for row in &rows {
        let partner = slice.directory().partner(row.partner_id).await?;
        let digest = |digest: &Option<entity::Digest>| if_any(digest.as_ref().map(|digest| hex(&digest.0)));
        let cells = [
            plain(DateTime(row.at).written()),
            text(&partner.code),
            plain(type_id(row.token_id)),
            text(row.operator_code.as_deref().unwrap_or_default()),
            plain(row.scope.word()),
            text(&row.act),
            plain(row.outcome.word()),
            text(row.subject.as_deref().unwrap_or_default()),
            text(row.operation_key.as_deref().unwrap_or_default()),
            digest(&row.before_digest),
            digest(&row.after_digest),
            text(row.origin.as_deref().unwrap_or_default()),
            if_any(row.seal_number.map(|number| number.to_string())),
        ];
        csv::write(&mut lines, cells);
    }
    Ok((lines, next(&rows, |row| row.id)))
}
