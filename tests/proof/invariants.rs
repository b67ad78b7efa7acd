//! What must hold after every run, read from the database itself.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use entity::id::{PartnerId, RedemptionId};
use entity::kinds::{Account, AuditOutcome, OperationStatus, SettlementStatus};
use entity::{
    aid_card, audit_record, budget_share, entitlement_use, entry, event, operation, partner, policy_version,
    redemption, refund, settlement,
};
use onestop::page::type_id;
use sea_orm::{DatabaseConnection, EntityTrait};
use uuid::Uuid;

use crate::book::{Asked, Book, Pages, Place, Said};
use crate::harness::database::Fresh;

/// What the funds' owners did to found the district.
const FOUNDING: [&str; 2] = ["appropriate", "issueAidCards"];
/// The mutation of a key that was blocked before its request came.
const BLOCKED: &str = "unknown";

/// Fails unless everything holds.
pub async fn check(database: &Fresh, book: &Book) {
    let stored = Stored::read(&database.look().await).await;
    let pages = book.pages();
    stored.books_are_right();
    stored.acknowledged_acts_exist_once(&pages);
    stored.stored_acts_were_asked_for(&pages);
    one_key_one_input_one_answer(&pages);
    stored.money_acts_have_their_record_and_event();
}

/// Fails unless what needs no partner's word holds.
pub async fn check_books(database: &Fresh) {
    let stored = Stored::read(&database.look().await).await;
    stored.books_are_right();
    stored.money_acts_have_their_record_and_event();
}

struct Stored {
    partners: HashMap<PartnerId, String>,
    operations: BTreeMap<Place, operation::Model>,
    settlements: Vec<settlement::Model>,
    redemptions: HashMap<RedemptionId, redemption::Model>,
    refunds: Vec<refund::Model>,
    cards: Vec<aid_card::Model>,
    uses: Vec<entitlement_use::Model>,
    shares: Vec<budget_share::Model>,
    versions: Vec<policy_version::Model>,
    entries: Vec<entry::Model>,
    events: Vec<event::Model>,
    records: Vec<audit_record::Model>,
}

impl Stored {
    async fn read(look: &DatabaseConnection) -> Self {
        macro_rules! all {
            ($table:ident) => {
                $table::Entity::find().all(look).await.unwrap()
            };
        }
        let partners: HashMap<PartnerId, String> =
            all!(partner).into_iter().map(|row| (row.id, row.code)).collect();
        let place = |row: &operation::Model| (partners[&row.partner_id].clone(), row.key.clone());
        Self {
            operations: all!(operation).into_iter().map(|row| (place(&row), row)).collect(),
            settlements: all!(settlement),
            redemptions: all!(redemption).into_iter().map(|row| (row.id, row)).collect(),
            refunds: all!(refund),
            cards: all!(aid_card),
            uses: all!(entitlement_use),
            shares: all!(budget_share),
            versions: all!(policy_version),
            entries: all!(entry),
            events: all!(event),
            records: all!(audit_record),
            partners,
        }
    }

    fn books_are_right(&self) {
        self.postings_sum_to_zero();
        self.nothing_is_below_zero();
        self.balances_are_the_ledgers();
    }

    /// I1
    fn postings_sum_to_zero(&self) {
        let mut postings: BTreeMap<(Uuid, String), i64> = BTreeMap::new();
        for entry in &self.entries {
            *postings.entry((entry.posting_id.into(), format!("{:?}", entry.book))).or_default() +=
                entry.amount.get();
        }
        let ids: BTreeSet<Uuid> = postings.keys().map(|(id, _)| *id).collect();
        assert_eq!(ids.len(), postings.len(), "I1: a posting stands in two books");
        for ((id, _), sum) in postings {
            assert_eq!(sum, 0, "I1: posting {id} does not sum to zero");
        }
    }

    /// I2
    fn nothing_is_below_zero(&self) {
        for card in &self.cards {
            assert!(card.balance.get() >= 0, "I2: a card at {}", card.balance.get());
        }
        for share in &self.shares {
            assert!(share.available.get() >= 0, "I2: a budget at {}", share.available.get());
        }
        for used in &self.uses {
            let caps = self.versions.iter().filter(|version| version.cap_group == used.cap_group);
            let cap = caps.filter_map(|version| version.annual_cap).max();
            assert!(used.used.get() >= 0, "I2: a cap used at {}", used.used.get());
            assert!(cap.is_none_or(|cap| used.used <= cap), "I2: a cap exceeded: {}", used.used.get());
        }
    }

