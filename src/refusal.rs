//! Business reasons why nothing was done: what `userErrors` carries, in two languages.

use chrono::NaiveDate;
use entity::Fen;
use entity::kinds::{GoodsCategory, PartnerKind, ReferralStatus};
use serde::{Deserialize, Serialize};

use crate::language::Language;

mod administration;
mod code;

pub use administration::Administrative;
pub use code::Code;

/// One reason, with what it takes to explain it. Stored with the answer, so that a replay says the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    pub reason: Reason,
    /// Path into the mutation's `input` (or, for a preview, its arguments).
    pub field: Vec<String>,
}

impl Refusal {
    pub fn new(reason: Reason, field: &[&str]) -> Self {
        Self { reason, field: field.iter().map(|step| (*step).to_owned()).collect() }
    }

    /// The same reason, found under a prefix of the input.
    pub fn under(mut self, prefix: &str) -> Self {
        self.field.insert(0, prefix.to_owned());
        self
    }
}

/// The typed reasons. Nothing personal may stand in them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Reason {
    NotFound,
    NotCovered,
    NoAgreement {
        on: NaiveDate,
    },
    NoPolicyInForce {
        on: NaiveDate,
    },
    Suspended,
    Deceased,
    ThirdPartyLiable,
    /// total cost against the sum of its four parts
    PartsDoNotAddUp {
        total: Fen,
        parts: Fen,
    },
    /// what others paid exceeds the total cost
    PaidExceedsTotal {
        total: Fen,
        paid: Fen,
    },
    /// goods lines against the amount
    LinesDoNotAddUp {
        amount: Fen,
        lines: Fen,
    },
    AmountDiffers {
        expected: Fen,
        due: Fen,
    },
    AdmittedAfterDischarge,
    DischargedInFuture {
        today: NaiveDate,
    },
    GivenInFuture {
        today: NaiveDate,
    },
    DuplicateInvoice,
    DuplicateInsurerSettlement,
    OverlappingStay,
    BudgetExhausted,
    AlreadyReversed,
    KeyReused,
    KeyVoided,
    NotVoidable {
        mutation: String,
    },
    /// the card number's check digit is wrong
    CardNumberMistyped,
    CardNotActivated,
    CardFrozen,
    CardExpired {
        on: NaiveDate,
    },
    CardCancelled,
    CardReplaced,
    InsufficientBalance {
        balance: Fen,
    },
    LinesRequired,
    CategoryNotAllowed {
        category: GoodsCategory,
    },
    PeriodLimitExceeded {
        limit: Fen,
        left: Fen,
    },
    DuplicateReceipt,
    RefundExceedsRedemption {
        left: Fen,
    },
    /// a refund cannot be voided once the card has spent it
    RefundSpent,
    IllegalTransition {
        from: ReferralStatus,
        to: ReferralStatus,
    },
    MayNotRefer {
        to: PartnerKind,
    },
    ConsentRequired,
    ConsentWithdrawn,
    AmountNotPositive,
    AmountOutOfRange,
    Blank,
    TooLong {
        most: usize,
    },
    /// e.g. `U+200B`
    ForbiddenCharacter {
        code_point: String,
    },
    Spaces,
    Empty,
    WorkingDaysOutOfRange {
        most: u32,
    },
    OwnKey,
    YearOutOfRange {
        first: i32,
        last: i32,
    },
    /// stated net against the statement's
    NetDiffers {
        stated: Fen,
        net: Fen,
    },
    MonthNotOver {
        month: String,
    },
    /// an earlier month waits with a net below zero
    EarlierBelowZero {
        month: String,
    },
    AlreadyConfirmed,
    NotConfirmed,
    AlreadyPaid,
    FromAfterTo,
    TooManyDays {
        most: i64,
    },
    TooManyDifferences {
        most: usize,
    },
    KeyTwice,
    /// of partners, clients and staff
    Administration(Administrative),
}

