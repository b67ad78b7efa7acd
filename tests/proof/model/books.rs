//! The bureau's books as one clerk would keep them with a pencil: written from DOMAIN.md §3 and §4, not from the server's code.

use std::collections::{BTreeMap, BTreeSet};

use super::meanings::{Answer, Bill, Card, CardState, Meaning, Patient};

/// What a settlement pays at most in a year for one patient, in fen.
pub const CAP: i64 = 300_000;
/// What a budget of the year has.
pub const BUDGET: i64 = 1_500_000;

struct Settlement {
    hospital: usize,
    patient: usize,
    year: i32,
    month: u32,
    days: (i64, i64),
    invoice: String,
    insurer: String,
    paid: i64,
    live: bool,
}

struct Sale {
    shop: usize,
    card: usize,
    month: u32,
    day: i64,
    receipt: String,
    amount: i64,
    refunded: i64,
    voided: bool,
}

struct Refund {
    sale: usize,
    amount: i64,
    to_card: bool,
    undone: bool,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
pub struct Month {
    pub count: i64,
    pub gross: i64,
    pub reversed: i64,
    pub confirmed: bool,
    pub paid: bool,
}

impl Month {
    pub fn net(&self) -> i64 {
        self.gross - self.reversed
    }
}

/// What an act brought into being or took back.
#[derive(Clone, Copy)]
enum Effect {
    Settled(usize),
    Sold(usize),
    Refunded(usize),
    /// A reversal, or a void.
    Other,
}

struct Known {
    input: String,
    /// What the first answer said; an empty list is done.
    refusals: Vec<&'static str>,
    amount: Option<i64>,
    effect: Option<Effect>,
    voidable: bool,
    voided: bool,
}

pub struct Books {
    pub now: (u32, i64),
    pub cards: Vec<Card>,
    pub used: BTreeMap<(usize, i32), i64>,
    pub budget: i64,
    pub months: BTreeMap<(usize, u32), Month>,
    /// How often a month below zero was confirmed, and how often a later one had to wait for it.
    pub carried: u32,
    pub waited: u32,
    settlements: Vec<Settlement>,
    sales: Vec<Sale>,
    refunds: Vec<Refund>,
    keys: BTreeMap<(usize, String), Known>,
}

impl Books {
    pub fn new(cards: Vec<Card>) -> Self {
        Self {
            now: (6, 0),
            cards,
            used: BTreeMap::new(),
            budget: BUDGET,
            months: BTreeMap::new(),
            carried: 0,
            waited: 0,
            settlements: Vec::new(),
            sales: Vec::new(),
            refunds: Vec::new(),
            keys: BTreeMap::new(),
        }
    }

    pub fn settlements(&self) -> usize {
        self.settlements.len()
    }

    pub fn sales(&self) -> usize {
        self.sales.len()
    }

    /// Answers a request of a partner under a key; `input` tells equal requests from others.
    pub fn answer(&mut self, partner: usize, key: &str, input: &str, meaning: &Meaning) -> Answer {
        let place = (partner, key.to_owned());
        if let Some(known) = self.keys.get(&place) {
            let refused = |code| Answer { refusals: vec![code], amount: None, replayed: false };
            return match known {
                known if known.voided => refused("KEY_VOIDED"),
                known if known.input != input => refused("KEY_REUSED"),
                known => Answer { refusals: known.refusals.clone(), amount: known.amount, replayed: true },
            };
        }
        let (mut refusals, amount, effect) = match meaning {
            Meaning::Settle(bill) => self.settle(partner, bill),
            Meaning::Reverse(settlement) => self.reverse(partner, *settlement),
            Meaning::Redeem { card, amount, receipt } => self.redeem(partner, *card, *amount, receipt),
            Meaning::Refund { sale, amount } => self.refund(partner, *sale, *amount),
            Meaning::Void { key } => self.void(partner, key),
            Meaning::Confirm { month, net } => self.confirm(partner, *month, *net),
        };
        refusals.sort_unstable();
        let voidable =
            matches!(meaning, Meaning::Settle(_) | Meaning::Redeem { .. } | Meaning::Refund { .. });
        let known = Known {
            input: input.to_owned(),
            refusals: refusals.clone(),
            amount,
            effect,
            voidable,
            voided: false,
        };
        self.keys.insert(place, known);
        Answer { refusals, amount, replayed: false }
    }

