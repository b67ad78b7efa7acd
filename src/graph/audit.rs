use std::collections::HashMap;

use async_graphql::{Context, Enum, ID, Object};
use entity::id::{AuditRecordId, PostingId};
use entity::{audit_record, entry};
use sea_orm::ColumnTrait;

use super::connection::{List, list, page};
use super::partner::Partner;
use super::scalars::{DateTime, Money};
use super::{slice, words};
use crate::error::Result;
use crate::page::{first_key_after, first_key_at, padded, type_id};

/// How what an audit record tells of ended.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "entity::kinds::AuditOutcome")]
pub enum AuditOutcome {
    /// An act that was done.
    Done,
    /// An act that was refused; nothing was done.
    Refused,
    /// Personal data were looked at, masked.
    Looked,
    /// Personal data were shown in the clear, as a consent allows.
    Unmasked,
}

/// Who did or looked at what, when and from where.
pub struct AuditRecord(audit_record::Model);

/// Who did or looked at what, when and from where. Records are sealed within seconds; `onestop audit` verifies the seals.
#[Object]
impl AuditRecord {
    async fn at(&self) -> DateTime {
        DateTime(self.0.at)
    }

    async fn partner(&self, ctx: &Context<'_>) -> Result<Partner> {
        Ok(Partner(slice(ctx)?.directory().partner(self.0.partner_id).await?))
    }

    /// The token (`jti`) that was presented.
    async fn client(&self) -> String {
        type_id(self.0.token_id)
    }

    /// Who pressed the button at the partner's side, as the partner stated it.
    async fn operator_code(&self) -> Option<&str> {
        self.0.operator_code.as_deref()
    }

    async fn scope(&self) -> words::Scope {
        self.0.scope.into()
    }

    /// The mutation; for a look the root fields that were asked, which are its purpose.
    async fn act(&self) -> &str {
        &self.0.act
    }

    async fn outcome(&self) -> AuditOutcome {
        self.0.outcome.into()
    }

    /// The ids of what it is about, separated by spaces; null when nothing was done.
    async fn subject(&self) -> Option<&str> {
        self.0.subject.as_deref()
    }

    async fn operation_key(&self) -> Option<&str> {
        self.0.operation_key.as_deref()
    }

    /// SHA-256 of the rows before the act changed them, in hexadecimal digits; null when it only added.
    async fn before_digest(&self) -> Option<String> {
        self.0.before_digest.as_ref().map(|digest| hex(&digest.0))
    }

    /// SHA-256 of the rows that the act wrote.
    async fn after_digest(&self) -> Option<String> {
        self.0.after_digest.as_ref().map(|digest| hex(&digest.0))
    }

    /// The address of the client's end of the connection; null for what the server did by the clock.
    async fn origin(&self) -> Option<&str> {
        self.0.origin.as_deref()
    }

    /// The seal that covers it; null for a moment.
    async fn seal_number(&self) -> Option<String> {
        self.0.seal_number.map(|number| number.to_string())
    }
}

/// Bytes in hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A set of entries that sum to 0.00 in one book; none is ever changed.
pub struct Posting {
    first: entry::Model,
    entries: Vec<entry::Model>,
}

/// A set of entries that sum to 0.00 in one book; none is ever changed.
#[Object]
impl Posting {
    async fn id(&self) -> String {
        type_id(self.first.posting_id)
    }

    async fn book(&self) -> words::FundSource {
        self.first.book.into()
    }

    /// e.g. `SETTLEMENT`, `REFUND`, `PAYMENT`.
    async fn kind(&self) -> &str {
        self.first.kind.word()
    }

    /// The posting that it corrects.
    async fn corrects(&self) -> Option<String> {
        self.first.corrects.map(type_id)
    }

    /// The key of the original act.
    async fn operation_key(&self) -> &str {
        &self.first.operation_key
    }

    /// Invoice, receipt or bank reference.
    async fn reference(&self) -> Option<&str> {
        self.first.reference.as_deref()
    }

    async fn posted_at(&self) -> DateTime {
        DateTime(self.first.posted_at)
    }

    async fn entries(&self) -> Vec<LedgerEntry> {
        self.entries.iter().cloned().map(LedgerEntry).collect()
    }
}

/// One side of a posting.
pub struct LedgerEntry(entry::Model);