impl Reason {
    pub fn code(&self) -> Code {
        match self {
            Self::NotFound | Self::CardNumberMistyped => Code::NotFound,
            Self::NotCovered => Code::NotCovered,
            Self::NoAgreement { .. } => Code::NoAgreement,
            Self::NoPolicyInForce { .. } => Code::NoPolicyInForce,
            Self::Suspended => Code::Suspended,
            Self::Deceased => Code::Deceased,
            Self::ThirdPartyLiable => Code::ThirdPartyLiable,
            Self::PartsDoNotAddUp { .. } | Self::PaidExceedsTotal { .. } | Self::LinesDoNotAddUp { .. } => {
                Code::AmountsDoNotAddUp
            }
            Self::AmountDiffers { .. } => Code::AmountDiffers,
            Self::AdmittedAfterDischarge | Self::DischargedInFuture { .. } | Self::GivenInFuture { .. } => {
                Code::DateOutOfRange
            }
            Self::DuplicateInvoice | Self::DuplicateInsurerSettlement => Code::DuplicateStay,
            Self::OverlappingStay => Code::OverlappingStay,
            Self::BudgetExhausted => Code::BudgetExhausted,
            Self::NetDiffers { .. } => Code::AmountDiffers,
            Self::MonthNotOver { .. } => Code::MonthNotOver,
            Self::AlreadyConfirmed => Code::AlreadyConfirmed,
            Self::NotConfirmed => Code::NotConfirmed,
            Self::AlreadyPaid => Code::AlreadyPaid,
            Self::FromAfterTo | Self::TooManyDays { .. } => Code::DateOutOfRange,
            Self::KeyTwice | Self::TooManyDifferences { .. } | Self::EarlierBelowZero { .. } => Code::Invalid,
            Self::YearOutOfRange { .. } => Code::DateOutOfRange,
            Self::AlreadyReversed => Code::AlreadyReversed,
            Self::KeyReused => Code::KeyReused,
            Self::KeyVoided => Code::KeyVoided,
            Self::NotVoidable { .. } => Code::NotVoidable,
            Self::CardNotActivated => Code::CardNotActivated,
            Self::CardFrozen => Code::CardFrozen,
            Self::CardExpired { .. } => Code::CardExpired,
            Self::CardCancelled => Code::CardCancelled,
            Self::CardReplaced => Code::CardReplaced,
            Self::InsufficientBalance { .. } | Self::RefundSpent => Code::InsufficientBalance,
            Self::LinesRequired | Self::CategoryNotAllowed { .. } => Code::CategoryNotAllowed,
            Self::PeriodLimitExceeded { .. } => Code::PeriodLimitExceeded,
            Self::DuplicateReceipt => Code::DuplicateReceipt,
            Self::RefundExceedsRedemption { .. } => Code::RefundExceedsRedemption,
            Self::IllegalTransition { .. } => Code::IllegalTransition,
            Self::ConsentRequired | Self::ConsentWithdrawn => Code::ConsentRequired,
            Self::MayNotRefer { .. }
            | Self::AmountNotPositive
            | Self::AmountOutOfRange
            | Self::Blank
            | Self::TooLong { .. }
            | Self::ForbiddenCharacter { .. }
            | Self::Spaces
            | Self::Empty
            | Self::WorkingDaysOutOfRange { .. }
            | Self::Administration(_)
            | Self::OwnKey => Code::Invalid,
        }
    }

    /// One sentence for people.
    pub fn message(&self, language: Language) -> String {
        let (zh, en) = self.sentences();
        match language {
            Language::Chinese => zh,
            Language::English => en,
        }
    }

