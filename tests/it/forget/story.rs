//! Somebody who can be forgotten, with everything that was ever written of them.

use entity::id::PersonId;
use entity::kinds::Category;
use entity::{Sealed, person, settlement};
use onestop::access::{Forgotten, Keys};
use onestop::rules::retention::Retention;
use sea_orm::{EntityTrait, IdenStatic, Iterable, ModelTrait, Value as Stored};
use serde_json::{Value, json};

use crate::harness::District;
use crate::harness::database::postgres;
use crate::harness::district::{BUREAU, CF, DPF, HOSPITAL, OFFICE, Resident, SHOP};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::referring::{consent as agreement, request};
use crate::harness::till::sale;

pub const NAME: &str = "欧阳小红";
/// As an office wrote it once.
pub const MISSPELLED: &str = "欧阳小洪";
pub const LONG_AFTER: &str = "2047-01-02T02:00:00Z";
pub const TOLD: [&str; 9] =
    ["欧阳", "人民路", "久病", "1390000", "买菜的邻居", "家里漏雨", "已经修好", "多收一袋", "办理补助"];
pub const PERSON: &str = "reason outcome events { nodes { note } } person { name birthYear idNumber phone }";

/// Somebody of whom there are a stay, sales with a refund, consents and referrals; the hospital's and the shop's months are paid.
pub struct Story {
    pub district: District,
    pub person: Resident,
    pub settlement: String,
    pub referrals: Vec<String>,
}

pub fn sql(id: PersonId) -> String {
    let id = uuid::Uuid::from(id);
    match postgres() {
        Some(_) => format!("'{id}'"),
        None => format!("x'{}'", id.simple()),
    }
}

/// The sealed values of a row, opened, a line each.
pub fn opened<E: EntityTrait>(keys: &Keys, row: &E::Model) -> String {
    let mut text = String::new();
    let id = E::Column::iter().find(|column| column.as_str() == "id").map(|column| row.get(column));
    for column in E::Column::iter().filter(|column| column.as_str().ends_with("_sealed")) {
        if let (Some(Stored::Uuid(Some(id))), Stored::Bytes(Some(sealed))) = (&id, row.get(column)) {
            text.push_str(&keys.open(column, *id, &Sealed(sealed)).unwrap());
            text.push('\n');
        }
    }
    text
}

impl Story {
    pub async fn new() -> Self {
        Self::in_district(District::with_medical_assistance().await).await
    }

    pub async fn in_district(district: District) -> Self {
        let person = district
            .person_who(NAME, &[Category::Dibao], |row| {
                let sealed =
                    |column, plain: &str| Some(district.gate.keys().seal(column, row.id, plain).unwrap());
                row.address_sealed = sealed(person::Column::AddressSealed, "人民路九号");
                row.health_sealed = sealed(person::Column::HealthSealed, "久病在床");
            })
            .await;
        let hospital = district.partner(HOSPITAL).await;
        let settlement = hospital.settle(&bill(&person)).await.done("settle").text("settle.settlement.id");
        let other = district.person("李小明", &[Category::Dibao]).await;
        hospital.settle(&bill(&other)).await.done("settle");

        let shop = district.partner(SHOP).await;
        let card = district.card_that("20.00", |row| row.person_id = person.id).await;
        let mut first = sale(&card, "20.00", "R1");
        first["agentName"] = "买菜的邻居".into();
        let sold = shop.redeem(first).await.done("redeemAidCard").text("redeemAidCard.redemption.id");
        let back = json!({ "key": new_key(), "redemptionId": sold, "reason": "多收一袋" });
        shop.act("refundRedemption", back, "redemption { id }").await.done("refundRedemption");
        shop.sell(&card, "20.00", "R2").await;

        let office = district.partner(OFFICE).await;
        let mut referrals = Vec::new();
        for name in [NAME, MISSPELLED] {
            let stated =
                Resident { id: person.id, national_id: person.national_id.clone(), name: name.into() };
            let mut agreed = agreement(DPF, &stated, &["ID_NUMBER"]);
            agreed["purpose"] = "办理补助".into();
            let agreed = office.act("recordConsent", agreed, "consent { id }").await.done("recordConsent");
            let consent = agreed.text("recordConsent.consent.id");
            let mut input = request(DPF, &stated);
            input["reason"] = "家里漏雨".into();
            input["phone"] = "13900001234".into();
            input["consentId"] = consent.clone().into();
            let id = office.refer(input).await;
            let end = json!({ "key": new_key(), "referralId": id, "reason": "已经修好" });
            office.act("cancelReferral", end, "referral { id }").await.done("cancelReferral");
            let withdrawal = json!({ "key": new_key(), "consentId": consent });
            office.act("withdrawConsent", withdrawal, "consent { id }").await.done("withdrawConsent");
            referrals.push(id);
        }
        let own =
            format!("UPDATE person_status SET valid_to = '2016-06-30' WHERE person_id = {}", sql(person.id));
        district.database.change(&own).await;
        Self { district, person, settlement, referrals }
    }