    /// I2, by the ledger.
    fn balances_are_the_ledgers(&self) {
        let booked = |account: Account, of: &dyn Fn(&entry::Model) -> bool| -> i64 {
            let entries = self.entries.iter().filter(|entry| entry.account == account && of(entry));
            entries.map(|entry| entry.amount.get()).sum()
        };
        for card in &self.cards {
            let balance = -booked(Account::Card, &|entry| entry.aid_card_id == Some(card.id));
            assert_eq!(balance, card.balance.get(), "I2: a card's balance is not the ledger's");
        }
        for used in &self.uses {
            let of = |entry: &entry::Model| {
                entry.person_id == Some(used.person_id)
                    && entry.year == Some(used.benefit_year)
                    && entry.cap_group.as_deref() == Some(used.cap_group.as_str())
            };
            let ledger = booked(Account::Entitlement, &of);
            assert_eq!(ledger, used.used.get(), "I2: what a person used is not the ledger's");
        }
        let years: BTreeSet<_> = self.shares.iter().map(|share| (share.programme_id, share.year)).collect();
        for (programme, year) in years {
            let of = |entry: &entry::Model| entry.programme_id == Some(programme) && entry.year == Some(year);
            let left = -booked(Account::Appropriation, &of) - booked(Account::Spending, &of);
            let shares =
                self.shares.iter().filter(|share| (share.programme_id, share.year) == (programme, year));
            let available: i64 = shares.map(|share| share.available.get()).sum();
            assert_eq!(available, left, "I2: what is left of {year} is not the ledger's");
        }
    }

    /// I3
    fn acknowledged_acts_exist_once(&self, pages: &Pages) {
        for (place, answers) in &pages.said {
            for (number, said) in answers.iter().filter(|(_, said)| !said.is_reused() && !said.is_voided()) {
                let asked = &pages.asked[place][*number];
                let operation =
                    self.operations.get(place).unwrap_or_else(|| panic!("I3: {place:?} is not there"));
                assert_eq!(operation.mutation, asked.mutation, "I3: {place:?}");
                assert_eq!(operation.voided_by.is_some(), pages.voided.contains(place), "I3: {place:?}");
                let (status, effects) = match (said.is_done(), operation.voided_by.is_some()) {
                    (true, true) => (OperationStatus::Voided, 1),
                    (true, false) => (OperationStatus::Succeeded, 1),
                    (false, _) => (OperationStatus::Rejected, 0),
                };
                assert_eq!(operation.status, status, "I3: {place:?}");
                assert_eq!(self.effects(place, asked, said), effects, "I3: effects of {place:?}, {asked:?}");
            }
        }
    }

    /// How many rows a request has made.
    fn effects(&self, (partner, key): &Place, asked: &Asked, said: &Said) -> usize {
        let own = |id: &PartnerId, of: &str| self.partners[id] == *partner && of == key;
        match asked.mutation {
            "settle" => {
                let rows = self.settlements.iter().filter(|row| own(&row.hospital_id, &row.operation_key));
                let paid = |row: &settlement::Model| row.assistance.to_yuan().to_string();
                rows.inspect(|row| assert_eq!(Some(paid(row)), said.amount, "I3: {key}")).count()
            }
            "redeemAidCard" => {
                self.redemptions.values().filter(|row| own(&row.supermarket_id, &row.operation_key)).count()
            }
            "refundRedemption" => {
                self.refunds.iter().filter(|row| own(&row.supermarket_id, &row.operation_key)).count()
            }
            "reverseSettlement" => {
                let of = |row: &&settlement::Model| {
                    Some(type_id(row.id)) == said.result && row.status == SettlementStatus::Reversed
                };
                self.settlements.iter().filter(of).count()
            }
            "voidOperation" => {
                let original = (partner.clone(), asked.input["operationKey"].as_str().unwrap().to_owned());
                let voided = self.operations.get(&original).filter(|row| row.voided_by.is_some());
                usize::from(said.is_done() && voided.is_some())
            }
            other => panic!("{other}"),
        }
    }