    fn settle(&mut self, hospital: usize, bill: &Bill) -> Outcome {
        let mut refusals = Vec::new();
        if !bill.adds_up {
            refusals.push("AMOUNTS_DO_NOT_ADD_UP");
        }
        let known = match bill.patient {
            Patient::Covered(patient) => Some(patient),
            Patient::WithoutCategory | Patient::Unknown => None,
        };
        let live = || self.settlements.iter().filter(|other| other.live);
        let stands_here = bill.patient != Patient::Unknown;
        if live().any(|other| other.hospital == hospital && other.invoice == bill.invoice) {
            refusals.push("DUPLICATE_STAY");
        }
        if live().any(|other| other.insurer == bill.insurer && (stands_here || other.hospital == hospital)) {
            refusals.push("DUPLICATE_STAY");
        }
        // [admitted, discharged); a stay of one day takes that day.
        let end = |(first, last): (i64, i64)| last.max(first + 1);
        if live().any(|other| {
            Some(other.patient) == known && other.days.0 < end(bill.days) && bill.days.0 < end(other.days)
        }) {
            refusals.push("OVERLAPPING_STAY");
        }
        let patient = match bill.patient {
            Patient::Covered(patient) => patient,
            Patient::WithoutCategory => return refused_with(refusals, "NOT_COVERED"),
            Patient::Unknown => return refused_with(refusals, "NOT_FOUND"),
        };
        if !refusals.is_empty() {
            return (refusals, None, None);
        }
        let used = self.used.get(&(patient, bill.year)).copied().unwrap_or(0);
        let due = ((bill.total * 7 + 5) / 10).min(CAP - used);
        if bill.expected.is_some_and(|expected| expected != due) {
            return refused_with(refusals, "AMOUNT_DIFFERS");
        }
        if due > self.budget {
            return refused_with(refusals, "BUDGET_EXHAUSTED");
        }
        self.budget -= due;
        *self.used.entry((patient, bill.year)).or_default() += due;
        self.owe(hospital, self.now.0, due, false);
        self.settlements.push(Settlement {
            hospital,
            patient,
            year: bill.year,
            month: self.now.0,
            days: bill.days,
            invoice: bill.invoice.clone(),
            insurer: bill.insurer.clone(),
            paid: due,
            live: true,
        });
        (refusals, Some(due), Some(Effect::Settled(self.settlements.len() - 1)))
    }

    fn reverse(&mut self, hospital: usize, which: Option<usize>) -> Outcome {
        let own = which.filter(|which| self.settlements[*which].hospital == hospital);
        match own {
            None => refused("NOT_FOUND"),
            Some(which) if !self.settlements[which].live => refused("ALREADY_REVERSED"),
            Some(which) => {
                self.take_back(which);
                (Vec::new(), Some(self.settlements[which].paid), Some(Effect::Other))
            }
        }
    }

    fn take_back(&mut self, which: usize) {
        let settlement = &mut self.settlements[which];
        settlement.live = false;
        let (hospital, month, paid) = (settlement.hospital, settlement.month, settlement.paid);
        let of = (settlement.patient, settlement.year);
        *self.used.entry(of).or_default() -= paid;
        self.budget += paid;
        self.owe(hospital, month, paid, true);
    }

    fn redeem(&mut self, shop: usize, card: usize, amount: i64, receipt: &str) -> Outcome {
        let state = match self.cards[card].state {
            CardState::Active if self.cards[card].balance < amount => Some("INSUFFICIENT_BALANCE"),
            CardState::Active => None,
            CardState::Issued => Some("CARD_NOT_ACTIVATED"),
            CardState::Frozen => Some("CARD_FROZEN"),
            CardState::Expired => Some("CARD_EXPIRED"),
        };
        let day = self.now.1;
        let same =
            |sale: &Sale| sale.shop == shop && sale.day == day && sale.receipt == receipt && !sale.voided;
        let twice = self.sales.iter().any(same).then_some("DUPLICATE_RECEIPT");
        let refusals: Vec<&'static str> = state.into_iter().chain(twice).collect();
        if !refusals.is_empty() {
            return (refusals, None, None);
        }
        self.cards[card].balance -= amount;
        self.owe(shop, self.now.0, amount, false);
        self.sales.push(Sale {
            shop,
            card,
            month: self.now.0,
            day,
            receipt: receipt.to_owned(),
            amount,
            refunded: 0,
            voided: false,
        });
        (refusals, None, Some(Effect::Sold(self.sales.len() - 1)))
    }

    fn refund(&mut self, shop: usize, which: Option<usize>, amount: Option<i64>) -> Outcome {
        let Some(which) = which.filter(|which| self.sales[*which].shop == shop) else {
            return refused("NOT_FOUND");
        };
        let left = self.sales[which].amount - self.sales[which].refunded;
        let amount = amount.unwrap_or(left);
        if left == 0 || amount > left {
            return refused("REFUND_EXCEEDS_REDEMPTION");
        }
        self.give_back(which, amount);
        (Vec::new(), None, Some(Effect::Refunded(self.refunds.len() - 1)))
    }

