//! What a database holds of people at rest: nothing that can be read without the keys, also of what versions before kept in the
//! clear.

use std::path::Path;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use chrono::{DateTime, Utc};
use entity::id::{ConsentId, PersonId, ReferralEventId, ReferralId};
use entity::kinds::Category;
use entity::{consent, person, referral, referral_event};
use migration::{Migrator, MigratorTrait};
use onestop::access::{Database, Keys};
use onestop::error::Error;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, EntityTrait, PaginatorTrait, Statement};
use serde_json::json;
use uuid::Uuid;

use crate::harness::District;
use crate::harness::database::Fresh;
use crate::harness::district::{DPF, HOSPITAL, OFFICE, SHOP, day};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::referring::request;
use crate::harness::till::sale;

/// All bytes of a SQLite database and its log; of a PostgreSQL database every row of every table as text.
async fn everything(fresh: &Fresh) -> Vec<u8> {
    if let Some(file) = fresh.url.strip_prefix("sqlite:") {
        let mut bytes = std::fs::read(file).unwrap();
        bytes.extend(std::fs::read(format!("{file}-wal")).unwrap_or_default());
        return bytes;
    }
    let look = fresh.look().await;
    let ask = |sql: String| look.query_all_raw(Statement::from_string(DbBackend::Postgres, sql));
    let tables = "SELECT CAST(tablename AS text) FROM pg_tables WHERE schemaname = current_schema()";
    let mut text = String::new();
    for table in ask(tables.into()).await.unwrap() {
        let table: String = table.try_get_by_index(0).unwrap();
        for row in ask(format!("SELECT t::text FROM {table} AS t")).await.unwrap() {
            text.push_str(&row.try_get_by_index::<String>(0).unwrap());
        }
    }
    look.close().await.unwrap();
    text.into_bytes()
}

fn holds(bytes: &[u8], word: &str) -> bool {
    bytes.windows(word.len()).any(|found| found == word.as_bytes())
}

#[tokio::test]
async fn nobody_can_be_read_from_the_database() {
    let district = District::with_medical_assistance().await;
    let patient = district
        .person_who("司马静怡", &[Category::Dibao], |row| {
            let (keys, id) = (district.gate.keys(), row.id);
            let sealed = |column, plain: &str| Some(keys.seal(column, id, plain).unwrap());
            row.address_sealed = sealed(person::Column::AddressSealed, "梧桐巷77号");
            row.health_sealed = sealed(person::Column::HealthSealed, "罕见肺病");
            row.phone_sealed = sealed(person::Column::PhoneSealed, "13912345678");
        })
        .await;
    let hospital = district.partner(HOSPITAL).await;
    let settled = hospital.settle(&bill(&patient)).await.done("settle").text("settle.settlement.id");
    let input = json!({ "key": new_key(), "settlementId": settled, "reason": "marker-reversal" });
    hospital.act("reverseSettlement", input, "settlement { id }").await.done("reverseSettlement");

    let office = district.partner(OFFICE).await;
    let federation = district.partner(DPF).await;
    let mut asked = request(DPF, &patient);
    asked["reason"] = "marker-reason".into();
    asked["phone"] = "13887654321".into();
    asked["consentId"] = office.consent(DPF, &patient, &["HEALTH", "ID_NUMBER"]).await.into();
    let referral = office.refer(asked).await;
    let accept = json!({ "key": new_key(), "referralId": referral, "note": "marker-note" });
    federation.act("acceptReferral", accept, "referral { id }").await.done("acceptReferral");
    federation.steps(&referral, &["IN_PROGRESS"]).await;
    let complete = json!({ "key": new_key(), "referralId": referral, "outcome": "marker-outcome" });
    federation.act("completeReferral", complete, "referral { id }").await.done("completeReferral");

    let card = district.card("200.00").await;
    let shop = district.partner(SHOP).await;
    let mut bought = sale(&card, "50.00", "R1");
    bought["agentName"] = "诸葛代买".into();
    let sold = shop.redeem(bought).await.done("redeemAidCard").text("redeemAidCard.redemption.id");
    let refund = json!({ "key": new_key(), "redemptionId": sold, "reason": "marker-refund" });
    shop.act("refundRedemption", refund, "redemption { id }").await.done("refundRedemption");
    district.gate.write_looks().await.unwrap();

    let bytes = everything(&district.database).await;
    assert!(holds(&bytes, "completeReferral"), "the search finds what is there");
    for word in [
        "司马静怡",
        "静怡",
        &patient.national_id,
        "梧桐巷77号",
        "罕见肺病",
        "13912345678",
        "13887654321",
        "marker-",
        "诸葛代买",
        "李小明",
        &card,
    ] {
        assert!(!holds(&bytes, word), "{word} can be read");
    }
    let shape = "reason outcome person { name phone } events { nodes { note } }";
    let shown = office.referral(&referral, shape).await;
    assert_eq!(
        shown,
        json!({
            "reason": "marker-reason",
            "outcome": "marker-outcome",
            "person": { "name": "司马静怡", "phone": "13887654321" },
            "events": { "nodes": [
                { "note": "marker-outcome" }, { "note": null }, { "note": "marker-note" }, { "note": null }
            ] },
        })
    );
}