    /// Both months are confirmed and paid in July.
    pub async fn paid(&self) {
        self.district.set_time("2016-07-05T02:00:00Z");
        for (owed, pays) in [(HOSPITAL, BUREAU), (SHOP, CF)] {
            let owed = self.district.partner(owed).await;
            let net = owed.totals("2016-06").await.3;
            let agreed = owed.confirm("2016-06", &net).await.done("confirmStatement");
            let statement = agreed.text("confirmStatement.statement.id");
            self.district.partner(pays).await.pay(&statement, "B1").await.done("payStatement");
        }
    }

    pub async fn try_to_forget(&self) -> Forgotten {
        forget(&self.district, self.person.id).await
    }

    /// Every row of every table, with what is sealed in it.
    pub async fn everything(&self) -> String {
        let connection = self.district.database.look().await;
        let mut rows: Vec<String> = Vec::new();
        macro_rules! dump {
            ($($table:ident),* $(,)?) => {$(
                for row in entity::$table::Entity::find().all(&connection).await.unwrap() {
                    rows.push(format!("{row:?}"));
                    let sealed = opened::<entity::$table::Entity>(self.district.gate.keys(), &row);
                    rows.extend(Some(sealed).filter(|sealed| !sealed.is_empty()));
                }
            )*};
        }
        onestop::every_sliced_table!(dump);
        connection.close().await.unwrap();
        rows.join("\n")
    }

    /// What no forgetting touches: the ledger and what was paid by it.
    pub async fn money(&self) -> Vec<String> {
        let connection = self.district.database.look().await;
        let mut rows: Vec<String> = Vec::new();
        macro_rules! dump {
            ($($table:ident),* $(,)?) => {$(
                for row in entity::$table::Entity::find().all(&connection).await.unwrap() {
                    rows.push(format!("{row:?}"));
                }
            )*};
        }
        dump!(entry, statement, budget_share, entitlement_use, settlement_part, operation, event);
        for row in settlement::Entity::find().all(&connection).await.unwrap() {
            let amounts = (row.total_cost, row.assistance, row.personal_burden, row.settled_at);
            rows.push(format!("{:?} {amounts:?} {}", row.id, row.calculation));
        }
        for row in entity::aid_card::Entity::find().all(&connection).await.unwrap() {
            rows.push(format!("{:?} {:?} {:?}", row.id, row.face_value, row.balance));
        }
        for row in entity::redemption::Entity::find().all(&connection).await.unwrap() {
            rows.push(format!("{:?} {:?} {:?} {:?}", row.id, row.amount, row.refunded, row.redeemed_at));
        }
        connection.close().await.unwrap();
        rows.sort();
        rows
    }

    pub async fn statements(&self) -> Vec<Value> {
        let mut bodies = Vec::new();
        for code in [HOSPITAL, SHOP] {
            bodies.push(self.district.partner(code).await.statement("2016-06").await.fine().body);
        }
        bodies
    }
}

pub async fn forget(district: &District, id: PersonId) -> Forgotten {
    let steward = district.gate.steward().await.unwrap().unwrap();
    district.gate.forgetting(Retention::VOUCHERS, Some(&steward)).person(id).await.unwrap()
}

pub async fn differences(district: &District) -> u64 {
    while district.gate.seal_records().await.unwrap() > 0 {}
    district.gate.audit(&[], &mut |finding| panic!("{finding:?}")).await.unwrap().differences
}
