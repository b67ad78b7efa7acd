use std::collections::BTreeMap;

use async_graphql::{Context, Enum, InputObject, Object, SimpleObject};
use chrono::NaiveDate;
use entity::Fen;
use entity::kinds::{FundSource, PartnerKind};

use crate::access::{ActPlace, Slice};
use crate::error::Result;
use crate::graph::scalars::{Date, IdempotencyKey, Money};
use crate::graph::statement::fund_of;
use crate::graph::user_error::{UserError, user_errors};
use crate::graph::{slice, words};
use crate::refusal::{Reason, Refusal};
use crate::rules::calendar::{end_of_china_day, start_of_china_day};
use crate::rules::reconciliation::{Comparing, Difference, Ours, Remedy, Totals};

/// Longest range of days.
const MOST_DAYS: i64 = 366;

#[derive(InputObject)]
pub struct ReconcileInput {
    /// By the day of the act, China Standard Time. Inclusive.
    pub from: Date,
    /// Inclusive; at most 366 days from `from`.
    pub to: Date,
    /// May be left out by a partner that deals with one fund.
    pub fund: Option<words::FundSource>,
    /// At most 3,000, each key once.
    pub lines: Vec<ReconcileLineInput>,
}

/// One act of the range by its key, and what the partner counts as owed for it now, after refunds; "0.00" for one undone, which may
/// also be left out.
#[derive(InputObject)]
pub struct ReconcileLineInput {
    pub key: IdempotencyKey,
    pub amount: Money,
}

/// How an act compares.
#[derive(Enum, Copy, Clone, Eq, PartialEq)]
#[graphql(remote = "crate::rules::reconciliation::Result")]
pub enum ReconcileResult {
    Matched,
    /// Both know it, with other amounts.
    AmountDiffers,
    /// The bureau has it and the partner did not name it.
    OnlyOurs,
    /// The partner has it and the bureau does not: it never arrived, or was refused, or belongs to other days.
    OnlyTheirs,
    /// One side has taken it back and the other has not.
    ReversedOneSide,
}

/// An act on which the two sides differ.
#[derive(SimpleObject)]
pub struct ReconcileDifference {
    key: IdempotencyKey,
    result: ReconcileResult,
    /// What the bureau owes for it by now; null when it does not know it.
    ours: Option<Money>,
    /// What the partner stated; null when it did not.
    theirs: Option<Money>,
    /// The mutation that would settle it, if one would. Sent again, an act goes under its own key.
    remedy: Option<String>,
}

#[derive(SimpleObject)]
pub struct ReconcilePayload {
    /// Nothing differs.
    agreed: bool,
    matched: i32,
    /// Only the lines that do not match, by key.
    differences: Vec<ReconcileDifference>,
    user_errors: Vec<UserError>,
}

#[derive(Default)]
pub struct Reconcile;

#[Object]
impl Reconcile {
    /// Compare the partner's own lines for a day or more with the bureau's (对账); up to 3,000 lines a call, larger files by upload:
    /// `POST /reconcile` with `text/csv`. More than 3,000 differences are refused: shorten the range, or upload. Changes nothing and
    /// takes no key.
    async fn reconcile(&self, ctx: &Context<'_>, input: ReconcileInput) -> Result<Option<ReconcilePayload>> {
        let slice = slice(ctx)?;
        let mut theirs = BTreeMap::new();
        let mut refusals = Vec::new();
        for (place, line) in input.lines.iter().enumerate() {
            if theirs.insert(line.key.0.clone(), line.amount.0).is_some() {
                refusals.push(Refusal::new(Reason::KeyTwice, &["lines", &place.to_string(), "key"]));
            }
        }
        let days = Days { from: input.from.0, to: input.to.0 };
        refusals.extend(days.fault());
        if !refusals.is_empty() {
            return Ok(Some(refused(refusals)));
        }
        let mut against = Against::of(slice.clone(), days, fund_of(slice, input.fund), theirs);
        let mut differences = Vec::new();
        while let Some(more) = against.next().await? {
            differences.extend(more);
            if differences.len() > MOST_DIFFERENCES {
                let reason = Reason::TooManyDifferences { most: MOST_DIFFERENCES };
                return Ok(Some(refused(vec![Refusal::new(reason, &["to"])])));
            }
        }
        differences.sort_by(|one, other| one.key.cmp(&other.key));
        let kind = slice.viewer().kind();
        Ok(Some(ReconcilePayload {
            agreed: differences.is_empty(),
            matched: i32::try_from(against.totals().matched).unwrap_or(i32::MAX),
            differences: differences.into_iter().map(|one| difference(one, kind)).collect(),
            user_errors: Vec::new(),
        }))
    }
}