const SEALING: [u8; 32] = [0x1a; 32];

/// As versions before sealed: the nonce first, bound to the name of the column.
fn sealed_before(column: &str, plain: &str) -> Vec<u8> {
    let nonce = rand::random::<[u8; 24]>();
    let body = XChaCha20Poly1305::new(Key::from_slice(&SEALING))
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain.as_bytes(), aad: column.as_bytes() })
        .unwrap();
    [nonce.as_slice(), &body].concat()
}

async fn lay(look: &DatabaseConnection, table: &'static str, row: Vec<(&'static str, Expr)>) {
    let (columns, values): (Vec<_>, Vec<_>) = row.into_iter().unzip();
    let insert = Query::insert().into_table(table).columns(columns).values_panic(values).to_owned();
    look.execute(&insert).await.unwrap();
}

/// More than are sealed at a go.
const PEOPLE: u128 = 1001;

fn id(number: u128) -> Uuid {
    Uuid::from_u128((0x7000_u128 << 64) | (8 << 60) | number)
}

/// A database as the version before left it, with people, a consent and a referral.
async fn before(fresh: &Fresh) {
    if let Some(file) = fresh.url.strip_prefix("sqlite:") {
        std::fs::remove_file(file).unwrap();
        Database::open(&fresh.url).await.unwrap().close().await.unwrap();
    } else {
        fresh.change("DROP SCHEMA public CASCADE").await;
        fresh.change("CREATE SCHEMA public").await;
    }
    let look = fresh.look().await;
    Migrator::up(&look, Some(10)).await.unwrap();
    let at: DateTime<Utc> = "2016-06-15T02:00:00Z".parse().unwrap();
    let none = || Expr::value(Option::<String>::None);
    for number in [1, 2] {
        let row = vec![
            ("id", Expr::value(id(number))),
            ("code", Expr::value(format!("P{number}"))),
            ("kind", Expr::value("SUBDISTRICT_OFFICE")),
            ("name", Expr::value("office")),
            ("area", Expr::value("410102008")),
            ("created_at", Expr::value(at)),
        ];
        lay(&look, "partner", row).await;
    }
    for number in 1..=PEOPLE {
        let row = vec![
            ("id", Expr::value(id(number))),
            ("national_id_sealed", Expr::value(sealed_before("national_id", "419999197001010014"))),
            ("national_id_hash", Expr::value(number.to_be_bytes().to_vec())),
            ("desk_hash", Expr::value(number.to_be_bytes().to_vec())),
            ("name", Expr::value("司马静怡")),
            ("birth_date", Expr::value(day("1970-01-01"))),
            ("district", Expr::value("410102")),
            ("phone_sealed", Expr::value((number > 1).then(|| sealed_before("phone", "13912345678")))),
            ("address", if number > 1 { Expr::value("梧桐巷77号") } else { none() }),
            ("health", if number > 1 { Expr::value("罕见肺病") } else { none() }),
            ("created_at", Expr::value(at)),
        ];
        lay(&look, "person", row).await;
    }
    let row = vec![
        ("id", Expr::value(id(1))),
        ("recorder_id", Expr::value(id(1))),
        ("receiver_id", Expr::value(id(2))),
        ("national_id_hash", Expr::value(vec![1_u8])),
        ("name", Expr::value("司马静怡")),
        ("fields", Expr::value("PHONE")),
        ("purpose", Expr::value("a wheelchair")),
        ("wording_version", Expr::value("1")),
        ("given_on", Expr::value(day("2016-06-15"))),
        ("recorded_at", Expr::value(at)),
    ];
    lay(&look, "consent", row).await;
    let row = vec![
        ("id", Expr::value(id(1))),
        ("number", Expr::value("7KQ2-M9XD")),
        ("sender_id", Expr::value(id(1))),
        ("receiver_id", Expr::value(id(2))),
        ("reason", Expr::value("marker-reason")),
        ("stated_name", Expr::value("司马静怡")),
        ("stated_national_id_sealed", Expr::value(sealed_before("national_id", "419999197001010014"))),
        ("stated_birth_year", Expr::value(1970)),
        ("stated_phone_sealed", Expr::value(sealed_before("phone", "13887654321"))),
        ("status", Expr::value("COMPLETED")),
        ("requested_at", Expr::value(at)),
        ("due_at", Expr::value(at)),
        ("updated_at", Expr::value(at)),
        ("outcome", Expr::value("marker-outcome")),
    ];
    lay(&look, "referral", row).await;
    for (number, note) in [(1, Expr::value("marker-note")), (2, none())] {
        let row = vec![
            ("id", Expr::value(id(number))),
            ("referral_id", Expr::value(id(1))),
            ("at", Expr::value(at)),
            ("status", Expr::value("REQUESTED")),
            ("actor_id", Expr::value(id(1))),
            ("note", note),
        ];
        lay(&look, "referral_event", row).await;
    }
    look.close().await.unwrap();
}