/// One side of a posting.
#[Object]
impl LedgerEntry {
    /// e.g. `PAYABLE`, `SPENDING`, `CARD`.
    async fn account(&self) -> &str {
        self.0.account.word()
    }

    /// Debit is positive, credit negative.
    async fn amount(&self) -> Money {
        Money(self.0.amount)
    }

    async fn programme_id(&self) -> Option<ID> {
        self.0.programme_id.map(|id| ID(type_id(id)))
    }

    /// The budget's year; of an entitlement the benefit year.
    async fn year(&self) -> Option<i32> {
        self.0.year
    }

    async fn partner_id(&self) -> Option<ID> {
        self.0.partner_id.map(|id| ID(type_id(id)))
    }

    async fn aid_card_id(&self) -> Option<ID> {
        self.0.aid_card_id.map(|id| ID(type_id(id)))
    }

    async fn statement_id(&self) -> Option<ID> {
        self.0.statement_id.map(|id| ID(type_id(id)))
    }
}

#[derive(Default)]
pub struct AuditQuery;

#[Object]
impl AuditQuery {
    /// Auditor: the audit trail, newest first. `from` inclusive, `to` exclusive.
    #[allow(clippy::too_many_arguments)]
    async fn audit_trail(
        &self,
        ctx: &Context<'_>,
        from: Option<DateTime>,
        to: Option<DateTime>,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<AuditRecord>>> {
        use audit_record::Column::{At, Id};
        let page = page(ctx, first, after, last, before)?;
        let rows = slice(ctx)?
            .select::<audit_record::Entity>()?
            .only_if(from.as_ref().map(|from| Id.gte(first_key_at::<AuditRecordId>(from.0))))
            .only_if(from.map(|from| At.gte(from.0)))
            .only_if(to.as_ref().map(|to| Id.lt(first_key_after::<AuditRecordId>(to.0))))
            .only_if(to.map(|to| At.lt(to.0)))
            .page(&page, Id, |row| row.id)
            .await?;
        Ok(Some(list(rows, AuditRecord)))
    }

    /// Auditor: who looked at a person, and which acts wrote something of theirs, newest first. `subject` is the id of a settlement,
    /// a referral or an aid card of theirs, or of the person; null when it leads to nobody.
    async fn looks_at_person(
        &self,
        ctx: &Context<'_>,
        subject: ID,
        first: Option<i32>,
        after: Option<String>,
        last: Option<i32>,
        before: Option<String>,
    ) -> Result<Option<List<AuditRecord>>> {
        let page = page(ctx, first, after, last, before)?;
        let found = slice(ctx)?.looks_at_person(&subject, &page).await?;
        Ok(found.map(|records| list(records, AuditRecord)))
    }

    /// Auditor: the postings of the ledger, newest first. `from` inclusive, `to` exclusive.
    async fn ledger(
        &self,
        ctx: &Context<'_>,
        from: Option<DateTime>,
        to: Option<DateTime>,
        first: Option<i32>,
        after: Option<String>,
    ) -> Result<Option<List<Posting>>> {
        use entry::Column::{PostedAt, PostingId as Id};
        let page = page(ctx, first, after, None, None)?;
        let slice = slice(ctx)?;
        let paged = slice
            .ledger()?
            .only(entry::Column::Number.eq(0))
            .only_if(from.as_ref().map(|from| Id.gte(first_key_at::<PostingId>(from.0))))
            .only_if(from.map(|from| PostedAt.gte(from.0)))
            .only_if(to.as_ref().map(|to| Id.lt(first_key_after::<PostingId>(to.0))))
            .only_if(to.map(|to| PostedAt.lt(to.0)))
            .page(&page, Id, |row| row.posting_id)
            .await?;
        let ids: Vec<PostingId> = paged.rows.iter().map(|(_, row)| row.posting_id).collect();
        let all = match ids.is_empty() {
            true => Vec::new(),
            false => {
                let of_page = slice.ledger()?.only(Id.is_in(padded(ids)));
                of_page.oldest_first(Id).oldest_first(entry::Column::Number).all().await?
            }
        };
        let mut entries: HashMap<PostingId, Vec<entry::Model>> = HashMap::new();
        for entry in all {
            entries.entry(entry.posting_id).or_default().push(entry);
        }
        Ok(Some(list(paged, |first| {
            let entries = entries.get(&first.posting_id).cloned().unwrap_or_default();
            Posting { first, entries }
        })))
    }
}
