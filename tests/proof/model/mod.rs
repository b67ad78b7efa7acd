//! Random requests, one after another, against the server and against a model of the books: equal answers, equal balances.

mod books;
mod meanings;

use chrono::{DateTime, Datelike, Days, NaiveDate, TimeDelta};
use entity::kinds::{AidCardStatus, Category};
use entity::{aid_card, national_id};
use futures_util::{StreamExt, stream};
use onestop::access::Finding;
use onestop::rules::calendar::china_date;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, HOSPITAL, OTHER_HOSPITAL, OTHER_SHOP, Resident, SHOP, day, fen};
use crate::harness::{Bill as Posted, District, Partner, Policy};
use crate::{invariants, size};
use books::Books;
use meanings::{Answer, Bill, Card, CardState, Meaning, Patient};

/// A year for which nothing is appropriated yet.
const BEGIN: &str = "2019-06-20T02:00:00Z";
const BALANCE: i64 = 30_000;
const STATES: [CardState; 7] = [
    CardState::Active,
    CardState::Active,
    CardState::Active,
    CardState::Active,
    CardState::Issued,
    CardState::Frozen,
    CardState::Expired,
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_answers_as_the_model_does() {
    let _alone = size::alone().await;
    let (seeds, steps) = (size::seeds(size::of(12, 100)), size::of(250, 500));
    let running = seeds.into_iter().map(|seed| tokio::spawn(run(seed, steps)));
    let mut done = stream::iter(running).buffer_unordered(4);
    let (mut carried, mut waited) = (0, 0);
    while let Some(ended) = done.next().await {
        let town = ended.unwrap();
        carried += town.books.carried;
        waited += town.books.waited;
    }
    println!("{carried} months below zero were carried, {waited} times a later month had to wait");
    let one_seed = std::env::var("ONESTOP_PROOF_SEED").is_ok();
    assert!(one_seed || (carried > 0 && waited > 0), "no month below zero was tried");
}

/// One seed; whatever fails names it.
async fn run(seed: u64, steps: usize) -> Town {
    let mut town = Town::new(seed).await;
    for step in 0..steps {
        town.step(step).await;
        if step % 50 == 49 {
            town.compare(step).await;
        }
    }
    town.compare(steps).await;
    invariants::check_books(&town.district.database).await;
    let mut findings = Vec::new();
    let told = &mut |finding: Finding| findings.extend((!finding.warning).then_some(finding));
    town.district.gate.audit(&[], told).await.unwrap();
    assert_eq!(findings, [], "seed {seed}");
    town
}

/// What was asked, as it was sent and as it is meant.
#[derive(Clone)]
struct Request {
    mutation: &'static str,
    input: Value,
    meaning: Meaning,
}

struct Town {
    seed: u64,
    rng: ChaCha8Rng,
    district: District,
    /// Two hospitals, then two shops.
    partners: Vec<Partner>,
    bureau: Partner,
    patients: Vec<(Resident, Patient)>,
    cards: Vec<String>,
    books: Books,
    /// Outside ids, in the order of the model.
    settlements: Vec<String>,
    sales: Vec<String>,
    asked: Vec<(usize, Request)>,
    number: u32,
}

impl Town {
    async fn new(seed: u64) -> Self {
        let district = District::new().await;
        district.policy(Policy::medical(&district).annual_cap(&yuan(books::CAP))).await;
        let mut patients = Vec::new();
        for number in 0..4 {
            let patient = district.person("李小明", &[Category::Dibao]).await;
            patients.push((patient, Patient::Covered(number)));
        }
        patients.push((district.person("张三", &[]).await, Patient::WithoutCategory));
        let mut nobody = district.person("王小红", &[Category::Dibao]).await;
        nobody.name = "某某".into();
        patients.push((nobody, Patient::Unknown));
        let mut cards = Vec::new();
        for state in STATES {
            let balance = yuan(BALANCE);
            let in_state = |card: &mut aid_card::Model| match state {
                CardState::Active => {}
                CardState::Issued => card.status = AidCardStatus::Issued,
                CardState::Frozen => card.status = AidCardStatus::Frozen,
                CardState::Expired => card.expires_on = day("2019-06-19"),
            };
            cards.push(district.card_that(&balance, in_state).await);
        }
        district.set_time(BEGIN);
        let mut partners = Vec::new();
        for code in [HOSPITAL, OTHER_HOSPITAL, SHOP, OTHER_SHOP] {
            partners.push(district.partner(code).await);
        }
        let bureau = district.partner(BUREAU).await;
        let budget = json!({ "key": "budget", "programmeCode": "MEDICAL_ASSISTANCE", "year": 2019, "amount": yuan(books::BUDGET) });
        bureau.act("appropriate", budget, "budget { available }").await.done("appropriate");
        let in_model = STATES.map(|state| Card { state, balance: BALANCE });
        Self {
            seed,
            rng: ChaCha8Rng::seed_from_u64(seed),
            books: Books::new(in_model.into()),
            district,
            partners,
            bureau,
            patients,
            cards,
            settlements: Vec::new(),
            sales: Vec::new(),
            asked: Vec::new(),
            number: 0,
        }
    }

    fn now(&self) -> DateTime<chrono::Utc> {
        self.district.now()
    }

    async fn step(&mut self, step: usize) {
        let last = china_date(self.now()).month() == 12;
        let days = if !last && self.rng.random_ratio(1, 20) { self.rng.random_range(1..12) } else { 0 };
        self.district.wait(TimeDelta::seconds(1) + TimeDelta::days(days));
        let today = china_date(self.now());
        self.books.now = (today.month(), i64::from(today.ordinal()));
        let (partner, request) = self.next();
        let key = request.input["key"].as_str().unwrap().to_owned();
        if days > 0 {
            // Tokens live for a month; the model for longer.
            for partner in &mut self.partners {
                *partner = self.district.partner(&partner.code).await;
            }
        }
        let told = format!("{}{}", request.mutation, request.input);
        let expected = self.books.answer(partner, &key, &told, &request.meaning);
        let shape = match request.mutation {
            "settle" | "reverseSettlement" => "settlement { id assistance }",
            "redeemAidCard" | "refundRedemption" => "redemption { id }",
            "voidOperation" => "operation { key }",
            _ => "statement { id }",
        };
        let reply = self.partners[partner].act(request.mutation, request.input.clone(), shape).await.fine();
        let mut refusals = reply.refusals(request.mutation);
        refusals.sort_unstable();
        let payload = reply.at(request.mutation);
        let paid = payload["settlement"]["assistance"].as_str().map(|amount| fen(amount).get());
        let found = Answer {
            refusals: expected.refusals.clone(),
            amount: paid,
            replayed: payload["replayed"] == true,
        };
        assert!(
            refusals == expected.refusals && found == expected,
            "seed {}, step {step}: {} {}\nexpected {expected:?}\nfound    {}",
            self.seed,
            request.mutation,
            request.input,
            reply.body
        );
        if !expected.replayed && expected.refusals.is_empty() {
            match request.mutation {
                "settle" => self.settlements.push(reply.text("settle.settlement.id")),
                "redeemAidCard" => self.sales.push(reply.text("redeemAidCard.redemption.id")),
                _ => {}
            }
        }
        self.asked.push((partner, request));
    }

    fn key(&mut self) -> String {
        self.number += 1;
        format!("{}-{}", self.seed, self.number)
    }

    fn next(&mut self) -> (usize, Request) {
        let partner = self.rng.random_range(0..4);
        let hospital = partner < 2;
        // In every other month more is taken back than done: such a month may come to less than nothing.
        let quiet = self.books.now.0 % 2 == 1;
        let new = if quiet { 6 } else { 45 };
        match self.rng.random_range(0..100) {
            drawn if drawn < new && hospital => (partner, self.settle()),
            drawn if drawn < new => (partner, self.redeem()),
            0..62 if hospital => (partner, self.reverse()),
            0..62 => (partner, self.refund()),
            62..74 => self.again(),
            74..80 => self.reuse(partner),
            80..88 => (partner, self.void(partner)),
            _ => (partner, self.confirm(partner)),
        }
    }

    fn settle(&mut self) -> Request {
        let key = self.key();
        let (mut resident, patient) = self.patients[self.rng.random_range(0..self.patients.len())].clone();
        if patient == Patient::Unknown {
            // Another one each time: the door shuts on a number that is tried too often.
            let first17 = format!("41999919600101{:03}", self.number % 1000);
            resident.national_id = format!("{first17}{}", national_id::check_digit(&first17).unwrap());
        }
        let year = if self.rng.random_ratio(1, 6) { 2018 } else { 2019 };
        let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap() + Days::new(self.rng.random_range(0..150));
        let last = first + Days::new(self.rng.random_range(0..4));
        let total = self.rng.random_range(1..150_000);
        let adds_up = !self.rng.random_ratio(1, 25);
        let number = |town: &mut Self, kind: &str| match town.rng.random_ratio(1, 8) {
            true => format!("{kind}{}", town.rng.random_range(0..10)),
            false => format!("{kind}-{key}"),
        };
        let (invoice, insurer) = (number(self, "FP"), number(self, "JS"));
        let expected = self.rng.random_ratio(1, 10).then(|| self.rng.random_range(1..50_000));
        let in_scope = if adds_up { total } else { total + 1 };
        let posted = Posted::of(&resident.national_id, &resident.name)
            .all_in_scope(&yuan(total))
            .with("inScope", yuan(in_scope))
            .with("invoiceNumber", invoice.as_str())
            .with("insurerSettlementId", insurer.as_str())
            .with("admissionNumber", key.as_str())
            .stay(&first.to_string(), &last.to_string());
        let days = (i64::from(first.num_days_from_ce()), i64::from(last.num_days_from_ce()));
        let bill = Bill { patient, days, year: last.year(), invoice, insurer, total, adds_up, expected };
        let input = json!({ "key": key, "bill": posted.0, "expectedAssistance": expected.map(yuan) });
        Request { mutation: "settle", input, meaning: Meaning::Settle(bill) }
    }

    fn any(&mut self, of: usize) -> Option<usize> {
        (of > 0 && !self.rng.random_ratio(1, 12)).then(|| self.rng.random_range(0..of))
    }

    fn reverse(&mut self) -> Request {
        let which = self.any(self.books.settlements());
        let id = which.map_or("settlement_00000000000000000000000000", |which| &self.settlements[which]);
        let id = id.to_owned();
        let input = json!({ "key": self.key(), "settlementId": id, "reason": "billed twice" });
        Request { mutation: "reverseSettlement", input, meaning: Meaning::Reverse(which) }
    }

    fn redeem(&mut self) -> Request {
        let key = self.key();
        let card = self.rng.random_range(0..self.cards.len());
        let amount = self.rng.random_range(1..6_000);
        let receipt = match self.rng.random_ratio(1, 6) {
            true => format!("R{}", self.rng.random_range(0..4)),
            false => key.clone(),
        };
        let input = json!({
            "key": key, "cardNumber": self.cards[card], "amount": yuan(amount), "receiptNumber": receipt,
        });
        Request { mutation: "redeemAidCard", input, meaning: Meaning::Redeem { card, amount, receipt } }
    }

    fn refund(&mut self) -> Request {
        let sale = self.any(self.books.sales());
        let amount = self.rng.random_bool(0.7).then(|| self.rng.random_range(1..2_000));
        let id = sale.map_or("redemption_00000000000000000000000000", |sale| &self.sales[sale]).to_owned();
        let input = json!({
            "key": self.key(), "redemptionId": id, "amount": amount.map(yuan), "reason": "returned",
        });
        Request { mutation: "refundRedemption", input, meaning: Meaning::Refund { sale, amount } }
    }

    /// Something that was asked before, as it was.
    fn again(&mut self) -> (usize, Request) {
        match self.any(self.asked.len()) {
            Some(which) => self.asked[which].clone(),
            None => (2, self.redeem()),
        }
    }

    /// Something new under a key that was used before.
    fn reuse(&mut self, partner: usize) -> (usize, Request) {
        let keys = self.books.keys_of(partner);
        let mut request = if partner < 2 { self.settle() } else { self.redeem() };
        if let Some(which) = self.any(keys.len()) {
            request.input["key"] = keys[which].as_str().into();
        }
        (partner, request)
    }

    fn void(&mut self, partner: usize) -> Request {
        let keys = self.books.keys_of(partner);
        let own = self.key();
        let key = match self.any(keys.len()) {
            Some(which) => keys[which].clone(),
            None => format!("{own}-never"),
        };
        let input = json!({ "key": own, "operationKey": key, "reason": "no answer" });
        Request { mutation: "voidOperation", input, meaning: Meaning::Void { key } }
    }

    fn confirm(&mut self, partner: usize) -> Request {
        let first = self.books.below_zero(partner).unwrap_or(6);
        let month = self.rng.random_range(first..=self.books.now.0);
        let known = self.books.months.get(&(partner, month)).copied().unwrap_or_default();
        let right = known.net();
        let net = if self.rng.random_ratio(1, 5) { right.abs() + 1 } else { right.max(0) };
        let input = json!({ "key": self.key(), "month": format!("2019-{month:02}"), "net": yuan(net) });
        Request { mutation: "confirmStatement", input, meaning: Meaning::Confirm { month, net } }
    }

    /// Everything that the two books say of balances.
    async fn compare(&self, step: usize) {
        let seed = self.seed;
        let fresh = self.district.partner(SHOP).await;
        for (number, card) in self.cards.iter().zip(&self.books.cards) {
            assert_eq!(fresh.balance(number).await, yuan(card.balance), "seed {seed}, step {step}: a card");
        }
        let hospital = self.district.partner(HOSPITAL).await;
        for (resident, patient) in &self.patients {
            let Patient::Covered(patient) = patient else { continue };
            for year in [2018, 2019] {
                let used = self.books.used.get(&(*patient, year)).copied().unwrap_or(0);
                let (_, found, left) = hospital.left(resident, &format!("{year}-05-01")).await;
                assert_eq!(found, json!(yuan(used)), "seed {seed}, step {step}: used of {year}");
                assert_eq!(left, json!(yuan(books::CAP - used)), "seed {seed}, step {step}: left of {year}");
            }
        }
        let budgets = "{ budgets(year: 2019) { available } }";
        let found = self.bureau_now().await.ask(budgets, json!({})).await.fine();
        assert_eq!(
            found.text("budgets.0.available"),
            yuan(self.books.budget),
            "seed {seed}, step {step}: budget"
        );
        for ((partner, month), known) in &self.books.months {
            let partner = self.district.partner(&self.partners[*partner].code).await;
            let found = partner.totals(&format!("2019-{month:02}")).await;
            let net = yuan(known.net());
            let expected = (known.count, yuan(known.gross), yuan(known.reversed), net);
            assert_eq!(found, expected, "seed {seed}, step {step}: month {month} of {}", partner.code);
        }
    }

    async fn bureau_now(&self) -> Partner {
        self.district.partner(&self.bureau.code).await
    }
}

/// Fen as the contract writes yuan.
fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", fen.abs() / 100, fen.abs() % 100)
}
