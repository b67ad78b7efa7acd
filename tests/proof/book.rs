//! What was asked and what was acknowledged, as the partners know it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use serde_json::Value;

use crate::harness::Reply;

/// A request under a key.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    pub mutation: &'static str,
    pub input: Value,
}

impl Asked {
    pub fn key(&self) -> &str {
        self.input["key"].as_str().unwrap()
    }

    pub fn document(&self) -> String {
        let kind = format!("{}{}", self.mutation[..1].to_uppercase(), &self.mutation[1..]);
        let shape = match self.mutation {
            "settle" | "reverseSettlement" => "settlement { id assistance }",
            "redeemAidCard" | "refundRedemption" => "redemption { id amount }",
            "voidOperation" => "operation { key }",
            other => panic!("no partner of the proof asks for {other}"),
        };
        let mutation = self.mutation;
        format!(
            "mutation($input: {kind}Input!) {{ {mutation}(input: $input) {{ {shape} receipt replayed userErrors {{ code }} }} }}"
        )
    }
}

/// What an answer says that a later one under the same key must say, too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub result: Option<String>,
    /// What a settlement pays.
    pub amount: Option<String>,
    pub receipt: Option<String>,
    pub refusals: Vec<String>,
}

impl Said {
    pub fn of(asked: &Asked, reply: &Reply) -> Self {
        let payload = reply.at(asked.mutation);
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let (result, amount) = match asked.mutation {
            "settle" => (text(&payload["settlement"]["id"]), text(&payload["settlement"]["assistance"])),
            "reverseSettlement" => (text(&payload["settlement"]["id"]), None),
            "voidOperation" => (text(&payload["operation"]["key"]), None),
            _ => (text(&payload["redemption"]["id"]), text(&payload["redemption"]["amount"])),
        };
        Self { result, amount, receipt: text(&payload["receipt"]), refusals: reply.refusals(asked.mutation) }
    }

    pub fn is_done(&self) -> bool {
        self.refusals.is_empty()
    }

    pub fn is_voided(&self) -> bool {
        self.refusals == ["KEY_VOIDED"]
    }

    pub fn is_reused(&self) -> bool {
        self.refusals == ["KEY_REUSED"]
    }
}

/// A partner's key.
pub type Place = (String, String);

#[derive(Default)]
pub struct Book {
    pages: Mutex<Pages>,
}

#[derive(Default)]
pub struct Pages {
    /// Every request that was ever sent under a key; more than one where a key is reused.
    pub asked: BTreeMap<Place, Vec<Asked>>,
    /// Every answer, with the place of its request among those.
    pub said: BTreeMap<Place, Vec<(usize, Said)>>,
    /// Keys whose void was acknowledged.
    pub voided: BTreeSet<Place>,
}

impl Book {
    pub fn ask(&self, partner: &str, asked: &Asked) {
        let mut pages = self.pages.lock().unwrap();
        let of_key = pages.asked.entry((partner.to_owned(), asked.key().to_owned())).or_default();
        if !of_key.contains(asked) {
            of_key.push(asked.clone());
        }
    }

    pub fn hear(&self, partner: &str, asked: &Asked, reply: &Reply) {
        let said = Said::of(asked, reply);
        let mut pages = self.pages.lock().unwrap();
        let place = (partner.to_owned(), asked.key().to_owned());
        let number = pages.asked[&place].iter().position(|known| known == asked).unwrap();
        if asked.mutation == "voidOperation" && said.is_done() {
            let key = asked.input["operationKey"].as_str().unwrap().to_owned();
            pages.voided.insert((partner.to_owned(), key));
        }
        pages.said.entry(place).or_default().push((number, said));
    }

    /// All of it, once nobody writes any more.
    pub fn pages(&self) -> std::sync::MutexGuard<'_, Pages> {
        self.pages.lock().unwrap()
    }
}
