//! Receipts against the acts that keep them. Whoever can write to the database can make rows and postings agree with each other, but
//! cannot sign what they came to.

use chrono::{DateTime, SecondsFormat, Utc};
use entity::kinds::PostingKind;
use entity::{entry, operation, partner};
use futures_util::TryStreamExt;
use sea_orm::{DatabaseTransaction, FromQueryResult, IdenStatic, Iterable, Statement, StreamTrait};
use serde_json::Value as Json;
use uuid::Uuid;

use super::super::jwks::PublicKeys;
use super::super::receipt::{Receipt, moved};
use super::super::token::Gate;
use super::{Finding, Told};
use crate::error::Result;
use crate::page::{type_id, uuid_of};

const OPERATION: &str = "o_";
const PARTNER: &str = "p_";
const UNDONE: &str = "u_";
const ENTRY: &str = "e_";

const VOID: &str = "voidOperation";
/// What always moves money; a void does when there is some to move.
const MOVING: &str =
    "'settle', 'reverseSettlement', 'redeemAidCard', 'refundRedemption', 'payStatement', 'appropriate'";

/// Holds every receipt against its act and against what the ledger says that the act moved. An act and its postings have one time,
/// so that no more is remembered than what happened in one microsecond.
pub(super) async fn verify(snapshot: &DatabaseTransaction, gate: &Gate, told: &mut Told<'_>) -> Result<()> {
    let keys = gate.keys().public();
    let statement = Statement::from_string(snapshot.get_database_backend(), every_act_and_posting());
    let mut rows = snapshot.stream_raw(statement).await?;
    let mut moment = Moment::default();
    while let Some(row) = rows.try_next().await? {
        let at: DateTime<Utc> = row.try_get("", "moment")?;
        if moment.at != at {
            std::mem::replace(&mut moment, Moment { at, ..Moment::default() }).judge(&keys, told)?;
        }
        if let Some(operation) = operation::Model::from_query_result_optional(&row, OPERATION)? {
            let partner = partner::Model::from_query_result(&row, PARTNER)?;
            let undone = operation::Model::from_query_result_optional(&row, UNDONE)?;
            moment.acts.push(Act { operation, partner, undone });
        } else {
            moment.entries.push(entry::Model::from_query_result(&row, ENTRY)?);
        }
    }
    moment.judge(&keys, told)
}

/// Acts with what they undid, and entries of what partners are owed and of the funds' treasuries, by time. What months carry moves
/// nothing between partners and funds.
fn every_act_and_posting() -> String {
    let of = |table: &str, prefix: &str, columns: &[&str]| -> (Vec<String>, Vec<String>) {
        let read = columns.iter().map(|column| format!("{table}.{column} AS {prefix}{column}"));
        let none = columns.iter().map(|column| format!("NULL AS {prefix}{column}"));
        (read.collect(), none.collect())
    };
    let columns: Vec<&str> = operation::Column::iter().map(|column| column.as_str()).collect();
    let (operations, no_operation) = of("operation", OPERATION, &columns);
    let (undone, none_undone) = of("undone", UNDONE, &columns);
    let columns: Vec<&str> = partner::Column::iter().map(|column| column.as_str()).collect();
    let (partners, no_partner) = of("partner", PARTNER, &columns);
    let columns: Vec<&str> = entry::Column::iter().map(|column| column.as_str()).collect();
    let (entries, no_entry) = of("entry", ENTRY, &columns);
    format!(
        "SELECT operation.at AS moment, {} FROM operation JOIN partner ON partner.id = operation.partner_id \
         LEFT JOIN operation AS undone ON operation.mutation = '{VOID}' AND undone.partner_id = operation.partner_id \
         AND undone.key = operation.answer ->> 'result' AND undone.voided_by = operation.key \
         WHERE operation.answer ->> 'receipt' IS NOT NULL \
         OR (operation.status <> 'REJECTED' AND operation.mutation IN ({MOVING}, '{VOID}')) \
         UNION ALL SELECT entry.posted_at, {} FROM entry WHERE entry.account IN ('PAYABLE', 'TREASURY') \
         AND entry.kind <> 'CARRY_FORWARD' \
         ORDER BY moment",
        [operations, partners, undone, no_entry].concat().join(", "),
        [no_operation, no_partner, none_undone, entries].concat().join(", "),
    )
}

/// What happened at one time.
#[derive(Default)]
struct Moment {
    at: DateTime<Utc>,
    acts: Vec<Act>,
    entries: Vec<entry::Model>,
}

struct Act {
    operation: operation::Model,
    partner: partner::Model,
    /// What a void undid.
    undone: Option<operation::Model>,
}

