//! Invented budgets of the demo's programmes: for 2016, for this year and the next.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use entity::Fen;

use super::district::{BUREAU, CHARITY_FEDERATION};
use super::{Desks, china_time, done};
use crate::actions::appropriate::{AppropriateInput, appropriate};
use crate::error::Result;
use crate::graph::scalars::{IdempotencyKey, Money};
use crate::rules::calendar::china_date;

/// Owner, programme, yuan a year.
const BUDGETS: [(&str, &str, i64); 5] = [
    (BUREAU, "MEDICAL_ASSISTANCE", 1_200_000),
    (BUREAU, "VETERAN_REIMBURSEMENT", 300_000),
    (BUREAU, "TEMPORARY_ASSISTANCE", 400_000),
    (CHARITY_FEDERATION, "CHARITY_CARD", 1_000_000),
    (CHARITY_FEDERATION, "CHARITY_ILLNESS", 400_000),
];

pub(super) async fn appropriate_all(desks: &Desks, now: DateTime<Utc>) -> Result<()> {
    let this_year = china_date(now).year();
    for (owner, programme, yuan) in BUDGETS {
        for (year, given_in) in [(2016, 2016), (this_year, this_year), (this_year + 1, this_year)] {
            let new_year = NaiveDate::from_ymd_opt(given_in, 1, 1).unwrap_or_default();
            let input = AppropriateInput {
                key: IdempotencyKey(format!("{programme}-{year}")),
                programme_code: programme.into(),
                year,
                amount: Money(Fen::new(yuan * 100)),
                operator: None,
            };
            let slice = desks.at(owner, china_time(new_year, 8, 0).min(now))?;
            done("appropriation", appropriate(&slice, &input).await?)?;
        }
    }
    Ok(())
}
