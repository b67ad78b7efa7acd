//! What is asked of the books and what they answer, by its meaning.

/// A patient of the district, or nobody that the register knows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Patient {
    Covered(usize),
    WithoutCategory,
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum CardState {
    Active,
    Issued,
    Frozen,
    Expired,
}

pub struct Card {
    pub state: CardState,
    pub balance: i64,
}

/// What the server must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub refusals: Vec<&'static str>,
    /// What a settlement pays.
    pub amount: Option<i64>,
    pub replayed: bool,
}

/// A request, with what it means instead of how it is written.
#[derive(Clone)]
pub enum Meaning {
    Settle(Bill),
    Reverse(Option<usize>),
    Redeem { card: usize, amount: i64, receipt: String },
    Refund { sale: Option<usize>, amount: Option<i64> },
    Void { key: String },
    Confirm { month: u32, net: i64 },
}

#[derive(Clone)]
pub struct Bill {
    pub patient: Patient,
    /// First and last day, by number.
    pub days: (i64, i64),
    pub year: i32,
    pub invoice: String,
    pub insurer: String,
    pub total: i64,
    pub adds_up: bool,
    pub expected: Option<i64>,
}
