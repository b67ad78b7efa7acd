//! A district in which much has happened: on PostgreSQL 100,000 rows of each kind, and partners that did a little, long ago.

use chrono::{DateTime, TimeDelta, Utc};
use entity::id::{
    AidCardId, OperationId, PartnerId, RedemptionId, ReferralEventId, ReferralId, SettlementId,
    SettlementPartId,
};
use entity::kinds::{
    AuditOutcome, Category, OperationStatus, RedemptionStatus, ReferralSide, ReferralStatus,
    SettlementChannel, SettlementStatus,
};
use entity::{
    Fen, aid_card, audit_record, event, operation, redemption, referral, referral_event, referral_party,
    settlement, settlement_part,
};
use onestop::page::type_id;
use sea_orm::{ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, QueryFilter};
use serde_json::json;
use uuid::Uuid;

use crate::harness::database::postgres;
use crate::harness::district::{
    BUREAU, DPF, HOSPITAL, OFFICE, OTHER_HOSPITAL, OTHER_OFFICE, OTHER_SHOP, Resident, SHOP, fen,
};
use crate::harness::{Bill, District, Policy};

/// Rows of each kind that the busy partners have.
pub const MANY: u32 = 100_000;
/// Rows that the other partners have, all of them older.
pub const FEW: u32 = 20;

/// What is needed to ask about them.
pub struct Volume {
    pub district: District,
    pub patient: Resident,
    pub card: String,
    pub card_id: AidCardId,
}

/// The key of a row of a partner that did a little, long ago.
pub fn old(number: u32) -> Uuid {
    key_made(long_ago(number), number)
}

/// The key of a row of a busy partner; the later, the larger.
pub fn recent(number: u32) -> Uuid {
    key_made(last_day() - TimeDelta::minutes(28) * i32::try_from(MANY - number).unwrap(), number)
}

fn key_made(at: DateTime<Utc>, number: u32) -> Uuid {
    let millis = u128::try_from(at.timestamp_millis()).unwrap();
    Uuid::from_u128((millis << 80) + (0x7000_8000 << 48) + u128::from(number))
}

/// [`recent`] in SQL, of a number that is computed from `i`.
fn recent_of(number: &str) -> String {
    let millis =
        format!("extract(epoch FROM {})::bigint * 1000", MOMENT.replace("i)", &format!("({number}))")));
    format!("(lpad(to_hex({millis}), 12, '0') || '70008000' || lpad(to_hex({number}), 12, '0'))::uuid")
}

/// When a busy partner's row was made: over five and a half years, up to a day before the district's today.
const MOMENT: &str = "(timestamptz '2016-06-14 00:00:00Z' - (100000 - i) * interval '28 minutes')";

fn last_day() -> DateTime<Utc> {
    "2016-06-14T00:00:00Z".parse().unwrap()
}

fn long_ago(number: u32) -> DateTime<Utc> {
    "2010-03-01T01:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::hours(number.into())
}

impl Volume {
    pub async fn load() -> Self {
        let district = District::new().await;
        let version = district.policy(Policy::medical(&district)).await;
        let patient = district.person("李小明", &[Category::Dibao]).await;
        let card = district.card_that("9000.00", |card| card.monthly_limit = Some(card.face_value)).await;
        let look = district.database.look().await;
        let card_id = aid_card::Entity::find()
            .filter(aid_card::Column::Balance.eq(fen("9000.00")))
            .one(&look)
            .await
            .unwrap()
            .unwrap()
            .id;
        let volume = Self { district, patient, card, card_id };
        volume.lay_settlements(version).await;
        volume.lay_redemptions().await;
        volume.lay_referrals().await;
        volume.lay_the_trail().await;
        if postgres().is_some() {
            volume.multiply(&look).await;
        }
        volume
    }

    async fn partner(&self, code: &str) -> PartnerId {
        self.district.partner_id(code).await
    }

    fn operation(&self, id: Uuid, partner: PartnerId, key: String, at: DateTime<Utc>) -> operation::Model {
        operation::Model {
            id: OperationId::from(id),
            partner_id: partner,
            key,
            mutation: "settle".into(),
            scope: entity::kinds::Scope::SettlementWrite,
            request_hash: entity::Digest(vec![0; 32]),
            status: OperationStatus::Rejected,
            answer: json!({ "result": null, "refusals": [] }),
            voided_by: None,
            operator_code: None,
            operator_name: None,
            token_id: Uuid::from_u128(1).into(),
            at,
        }
    }