fn refused(refusals: Vec<Refusal>) -> ReconcilePayload {
    ReconcilePayload {
        agreed: false,
        matched: 0,
        differences: Vec::new(),
        user_errors: user_errors(refusals),
    }
}

/// Most differences that one answer tells.
const MOST_DIFFERENCES: usize = 3_000;

/// Days of acts, both inclusive.
#[derive(Clone, Copy)]
pub struct Days {
    pub from: NaiveDate,
    pub to: NaiveDate,
}

impl Days {
    /// What can be said against the range.
    pub fn fault(self) -> Option<Refusal> {
        if self.from > self.to {
            return Some(Refusal::new(Reason::FromAfterTo, &["from"]));
        }
        let too_many = (self.to - self.from).num_days() >= MOST_DAYS;
        too_many.then(|| Refusal::new(Reason::TooManyDays { most: MOST_DAYS }, &["to"]))
    }
}

/// A partner's lines against what it is owed, some acts at a time.
pub struct Against {
    slice: Slice,
    days: Days,
    fund: FundSource,
    comparing: Comparing,
    ours: Reading,
}

/// How far the bureau's own acts are read.
enum Reading {
    After(Option<ActPlace>),
    Done,
}

/// Most differences that come at a time once the bureau's acts are read.
const AT_A_TIME: usize = 1_000;

impl Against {
    pub fn of(slice: Slice, days: Days, fund: FundSource, theirs: BTreeMap<String, Fen>) -> Self {
        Self { slice, days, fund, comparing: Comparing::with(theirs), ours: Reading::After(None) }
    }

    /// The next differences: on acts that the bureau has, in the order in which they happened, then on what only the partner has,
    /// by key. Nothing when everything is compared.
    pub async fn next(&mut self) -> Result<Option<Vec<Difference>>> {
        let Reading::After(place) = self.ours else {
            let rest: Vec<Difference> =
                std::iter::from_fn(|| self.comparing.next_of_theirs()).take(AT_A_TIME).collect();
            return Ok(Some(rest).filter(|rest| !rest.is_empty()));
        };
        let (from, before) = (start_of_china_day(self.days.from), end_of_china_day(self.days.to));
        let (owed, place) = self.slice.owed(self.fund, from, before, place).await?;
        self.ours = place.map_or(Reading::Done, |place| Reading::After(Some(place)));
        let differences = owed.into_iter().filter_map(|owed| {
            let ours = Ours { amount: owed.amount, corrected: owed.corrected };
            self.comparing.ours(owed.key, ours)
        });
        Ok(Some(differences.collect()))
    }

    /// What it came to so far.
    pub fn totals(&self) -> Totals {
        self.comparing.totals()
    }
}

/// The mutation that would settle a difference.
pub fn remedy(remedy: Remedy, kind: PartnerKind) -> &'static str {
    let shop = kind == PartnerKind::CharitySupermarket;
    match remedy {
        Remedy::Repeat if shop => "redeemAidCard",
        Remedy::Repeat => "settle",
        Remedy::TakeBack | Remedy::GiveBackPart if shop => "refundRedemption",
        // A settlement is reversed whole and posted anew.
        Remedy::TakeBack | Remedy::GiveBackPart => "reverseSettlement",
        Remedy::Void => "voidOperation",
    }
}

fn difference(one: Difference, kind: PartnerKind) -> ReconcileDifference {
    ReconcileDifference {
        key: IdempotencyKey(one.key),
        result: one.result.into(),
        ours: one.ours.map(Money),
        theirs: one.theirs.map(Money),
        remedy: one.remedy.map(|one| remedy(one, kind).to_owned()),
    }
}
