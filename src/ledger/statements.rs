//! Into which of a partner's statements something goes.

use chrono::{DateTime, Utc};
use entity::id::{PartnerId, StatementId};
use entity::kinds::{FundSource, StatementStatus};
use entity::statement;

use crate::access::Act;
use crate::error::{Error, Result};
use crate::rules::calendar::{month_after, month_of};

/// The statement that takes what was done at an instant: that of its month (China Standard Time) until it is confirmed, afterwards
/// the next open one. It stays open until the act ends.
pub async fn open(
    act: &mut Act,
    partner: PartnerId,
    fund: FundSource,
    acted_at: DateTime<Utc>,
) -> Result<StatementId> {
    Ok(open_from(act, partner, fund, month_of(acted_at)).await?.id)
}

/// The next open statement after one. It stays open until the act ends.
pub(super) async fn open_after(act: &mut Act, row: &statement::Model) -> Result<statement::Model> {
    open_from(act, row.partner_id, row.fund, following(&row.month)?).await
}

fn following(month: &str) -> Result<String> {
    month_after(month).ok_or_else(|| Error::internal("a month that is none"))
}

/// The first open statement of a month or later ones.
async fn open_from(
    act: &mut Act,
    partner: PartnerId,
    fund: FundSource,
    first: String,
) -> Result<statement::Model> {
    // Twice: another act may make the same statement between the look and the insert, which then waits for it.
    for _ in 0..2 {
        let known = act.hold_statements(partner, fund, &first).await?;
        let mut month = first.clone();
        for statement in known {
            if statement.month != month {
                break;
            }
            if statement.status == StatementStatus::Open {
                return Ok(statement);
            }
            month = following(&month)?;
        }
        let row = statement::Model {
            id: act.new_id(),
            partner_id: partner,
            fund,
            month,
            status: StatementStatus::Open,
            count: None,
            gross: None,
            reversed: None,
            confirmed_at: None,
            paid_at: None,
            bank_reference: None,
        };
        if act.insert_if_new::<statement::Entity>(&row).await? {
            return Ok(row);
        }
    }
    Err(Error::internal("a statement is neither there nor can be made"))
}