    async fn lay_settlements(&self, version: entity::id::PolicyVersionId) {
        let (few, many) = (self.partner(OTHER_HOSPITAL).await, self.partner(HOSPITAL).await);
        let mut rows = Vec::new();
        let mut parts = Vec::new();
        let mut operations = Vec::new();
        let numbers = (1..=FEW).map(|number| (old(number), few, number)).chain([(recent(0), many, 0)]);
        for (id, hospital_id, number) in numbers {
            let at = long_ago(number);
            let amount = |yuan: &str| fen(yuan);
            rows.push(settlement::Model {
                id: SettlementId::from(id),
                hospital_id,
                person_id: self.patient.id,
                operation_key: format!("S-{number}"),
                status: SettlementStatus::Settled,
                channel: SettlementChannel::OneStop,
                patient_name: "李*明".into(),
                admission_number: format!("ZY-{number}"),
                invoice_number: format!("FP-{number}"),
                insurer_settlement_id: format!("JS-{number}"),
                encounter_id: None,
                admitted_on: at.date_naive(),
                discharged_on: at.date_naive(),
                total_cost: amount("100.00"),
                fully_self_paid: Fen::ZERO,
                over_limit_self_paid: Fen::ZERO,
                upfront_self_paid: Fen::ZERO,
                in_scope: amount("100.00"),
                basic_insurance_paid: amount("50.00"),
                serious_illness_insurance_paid: Fen::ZERO,
                other_funds_paid: Fen::ZERO,
                commercial_insurance_paid: Fen::ZERO,
                hospital_waiver: Fen::ZERO,
                other_assistance_paid: Fen::ZERO,
                assistance: amount("35.00"),
                personal_burden: amount("15.00"),
                calculation: json!({}),
                settled_at: at,
                reversed_at: None,
                reversal_reason_sealed: None,
                recalculation_due: false,
            });
            parts.push(settlement_part::Model {
                id: SettlementPartId::from(id),
                settlement_id: SettlementId::from(id),
                person_id: self.patient.id,
                programme_id: self.district.medical,
                policy_version_id: version,
                cap_group: "MEDICAL".into(),
                benefit_year: 2010,
                deductible_counted: Fen::ZERO,
                paid: amount("35.00"),
                capped: false,
            });
            operations.push(self.operation(id, hospital_id, format!("S-{number}"), at));
        }
        self.district.lay::<settlement::Entity>(rows).await;
        self.district.lay::<settlement_part::Entity>(parts).await;
        self.district.lay::<operation::Entity>(operations).await;
    }

    async fn lay_redemptions(&self) {
        let (few, many) = (self.partner(OTHER_SHOP).await, self.partner(SHOP).await);
        let numbers = (1..=FEW).map(|number| (old(number), few, number)).chain([(recent(0), many, 0)]);
        let rows = numbers.map(|(id, supermarket_id, number)| redemption::Model {
            id: RedemptionId::from(id),
            supermarket_id,
            aid_card_id: self.card_id,
            operation_key: format!("R-{number}"),
            status: RedemptionStatus::Redeemed,
            receipt_number: format!("XP-{number}"),
            receipt_day: long_ago(number).date_naive(),
            amount: fen("5.00"),
            refunded: Fen::ZERO,
            balance_after: fen("10.00"),
            card_last_four: "0015".into(),
            lines: None,
            agent_name_sealed: None,
            redeemed_at: long_ago(number),
            voided_at: None,
            refunded_at: None,
        });
        self.district.lay::<redemption::Entity>(rows.collect()).await;
    }