    /// I4
    fn stored_acts_were_asked_for(&self, pages: &Pages) {
        let asked: BTreeSet<(&Place, &str)> = pages
            .asked
            .iter()
            .flat_map(|(place, requests)| requests.iter().map(move |asked| (place, asked.mutation)))
            .collect();
        for (place, operation) in &self.operations {
            if FOUNDING.contains(&operation.mutation.as_str()) {
                continue;
            }
            if operation.mutation == BLOCKED {
                let by = (place.0.clone(), operation.voided_by.clone().unwrap());
                assert!(asked.contains(&(&by, "voidOperation")), "I4: nobody blocked {place:?}");
                continue;
            }
            assert!(asked.contains(&(place, operation.mutation.as_str())), "I4: nobody asked for {place:?}");
        }
        let rows = (self.settlements.iter().map(|row| (row.hospital_id, &row.operation_key)))
            .chain(self.redemptions.values().map(|row| (row.supermarket_id, &row.operation_key)))
            .chain(self.refunds.iter().map(|row| (row.supermarket_id, &row.operation_key)));
        for (partner, key) in rows {
            let place = (self.partners[&partner].clone(), key.clone());
            assert!(self.operations.contains_key(&place), "I4: an effect of {place:?} without its request");
        }
    }

    /// I6
    fn money_acts_have_their_record_and_event(&self) {
        let mut records: HashMap<(PartnerId, &str, &str), usize> = HashMap::new();
        for record in self.records.iter().filter(|record| record.outcome == AuditOutcome::Done) {
            let key = record.operation_key.as_deref().unwrap();
            *records.entry((record.partner_id, key, record.act.as_str())).or_default() += 1;
        }
        for (place, row) in &self.operations {
            if row.status == OperationStatus::Rejected || row.mutation == BLOCKED {
                continue;
            }
            let found = records.get(&(row.partner_id, row.key.as_str(), row.mutation.as_str()));
            assert_eq!(found, Some(&1), "I6: audit records of {place:?}");
        }
        let mut events: HashMap<(PartnerId, &str, &str), usize> = HashMap::new();
        for event in &self.events {
            *events.entry((event.partner_id, event.kind.as_str(), event.subject.as_str())).or_default() += 1;
        }
        let told = |partner: PartnerId, kind: &str, subject: &str| {
            events.get(&(partner, kind, subject)).copied().unwrap_or_default()
        };
        for row in &self.settlements {
            let (id, reversed) = (type_id(row.id), usize::from(row.status == SettlementStatus::Reversed));
            assert_eq!(told(row.hospital_id, "settlement.settled", &id), 1, "I6: events of {id}");
            assert_eq!(told(row.hospital_id, "settlement.reversed", &id), reversed, "I6: events of {id}");
        }
        let mut refunds: HashMap<RedemptionId, usize> = HashMap::new();
        for row in &self.refunds {
            *refunds.entry(row.redemption_id).or_default() += 1;
        }
        for row in self.redemptions.values() {
            let id = type_id(row.id);
            assert_eq!(told(row.supermarket_id, "redemption.redeemed", &id), 1, "I6: events of {id}");
            let back = told(row.supermarket_id, "redemption.refunded", &id)
                + told(row.supermarket_id, "redemption.voided", &id);
            assert!(back >= usize::from(refunds.contains_key(&row.id)), "I6: events of refunds of {id}");
        }
    }
}

/// I5
fn one_key_one_input_one_answer(pages: &Pages) {
    for (place, answers) in &pages.said {
        let first = answers.iter().find(|(_, said)| !said.is_reused() && !said.is_voided());
        for (number, said) in answers {
            if said.is_voided() {
                assert!(was_to_be_voided(pages, place), "I5: {place:?} was voided by nobody");
            } else if !said.is_reused() {
                assert_eq!(Some(&(*number, said.clone())), first, "I5: answers of {place:?} differ");
            }
        }
    }
}

fn was_to_be_voided(pages: &Pages, (partner, key): &Place) -> bool {
    pages.asked.iter().any(|((of, _), requests)| {
        let voids =
            |asked: &Asked| asked.mutation == "voidOperation" && asked.input["operationKey"] == key.as_str();
        of == partner && requests.iter().any(voids)
    })
}