    fn give_back(&mut self, which: usize, amount: i64) {
        let (shop, month, card) = (self.sales[which].shop, self.sales[which].month, self.sales[which].card);
        self.sales[which].refunded += amount;
        let to_card = self.cards[card].state != CardState::Expired;
        if to_card {
            self.cards[card].balance += amount;
        }
        self.owe(shop, month, amount, true);
        self.refunds.push(Refund { sale: which, amount, to_card, undone: false });
    }

    fn void(&mut self, partner: usize, key: &str) -> Outcome {
        let place = (partner, key.to_owned());
        let done = (Vec::new(), None, Some(Effect::Other));
        let Some(original) = self.keys.get(&place) else {
            let blocked = Known {
                input: String::new(),
                refusals: Vec::new(),
                amount: None,
                effect: None,
                voidable: true,
                voided: true,
            };
            self.keys.insert(place, blocked);
            return done;
        };
        if original.voided {
            return done;
        }
        if !original.voidable {
            return refused("NOT_VOIDABLE");
        }
        match original.effect {
            Some(Effect::Settled(which)) if self.settlements[which].live => self.take_back(which),
            Some(Effect::Sold(which)) => {
                let left = self.sales[which].amount - self.sales[which].refunded;
                if left > 0 {
                    self.give_back(which, left);
                }
                self.sales[which].voided = true;
            }
            Some(Effect::Refunded(which)) => {
                if let Some(code) = self.undo_refund(which) {
                    return refused(code);
                }
            }
            Some(Effect::Settled(_) | Effect::Other) | None => {}
        }
        self.keys.get_mut(&place).unwrap().voided = true;
        done
    }

    fn undo_refund(&mut self, which: usize) -> Option<&'static str> {
        let Refund { sale, amount, to_card, undone } = self.refunds[which];
        if self.sales[sale].voided || undone {
            // Nothing of the sale stands: what was given back stays given back.
            return None;
        }
        let (card, shop, month) = (self.sales[sale].card, self.sales[sale].shop, self.sales[sale].month);
        if to_card {
            if self.cards[card].balance < amount {
                return Some("INSUFFICIENT_BALANCE");
            }
            self.cards[card].balance -= amount;
        }
        self.sales[sale].refunded -= amount;
        self.refunds[which].undone = true;
        self.owe(shop, month, -amount, true);
        None
    }

    /// Into the month's statement until it is confirmed, afterwards into the next open one.
    fn owe(&mut self, partner: usize, mut month: u32, amount: i64, takes_back: bool) {
        while self.months.get(&(partner, month)).is_some_and(|known| known.confirmed) {
            month += 1;
        }
        let month = self.months.entry((partner, month)).or_default();
        month.count += 1;
        if takes_back { month.reversed += amount } else { month.gross += amount }
    }

    fn confirm(&mut self, partner: usize, month: u32, net: i64) -> Outcome {
        if month >= self.now.0 {
            return refused("MONTH_NOT_OVER");
        }
        let known = match self.months.get(&(partner, month)) {
            None => return refused("NOT_FOUND"),
            Some(known) if known.confirmed => return refused("ALREADY_CONFIRMED"),
            Some(known) => *known,
        };
        if self.below_zero(partner).is_some_and(|earlier| earlier < month) {
            self.waited += 1;
            return refused("INVALID");
        }
        if known.net().max(0) != net {
            return refused("AMOUNT_DIFFERS");
        }
        if known.net() < 0 {
            // What it lacks comes to it, and off the next.
            self.carried += 1;
            self.owe(partner, month, known.net(), true);
            self.owe(partner, month + 1, -known.net(), true);
        }
        self.months.entry((partner, month)).or_default().confirmed = true;
        (Vec::new(), None, Some(Effect::Other))
    }

    /// The first open month of a partner that comes to less than nothing.
    pub fn below_zero(&self, partner: usize) -> Option<u32> {
        let mut own = self.months.range((partner, 0)..(partner, self.now.0));
        own.find(|(_, month)| !month.confirmed && month.net() < 0).map(|((_, number), _)| *number)
    }

    /// The keys that a partner has used.
    pub fn keys_of(&self, partner: usize) -> Vec<String> {
        let own: BTreeSet<&String> =
            self.keys.keys().filter(|(of, _)| *of == partner).map(|(_, key)| key).collect();
        own.into_iter().cloned().collect()
    }
}

/// Refusals, what a settlement pays, and the effect.
type Outcome = (Vec<&'static str>, Option<i64>, Option<Effect>);

fn refused(code: &'static str) -> Outcome {
    (vec![code], None, None)
}

fn refused_with(mut refusals: Vec<&'static str>, code: &'static str) -> Outcome {
    refusals.push(code);
    (refusals, None, None)
}