    /// Half of the other office's were sent by it, half to it; the busy office's went to the federation.
    async fn lay_referrals(&self) {
        let (few, many) = (self.partner(OTHER_OFFICE).await, self.partner(OFFICE).await);
        let (federation, bureau) = (self.partner(DPF).await, self.partner(BUREAU).await);
        let keys = self.district.gate.keys();
        let mut rows = Vec::new();
        let mut parties = Vec::new();
        let mut events = Vec::new();
        let numbers = (1..=FEW)
            .map(|number| match number % 2 {
                0 => (old(number), few, federation, number),
                _ => (old(number), federation, few, number),
            })
            .chain([(recent(0), many, federation, 0)]);
        for (id, sender_id, receiver_id, number) in numbers {
            let at = long_ago(number);
            let status = if number == 2 { ReferralStatus::Requested } else { ReferralStatus::Completed };
            rows.push(referral::Model {
                id: ReferralId::from(id),
                number: format!("N-{number}"),
                sender_id,
                receiver_id,
                programme_id: None,
                reason_sealed: keys.seal(referral::Column::ReasonSealed, id, "wheelchair").unwrap(),
                person_id: Some(self.patient.id),
                stated_name_sealed: keys
                    .seal(referral::Column::StatedNameSealed, id, &self.patient.name)
                    .unwrap(),
                stated_national_id_sealed: keys
                    .seal(referral::Column::StatedNationalIdSealed, id, &self.patient.national_id)
                    .unwrap(),
                stated_birth_year: 1950,
                stated_phone_sealed: None,
                consent_id: None,
                status,
                requested_at: at,
                due_at: at + TimeDelta::days(10),
                updated_at: at,
                outcome_sealed: None,
                amount_granted: None,
            });
            let sides = [
                (sender_id, ReferralSide::Sender),
                (receiver_id, ReferralSide::Receiver),
                (bureau, ReferralSide::Overseer),
            ];
            parties.extend(sides.map(|(partner_id, side)| referral_party::Model {
                partner_id,
                referral_id: ReferralId::from(id),
                side,
                external_reference: Some(format!("X-{number}")),
            }));
            events.extend((0..3u32).map(|step| referral_event::Model {
                id: ReferralEventId::from(Uuid::from_u128(id.as_u128() + (u128::from(step + 1) << 32))),
                referral_id: ReferralId::from(id),
                at,
                status: ReferralStatus::Requested,
                actor_id: sender_id,
                note_sealed: None,
            }));
        }
        self.district.lay::<referral::Entity>(rows).await;
        self.district.lay::<referral_party::Entity>(parties).await;
        self.district.lay::<referral_event::Entity>(events).await;
    }

    /// Twenty old events, audit records and postings of one who did a little, one of a busy partner.
    async fn lay_the_trail(&self) {
        let (few, many) = (self.partner(OTHER_HOSPITAL).await, self.partner(HOSPITAL).await);
        let (mut events, mut records) = (Vec::new(), Vec::new());
        let olds = (0..20).map(|number| (old(number), few, long_ago(number), i64::from(number) + 1));
        for (id, partner, at, position) in olds.chain([(recent(0), many, last_day(), 1_000)]) {
            events.push(event::Model {
                id: id.into(),
                partner_id: partner,
                kind: "settlement.settled".into(),
                subject: type_id(SettlementId::from(id)),
                at,
                position: Some(position),
            });
            records.push(audit_record::Model {
                id: id.into(),
                at,
                partner_id: partner,
                token_id: Uuid::from_u128(1).into(),
                operator_code: None,
                scope: entity::kinds::Scope::SettlementWrite,
                act: "settle".into(),
                outcome: AuditOutcome::Done,
                subject: None,
                operation_key: Some(position.to_string()),
                before_digest: None,
                after_digest: None,
                origin: None,
                seal_number: Some(position),
                place: Some(1),
            });
        }
        self.district.lay::<event::Entity>(events).await;
        self.district.lay::<audit_record::Entity>(records).await;
    }

