//! What a partner does all day, from a seed.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;

use crate::book::{Asked, Said};
use crate::ground::Ground;
use crate::harness::{Bill, Reply};

/// Whom partners meet: patients, and cards by their numbers.
pub struct World {
    patients: Vec<(String, String)>,
    cards: Vec<String>,
}

impl World {
    pub fn of(ground: &Ground) -> Self {
        let patients = ground.patients.iter();
        Self {
            patients: patients.map(|patient| (patient.national_id.clone(), patient.name.clone())).collect(),
            cards: ground.cards.clone(),
        }
    }
}

/// Hospitals whose seeds follow each other do not settle for the same day, until the days begin again.
const HOSPITALS: u64 = 4;
const DAYS: u64 = 8 * 365;

/// One partner's day.
pub struct Life {
    world: Arc<World>,
    rng: ChaCha8Rng,
    seed: u64,
    hospital: bool,
    number: u32,
    /// What was done and can be taken back.
    done: Vec<String>,
    asked: Vec<Asked>,
}

impl Life {
    /// Seeds tell lives of one run apart, also by their keys.
    pub fn new(world: Arc<World>, seed: u64, hospital: bool) -> Self {
        let rng = ChaCha8Rng::seed_from_u64(seed);
        Self { world, rng, seed, hospital, number: 0, done: Vec::new(), asked: Vec::new() }
    }

    fn key(&mut self) -> String {
        self.number += 1;
        format!("{}-{}", self.seed, self.number)
    }

    /// The next request: most spend money, some take it back, some repeat or void what was asked before.
    pub fn next(&mut self) -> Asked {
        let asked = match self.rng.random_range(0..100) {
            0..70 => self.spend(),
            70..85 => self.take_back(),
            85..93 => self.repeat(),
            _ => self.void(),
        };
        if !self.asked.contains(&asked) {
            self.asked.push(asked.clone());
        }
        asked
    }

    /// A settlement or a redemption.
    pub fn spend(&mut self) -> Asked {
        if self.hospital { self.settle() } else { self.redeem() }
    }

    fn settle(&mut self) -> Asked {
        let key = self.key();
        let (id, name) = &self.world.patients[self.rng.random_range(0..self.world.patients.len())];
        let day = u64::from(self.number) * HOSPITALS + self.seed % HOSPITALS;
        let first = NaiveDate::from_ymd_opt(2016, 1, 1).unwrap();
        let day = (first + Days::new(day % DAYS)).to_string();
        let total = format!("{}.{:02}", self.rng.random_range(1..3000), self.rng.random_range(0..100));
        let bill = Bill::of(id, name).all_in_scope(&total).stay(&day, &day);
        let bill = bill.with("invoiceNumber", key.as_str());
        let bill = bill.with("insurerSettlementId", format!("JS-{}-{key}", self.seed));
        Asked { mutation: "settle", input: json!({ "key": key, "bill": bill.0 }) }
    }

    fn redeem(&mut self) -> Asked {
        let key = self.key();
        let card = &self.world.cards[self.rng.random_range(0..self.world.cards.len())];
        let amount = format!("{}.{:02}", self.rng.random_range(1..15), self.rng.random_range(0..100));
        let input = json!({ "key": key, "cardNumber": card, "amount": amount, "receiptNumber": key });
        Asked { mutation: "redeemAidCard", input }
    }

    fn take_back(&mut self) -> Asked {
        if self.done.is_empty() {
            return self.spend();
        }
        let id = self.done[self.rng.random_range(0..self.done.len())].clone();
        let key = self.key();
        if self.hospital {
            let input = json!({ "key": key, "settlementId": id, "reason": "billed twice" });
            return Asked { mutation: "reverseSettlement", input };
        }
        let amount = self.rng.random_bool(0.7).then(|| format!("0.{:02}", self.rng.random_range(1..100)));
        let input = json!({ "key": key, "redemptionId": id, "amount": amount, "reason": "returned" });
        Asked { mutation: "refundRedemption", input }
    }

    fn repeat(&mut self) -> Asked {
        match self.asked.is_empty() {
            true => self.spend(),
            false => self.asked[self.rng.random_range(0..self.asked.len())].clone(),
        }
    }

    /// Of something that was asked, or of a key that never comes.
    fn void(&mut self) -> Asked {
        let voidable: Vec<String> = self
            .asked
            .iter()
            .filter(|asked| !matches!(asked.mutation, "voidOperation" | "reverseSettlement"))
            .map(|asked| asked.key().to_owned())
            .collect();
        let key = self.key();
        let original = match voidable.is_empty() || self.rng.random_bool(0.2) {
            true => format!("{key}-never"),
            false => voidable[self.rng.random_range(0..voidable.len())].clone(),
        };
        let input = json!({ "key": key, "operationKey": original, "reason": "no answer" });
        Asked { mutation: "voidOperation", input }
    }

    /// Remembers what can be taken back.
    pub fn learn(&mut self, asked: &Asked, reply: &Reply) {
        let said = Said::of(asked, reply);
        if let ("settle" | "redeemAidCard", true, Some(id)) = (asked.mutation, said.is_done(), said.result)
            && !self.done.contains(&id)
        {
            self.done.push(id);
        }
    }
}