/// The keys as the version before kept them.
fn keys_before(folder: &Path, sealing: [u8; 32]) {
    Keys::in_folder(folder).unwrap();
    let hex: String = sealing.iter().map(|byte| format!("{byte:02x}")).collect();
    std::fs::remove_file(folder.join("master.key")).unwrap();
    std::fs::write(folder.join("personal.key"), format!("{hex}\n{}\n", "2b".repeat(32))).unwrap();
}

#[tokio::test]
async fn what_the_version_before_kept_in_the_clear_is_sealed() {
    let (fresh, folder) = (Fresh::new().await, tempfile::tempdir().unwrap());
    before(&fresh).await;
    assert!(holds(&everything(&fresh).await, "司马静怡"));
    let database = Database::open(&fresh.url).await.unwrap();
    let without = database.migrate().await.unwrap_err();
    assert!(without.cause_for_log().contains("no keys to seal them"), "{}", without.cause_for_log());
    let read =
        |folder: &Path| Keys::kept_in_folder(folder).map_err(|error| Error::internal(error.to_string()));
    let other = tempfile::tempdir().unwrap();
    keys_before(other.path(), [0x3c; 32]);
    let refused = database.migrate_sealing(|| read(other.path())).await.unwrap_err();
    assert!(refused.cause_for_log().contains("does not open"), "{}", refused.cause_for_log());
    assert!(holds(&everything(&fresh).await, "司马静怡"), "nothing is lost");

    keys_before(folder.path(), SEALING);
    let sealed = database.migrate_sealing(|| read(folder.path())).await.unwrap();
    assert_eq!(u128::from(sealed), PEOPLE + 3, "an event without a note has nothing to seal");
    assert_eq!(database.pending_migrations().await.unwrap(), Vec::<String>::new());
    database.close().await.unwrap();

    let keys = read(folder.path()).unwrap();
    let look = fresh.look().await;
    assert_eq!(u128::from(person::Entity::find().count(&look).await.unwrap()), PEOPLE);
    for number in [1, 2, PEOPLE] {
        let key = PersonId::from(id(number));
        let row = person::Entity::find_by_id(key).one(&look).await.unwrap().unwrap();
        let open = |column, sealed| keys.open(column, key, sealed).unwrap();
        assert_eq!(open(person::Column::NameSealed, &row.name_sealed), "司马静怡");
        assert_eq!(open(person::Column::NationalIdSealed, &row.national_id_sealed), "419999197001010014");
        let more = [
            (person::Column::PhoneSealed, &row.phone_sealed, "13912345678"),
            (person::Column::AddressSealed, &row.address_sealed, "梧桐巷77号"),
            (person::Column::HealthSealed, &row.health_sealed, "罕见肺病"),
        ];
        for (column, sealed, plain) in more {
            let found = sealed.as_ref().map(|sealed| open(column, sealed));
            assert_eq!(found.as_deref(), (number > 1).then_some(plain));
        }
    }
    let key = ReferralId::from(id(1));
    let row = referral::Entity::find_by_id(key).one(&look).await.unwrap().unwrap();
    let open = |column, sealed| keys.open(column, key, sealed).unwrap();
    assert_eq!(open(referral::Column::ReasonSealed, &row.reason_sealed), "marker-reason");
    assert_eq!(open(referral::Column::StatedNameSealed, &row.stated_name_sealed), "司马静怡");
    assert_eq!(open(referral::Column::OutcomeSealed, row.outcome_sealed.as_ref().unwrap()), "marker-outcome");
    let phone = row.stated_phone_sealed.as_ref().unwrap();
    assert_eq!(open(referral::Column::StatedPhoneSealed, phone), "13887654321");
    let key = ConsentId::from(id(1));
    let row = consent::Entity::find_by_id(key).one(&look).await.unwrap().unwrap();
    assert_eq!(keys.open(consent::Column::NameSealed, key, &row.name_sealed).unwrap(), "司马静怡");
    for (number, note) in [(1, Some("marker-note")), (2, None)] {
        let key = ReferralEventId::from(id(number));
        let row = referral_event::Entity::find_by_id(key).one(&look).await.unwrap().unwrap();
        let column = referral_event::Column::NoteSealed;
        let found = keys.open_some(column, key, row.note_sealed.as_ref()).unwrap();
        assert_eq!(found.as_deref(), note);
    }
    look.close().await.unwrap();
    let bytes = everything(&fresh).await;
    for word in ["司马静怡", "梧桐巷77号", "罕见肺病", "marker-"] {
        assert!(!holds(&bytes, word), "{word} is left in the file");
    }
}