    /// Copies the busy partners' one row of each table, a hundred thousand times.
    async fn multiply(&self, look: &DatabaseConnection) {
        let copied = format!("id = '{}'", recent(0));
        let referral_of = format!("referral_id = '{}'", recent(0));
        let made = recent_of("i");
        let recent = made.as_str();
        let numbered = |prefix: &str| format!("'{prefix}-' || (i + 1000)");
        let copy = Copy { look };
        let hospitals = recent_of("2 * i");
        let shops = recent_of("2 * i + 1");
        for (code, id, area) in [
            (OTHER_HOSPITAL, &hospitals, "'41010' || (3 + i % 7)"),
            (OTHER_SHOP, &shops, "'41010' || (3 + i % 7) || '001'"),
        ] {
            let (of, code) = (format!("code = '{code}'"), numbered(code));
            copy.rows("partner", &of, MANY / 2, &[("id", id), ("code", &code), ("area", area)]).await;
        }
        let person = format!("id = '{}'", Uuid::from(self.patient.id));
        let hash = "decode(md5(i::text) || md5('x' || i), 'hex')";
        copy.rows(
            "person",
            &person,
            MANY,
            &[("id", recent), ("national_id_hash", hash), ("desk_hash", hash)],
        )
        .await;
        let of = format!("person_id = '{}'", Uuid::from(self.patient.id));
        copy.rows("person_status", &of, MANY, &[("id", recent), ("person_id", recent)]).await;
        let card = format!("id = '{}'", Uuid::from(self.card_id));
        copy.rows("aid_card", &card, MANY, &[("id", recent), ("number_hash", hash), ("person_id", recent)])
            .await;
        let key = numbered("S");
        copy.rows("operation", &copied, MANY, &[("id", recent), ("at", MOMENT), ("key", &key)]).await;
        let day = format!("({MOMENT})::date");
        let (invoice, insurer) = (numbered("FP"), numbered("JS"));
        let settlement: [(&str, &str); 9] = [
            ("id", recent),
            ("person_id", recent),
            ("operation_key", &key),
            ("invoice_number", &invoice),
            ("insurer_settlement_id", &insurer),
            ("admitted_on", &day),
            ("discharged_on", &day),
            ("settled_at", MOMENT),
            ("status", "CASE WHEN i % 20 = 0 THEN 'REVERSED' ELSE t.status END"),
        ];
        copy.rows("settlement", &copied, MANY, &settlement).await;
        let part = [("id", recent), ("settlement_id", recent), ("person_id", recent)];
        copy.rows("settlement_part", &copied, MANY, &part).await;
        let (key, receipt) = (numbered("R"), numbered("XP"));
        let card_of = recent_of("i % 10000 + 1");
        let redemption: [(&str, &str); 6] = [
            ("id", recent),
            ("operation_key", &key),
            ("receipt_number", &receipt),
            ("receipt_day", &day),
            ("redeemed_at", MOMENT),
            ("aid_card_id", &card_of),
        ];
        copy.rows("redemption", &copied, MANY, &redemption).await;
        let (number, due) = (numbered("N"), format!("({MOMENT}) + interval '14 days'"));
        let referral: [(&str, &str); 6] = [
            ("id", recent),
            ("number", &number),
            ("person_id", recent),
            ("due_at", &due),
            ("requested_at", MOMENT),
            ("updated_at", MOMENT),
        ];
        copy.rows("referral", &copied, MANY, &referral).await;
        let reference = numbered("X");
        let party: [(&str, &str); 2] = [("referral_id", recent), ("external_reference", &reference)];
        copy.rows("referral_party", &referral_of, MANY, &party).await;
        let event_id =
            "(substr(t.id::text, 1, 24) || substr(t.id::text, 25, 4) || lpad(to_hex(i), 8, '0'))::uuid";
        copy.rows(
            "referral_event",
            &referral_of,
            MANY,
            &[("id", event_id), ("referral_id", recent), ("at", MOMENT)],
        )
        .await;
        let told: [(&str, &str); 3] = [("id", recent), ("at", MOMENT), ("position", "i + 1000")];
        copy.rows("event", &copied, MANY, &told).await;
        let key = numbered("K");
        let record: [(&str, &str); 4] =
            [("id", recent), ("at", MOMENT), ("operation_key", &key), ("seal_number", "i + 1000")];
        copy.rows("audit_record", &copied, MANY, &record).await;
        let posting: [(&str, &str); 3] =
            [("posting_id", recent), ("acted_at", MOMENT), ("posted_at", MOMENT)];
        copy.rows("entry", "kind = 'CARD_ISSUE'", MANY, &posting).await;
        let requested = "UPDATE referral SET status = 'REQUESTED' WHERE requested_at > timestamptz '2016-06-13 00:00:00Z'";
        look.execute_unprepared(requested).await.unwrap();
        look.execute_unprepared("VACUUM ANALYZE").await.unwrap();
    }

    /// A bill that nobody has posted.
    pub fn bill(&self) -> serde_json::Value {
        Bill::of(&self.patient.national_id, &self.patient.name).0
    }
}

struct Copy<'a> {
    look: &'a DatabaseConnection,
}

impl Copy<'_> {
    /// Copies the rows for which a condition holds, with these columns as expressions of `i`.
    async fn rows(&self, table: &str, condition: &str, times: u32, changed: &[(&str, &str)]) {
        let columns = sea_orm::Statement::from_string(
            sea_orm::DbBackend::Postgres,
            format!(
                "SELECT column_name::text FROM information_schema.columns WHERE table_name = '{table}' \
                     AND is_identity = 'NO'"
            ),
        );
        let columns = self.look.query_all_raw(columns).await.unwrap();
        let columns: Vec<String> = columns.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        let values: Vec<String> = columns
            .iter()
            .map(|column| match changed.iter().find(|(name, _)| name == column) {
                Some((_, value)) => (*value).to_owned(),
                None => format!("t.\"{column}\""),
            })
            .collect();
        let names: Vec<String> = columns.iter().map(|column| format!("\"{column}\"")).collect();
        let sql = format!(
            "BEGIN; SET LOCAL session_replication_role = replica; SET LOCAL synchronous_commit = off;
             INSERT INTO {table} ({}) SELECT {} FROM (SELECT * FROM {table} WHERE {condition}) t, generate_series(1, {times}) i; COMMIT",
            names.join(", "),
            values.join(", "),
        );
        self.look.execute_unprepared(&sql).await.unwrap();
    }
}