impl Moment {
    fn judge(mut self, keys: &PublicKeys, told: &mut Told<'_>) -> Result<()> {
        // What a void moved is what no act that names its posting did.
        self.acts.sort_by_key(|act| act.operation.mutation == VOID);
        for act in &self.acts {
            let own = self.entries.extract_if(.., |entry| act.posted(entry)).collect::<Vec<_>>();
            act.judge(&own, keys, told)?;
        }
        self.entries.sort_by_key(|entry| entry.posting_id);
        self.entries.dedup_by_key(|entry| entry.posting_id);
        for entry in self.entries {
            told.finding(Finding {
                kind: "receipt.posting",
                table: "entry",
                row: type_id(entry.posting_id),
                found: "no act".into(),
                expected: "an act".into(),
                means: "What a partner is owed, or a fund has, was changed by a posting of no act at its time.",
                warning: false,
            });
        }
        Ok(())
    }
}

impl Act {
    /// Whether an entry of the act's time is of its posting.
    fn posted(&self, entry: &entry::Model) -> bool {
        use PostingKind::{Appropriation, Payment, Redemption, Refund, Reversal, Settlement};
        let done = self.undone.as_ref().unwrap_or(&self.operation);
        let Some(result) = text(&done.answer, "result").and_then(uuid_of) else { return false };
        let posting = Uuid::from(entry.posting_id) == result;
        let about = entry.source_id == result;
        let corrects = entry.corrects.is_some_and(|corrects| Uuid::from(corrects) == result);
        match (self.undone.is_some(), done.mutation.as_str(), entry.kind) {
            (false, "settle", Settlement)
            | (false, "redeemAidCard", Redemption)
            | (false, "refundRedemption", Refund) => posting,
            (false, "reverseSettlement", Reversal) | (false, "payStatement", Payment) => about,
            // A programme may be given money for two years at one time.
            (false, "appropriate", Appropriation) => about && entry.operation_key == done.key,
            (true, "settle", Reversal)
            | (true, "redeemAidCard", Refund)
            | (true, "refundRedemption", Refund) => corrects,
            _ => false,
        }
    }

    fn judge(&self, own: &[entry::Model], keys: &PublicKeys, told: &mut Told<'_>) -> Result<()> {
        let moved = moved(own, &self.partner)?.map(|amount| amount.to_yuan().to_string());
        let Some(kept) = self.operation.answer.get("receipt").filter(|kept| !kept.is_null()) else {
            if moved.is_some() || self.operation.mutation != VOID {
                let means = "An act that moves money kept no receipt of it.";
                told.finding(self.finding("receipt.missing", "none".into(), "a receipt".into(), means));
            }
            return Ok(());
        };
        let receipt = match Receipt::verify(kept.as_str().unwrap_or_default(), keys) {
            Ok(receipt) => receipt,
            Err(flaw) => {
                let means = "What is kept as the receipt of the act was not signed by this server's key.";
                let found = flaw.to_string().escape_debug().to_string();
                told.finding(self.finding("receipt.signature", found, "a receipt".into(), means));
                return Ok(());
            }
        };
        if let Some((found, expected)) = self.differing(&receipt) {
            let means = "The act is not the one of which its receipt tells.";
            told.finding(self.finding("receipt.act", found, expected, means));
        }
        let moved = moved.unwrap_or_else(|| "nothing".into());
        if moved != receipt.amount {
            let means = "What the ledger says that the act moved is not what its receipt says.";
            told.finding(self.finding("receipt.amount", moved, receipt.amount, means));
        }
        Ok(())
    }

    /// What the act says otherwise than its receipt, and what the receipt says.
    fn differing(&self, receipt: &Receipt) -> Option<(String, String)> {
        let operation = &self.operation;
        let at = operation.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let said = [
            ("mutation", operation.mutation.as_str(), &receipt.mutation),
            ("key", operation.key.as_str(), &receipt.key),
            ("result", text(&operation.answer, "result").unwrap_or_default(), &receipt.result),
            ("partner", self.partner.code.as_str(), &receipt.partner),
            ("at", at.as_str(), &receipt.at),
        ];
        let (name, found, expected) = said.into_iter().find(|(_, found, expected)| found != expected)?;
        let told = |value: &str| format!("{name} {}", value.escape_debug());
        Some((told(found), told(expected)))
    }

    fn finding(&self, kind: &'static str, found: String, expected: String, means: &'static str) -> Finding {
        let row = format!("{} {}", type_id(self.partner.id), self.operation.key.escape_debug());
        Finding { kind, table: "operation", row, found, expected, means, warning: false }
    }
}

fn text<'a>(answer: &'a Json, member: &str) -> Option<&'a str> {
    answer.get(member)?.as_str()
}