    fn sentences(&self) -> (String, String) {
        match self {
            Self::NotFound => both("没有找到。", "Not found."),
            Self::Administration(fault) => fault.sentences(),
            Self::NotCovered => both(
                "该人员在规定日期不属于任何救助项目的对象。",
                "No programme covers this person on the date that counts.",
            ),
            Self::NoAgreement { on } => {
                (format!("{on} 没有有效的服务协议。"), format!("No service agreement was in force on {on}."))
            }
            Self::NoPolicyInForce { on } => {
                (format!("{on} 没有有效的救助政策。"), format!("No policy was in force on {on}."))
            }
            Self::Suspended => both("该人员的待遇已暂停。", "This person's entitlement is suspended."),
            Self::Deceased => both("该人员在入院前已去世。", "This person died before the admission."),
            Self::ThirdPartyLiable => both(
                "费用应由第三方承担，不予救助。",
                "A third party is liable for the cost, so no assistance is due.",
            ),
            Self::PartsDoNotAddUp { total, parts } => (
                format!(
                    "医疗费总额 {} 应等于全自费、超限价自费、先行自付与政策范围内之和 {}。",
                    yuan(total),
                    yuan(parts)
                ),
                format!(
                    "totalCost {} must equal fullySelfPaid + overLimitSelfPaid + upfrontSelfPaid + inScope = {}.",
                    yuan(total),
                    yuan(parts)
                ),
            ),
            Self::PaidExceedsTotal { total, paid } => (
                format!("各方已支付合计 {} 不得超过医疗费总额 {}。", yuan(paid), yuan(total)),
                format!("What others paid, {}, must not exceed totalCost {}.", yuan(paid), yuan(total)),
            ),
            Self::LinesDoNotAddUp { amount, lines } => (
                format!("商品明细合计 {} 应等于金额 {}。", yuan(lines), yuan(amount)),
                format!("The lines add up to {}; they must add up to {}.", yuan(lines), yuan(amount)),
            ),
            Self::AmountDiffers { expected, due } => (
                format!("期望金额 {} 与应付金额 {} 不一致。", yuan(expected), yuan(due)),
                format!("{} was expected, but {} is due.", yuan(expected), yuan(due)),
            ),
            Self::AdmittedAfterDischarge => {
                both("入院日期不得晚于出院日期。", "admittedOn must not be after dischargedOn.")
            }
            Self::DischargedInFuture { today } => (
                format!("出院日期不得晚于今天（{today}）。"),
                format!("dischargedOn must not be after today, {today}."),
            ),
            Self::GivenInFuture { today } => (
                format!("日期不得晚于今天（{today}）。"),
                format!("The date must not be after today, {today}."),
            ),
            Self::DuplicateInvoice => {
                both("该发票号已有有效结算。", "A live settlement with this invoice number exists.")
            }
            Self::DuplicateInsurerSettlement => {
                both("该结算ID已有有效结算。", "A live settlement with this insurer settlement id exists.")
            }
            Self::OverlappingStay => both(
                "住院时间与该人员已结算的另一次住院重叠。",
                "The stay overlaps another one of this person that is already settled.",
            ),
            Self::BudgetExhausted => both(
                "该项目本年度预算余额不足。",
                "What is left of the programme's budget of this year does not suffice.",
            ),
            Self::NetDiffers { stated, net } if *net < Fen::ZERO => (
                format!(
                    "所填净额 {} 不符：对账单净额为 {}，低于零，应以 0.00 确认，差额结转至下月。",
                    stated.to_yuan(),
                    net.to_yuan()
                ),
                format!(
                    "The stated net is {}; the statement's is {}, below zero: confirm it with 0.00, and it is carried into the next open month.",
                    stated.to_yuan(),
                    net.to_yuan()
                ),
            ),
            Self::NetDiffers { stated, net } => (
                format!("所填净额 {} 与对账单净额 {} 不符。", stated.to_yuan(), net.to_yuan()),
                format!("The stated net is {}; the statement's is {}.", stated.to_yuan(), net.to_yuan()),
            ),
            Self::MonthNotOver { month } => (
                format!("{month} 尚未结束，不能确认。"),
                format!("{month} is not over yet; it can be confirmed afterwards."),
            ),
            Self::EarlierBelowZero { month } => (
                format!("{month} 的对账单净额低于零且尚未确认，请先以净额 0.00 确认该月。"),
                format!(
                    "The statement of {month} is open with a net below zero; confirm it first, with net 0.00."
                ),
            ),
            Self::AlreadyConfirmed => both("对账单已确认。", "The statement is confirmed already."),
            Self::NotConfirmed => {
                both("合作方尚未确认该对账单。", "The partner has not confirmed the statement yet.")
            }
            Self::AlreadyPaid => both("该对账单已支付。", "The statement is paid already."),
            Self::FromAfterTo => both("起始日期不得晚于截止日期。", "`from` must not be after `to`."),
            Self::TooManyDays { most } => (
                format!("日期范围不得超过 {most} 天。"),
                format!("The range must not be longer than {most} days."),
            ),
            Self::TooManyDifferences { most } => (
                format!("差异超过 {most} 笔，请缩短日期范围或上传文件对账。"),
                format!("There are more than {most} differences: shorten the range, or upload the lines."),
            ),
            Self::KeyTwice => both("同一业务号出现两次。", "The key stands here for the second time."),
            Self::YearOutOfRange { first, last } => (
                format!("年度应在 {first} 至 {last} 之间。"),
                format!("The year must be between {first} and {last}."),
            ),
            Self::AlreadyReversed => both("该结算已撤销。", "The settlement was reversed before."),
            Self::KeyReused => both(
                "该幂等键已用于另一请求。",
                "This key was used before, for another request; take a new one.",
            ),
            Self::KeyVoided => {
                both("该幂等键已冲正，不能再用。", "This key was voided and can never be used again.")
            }
            Self::NotVoidable { mutation } => {
                (format!("{mutation} 不能冲正。"), format!("{mutation} cannot be voided."))
            }
            Self::CardNumberMistyped => both(
                "没有找到：卡号须为17位数字且校验位正确，请核对。",
                "Not found: a card number has 17 digits, the last of them a check digit; read it again.",
            ),
            Self::CardNotActivated => both("该卡尚未激活。", "The card has not been activated."),
            Self::CardFrozen => both("该卡已冻结。", "The card is frozen."),
            Self::CardExpired { on } => {
                (format!("该卡已于 {on} 到期。"), format!("The card expired on {on}."))
            }
            Self::CardCancelled => both("该卡已注销。", "The card was cancelled."),
            Self::CardReplaced => both("该卡已补办新卡。", "The card was replaced by a new one."),
            Self::InsufficientBalance { balance } => (
                format!("余额不足，余额 {}。", yuan(balance)),
                format!("The balance is only {}.", yuan(balance)),
            ),
            Self::LinesRequired => both(
                "该卡限定商品类别，须提供商品明细。",
                "This card is limited to categories of goods, so `lines` is required.",
            ),
            Self::CategoryNotAllowed { category } => (
                format!("该卡不能购买 {} 类商品。", category.word()),
                format!("This card may not be spent on {}.", category.word()),
            ),
            Self::PeriodLimitExceeded { limit, left } => (
                format!("本月限额 {}，还可使用 {}。", yuan(limit), yuan(left)),
                format!("The card's limit is {} a month; {} of it is left.", yuan(limit), yuan(left)),
            ),
            Self::DuplicateReceipt => {
                both("该小票号今天已用过。", "This receipt number was used before today.")
            }
            Self::RefundExceedsRedemption { left } => {
                (format!("最多还可退 {}。", yuan(left)), format!("At most {} is left to refund.", yuan(left)))
            }
            Self::RefundSpent => both(
                "退回的金额已被使用，不能冲正。",
                "The refunded amount was spent from the card meanwhile, so the refund cannot be undone.",
            ),
            Self::IllegalTransition { from, to } => (
                format!("转介处于 {}，本方不能将其变为 {}。", from.word(), to.word()),
                format!("The referral is {}; your side cannot make it {}.", from.word(), to.word()),
            ),
            Self::MayNotRefer { to } => (
                format!("本单位不能向 {} 转介。", to.word()),
                format!("Your kind of partner does not refer to a {}.", to.word()),
            ),
            Self::ConsentRequired => both(
                "没有涵盖该人员和接收方的有效同意。",
                "There is no consent that covers this person and this receiver.",
            ),
            Self::ConsentWithdrawn => both("该同意已撤回。", "The consent was withdrawn."),
            Self::AmountNotPositive => both("金额必须大于零。", "The amount must be greater than 0.00."),
            Self::AmountOutOfRange => both(
                "金额不得为负，也不得大到无法相加。",
                "The amounts must not be below 0.00, nor too large to add up.",
            ),
            Self::Blank => both("不能为空白。", "It must not be blank."),
            Self::TooLong { most } => {
                (format!("最多 {most} 个字符。"), format!("It must have at most {most} characters."))
            }
            Self::ForbiddenCharacter { code_point } => (
                format!("不能包含字符 {code_point}。"),
                format!("It must not contain the character {code_point}."),
            ),
            Self::Spaces => both(
                "首尾不能有空格，中间不能有连续的空格。",
                "It must not begin or end with a space, nor have two in a row.",
            ),
            Self::Empty => both("至少需要一项。", "At least one is needed."),
            Self::WorkingDaysOutOfRange { most } => {
                (format!("应为 1 至 {most} 个工作日。"), format!("It must be 1 to {most} working days."))
            }
            Self::OwnKey => both(
                "冲正须使用与原请求不同的幂等键。",
                "A void takes a key of its own, not the key that it undoes.",
            ),
        }
    }
}

fn both(zh: &str, en: &str) -> (String, String) {
    (zh.to_owned(), en.to_owned())
}

fn yuan(amount: &Fen) -> String {
    amount.to_yuan().to_string()
}
