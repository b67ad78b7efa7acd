//! `onestop forget`: whom something needs stays; of others nothing is left that tells who they were, and every amount is as it was.

mod story;

use std::collections::BTreeSet;
use std::process::Command;

use entity::id::PersonId;
use entity::kinds::{ReferralStatus, Scope};
use entity::{NationalId, consent, person, referral};
use onestop::access::{Forgotten, Keys, NOBODY, NOTHING};
use onestop::page::{key_of, type_id};
use onestop::rules::retention::{Need, Retention};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, TransactionTrait};
use serde_json::{Value, json};

use crate::harness::database::{Fresh, postgres};
use crate::harness::district::{BUREAU, DPF, HOSPITAL, OFFICE};
use crate::harness::referring::request;
use crate::harness::{District, Policy};

use story::{LONG_AFTER, NAME, PERSON, Story, TOLD, differences, forget, sql};

#[tokio::test]
async fn nothing_is_left_that_tells_who_it_was_and_every_amount_is_as_it_was() {
    let story = Story::new().await;
    story.paid().await;
    let district = &story.district;
    district.set_time(LONG_AFTER);
    let office = district.partner(OFFICE).await;
    let known = office.referral(&story.referrals[0], PERSON).await;
    assert_eq!((&known["person"]["name"], &known["reason"]), (&json!(NAME), &json!("家里漏雨")));
    let before = (story.money().await, story.statements().await);
    assert_eq!(story.try_to_forget().await, Forgotten::Now);
    for (now, was) in story.money().await.iter().zip(&before.0) {
        assert_eq!(now, was);
    }
    assert_eq!((story.money().await.len(), story.statements().await), (before.0.len(), before.1));
    assert_eq!(differences(district).await, 0);

    let everything = story.everything().await;
    for word in TOLD {
        assert!(!everything.contains(word), "{word} is still there");
    }
    let connection = district.database.look().await;
    let (keys, id) = (district.gate.keys(), NationalId::parse(&story.person.national_id).unwrap());
    let row = person::Entity::find_by_id(story.person.id).one(&connection).await.unwrap().unwrap();
    assert_eq!(row.birth_date.to_string(), "1950-01-01");
    assert_eq!(keys.open(person::Column::NationalIdSealed, row.id, &row.national_id_sealed).unwrap(), "");
    assert_ne!(row.national_id_hash, keys.find_person(&id));
    assert_ne!(row.desk_hash, keys.find_at_desk(&id, NAME));
    let by_number = consent::Column::NationalIdHash.eq(keys.find_person(&id));
    assert_eq!(consent::Entity::find().filter(by_number).all(&connection).await.unwrap(), []);
    for row in referral::Entity::find().all(&connection).await.unwrap() {
        assert_eq!(
            keys.open(referral::Column::StatedNationalIdSealed, row.id, &row.stated_national_id_sealed)
                .unwrap(),
            ""
        );
    }
    connection.close().await.unwrap();

    let hospital = district.partner(HOSPITAL).await;
    let coverage = hospital.coverage(&story.person.national_id, NAME, None).await.fine();
    assert_eq!(coverage.at("coverage.reason"), "NOT_FOUND");
    for id in &story.referrals {
        let shown = office.referral(id, PERSON).await;
        let person = json!({ "name": NOBODY, "birthYear": 1950, "idNumber": null, "phone": null });
        assert_eq!((&shown["person"], &shown["reason"]), (&person, &json!(NOTHING)));
        assert_eq!(shown["events"]["nodes"][0]["note"], NOTHING);
    }
    let scopes = [Scope::SettlementRead, Scope::PersonUnmask];
    let bureau = district.partner_with(BUREAU, &scopes).await;
    let shown = bureau
        .ask("{ settlements { nodes { id patientName unmaskedPatient(purpose: SETTLEMENT_REVIEW) { name } } } }", json!({}))
        .await
        .fine();
    let nodes = shown.at("settlements.nodes").as_array().unwrap();
    let node = nodes.iter().find(|node| node["id"] == story.settlement.as_str()).unwrap();
    assert_eq!((&node["patientName"], &node["unmaskedPatient"]), (&json!(NOBODY), &Value::Null));
}

#[tokio::test]
async fn it_is_recorded_and_sealed_and_a_second_time_changes_nothing() {
    let story = Story::new().await;
    story.paid().await;
    let district = &story.district;
    district.set_time(LONG_AFTER);
    let other = story.everything().await.matches("李小明").count();
    let steward = district.gate.steward().await.unwrap().unwrap();
    let dry = district.gate.forgetting(Retention::VOUCHERS, None);
    assert_eq!(dry.person(story.person.id).await.unwrap(), Forgotten::Now);
    assert!(story.everything().await.contains("家里漏雨"), "nothing changed");
    let forgetting = district.gate.forgetting(Retention::VOUCHERS, Some(&steward));
    let mut due = Vec::new();
    let mut after = None;
    loop {
        let some = forgetting.candidates(after).await.unwrap();
        let Some(last) = some.last() else { break };
        after = Some(*last);
        for id in some {
            if forgetting.person(id).await.unwrap() == Forgotten::Now {
                due.push(id);
            }
        }
    }
    assert_eq!(due, [story.person.id], "a status of the others is in force");
    assert_eq!(story.everything().await.matches("李小明").count(), other);
    let once = story.everything().await;
    assert_eq!(story.try_to_forget().await, Forgotten::Before);
    assert!(!forgetting.candidates(None).await.unwrap().contains(&story.person.id));
    let records = "SELECT COUNT(*) FROM audit_record WHERE act = 'forget' AND outcome = 'DONE' AND operator_code = 'onestop'";
    assert_eq!(district.database.number(records).await, 1);
    assert_eq!(once.matches("\"forget\"").count(), 1);
    let auditor = district.partner_with(BUREAU, &[Scope::AuditRead]).await;
    let query = "query($id: ID!) { looksAtPerson(subject: $id, first: 1) { nodes { act outcome subject partner { code } } } }";
    let id = type_id(story.person.id);
    let newest = auditor.ask(query, json!({ "id": id })).await.fine().at("looksAtPerson.nodes")[0].clone();
    let expected =
        json!({ "act": "forget", "outcome": "DONE", "subject": id, "partner": { "code": BUREAU } });
    assert_eq!(newest, expected);
    assert_eq!(differences(district).await, 0);
    assert_eq!(
        forget(district, key_of(&type_id(PersonId::from(uuid::Uuid::now_v7()))).unwrap()).await,
        Forgotten::NoSuchPerson
    );
}

#[tokio::test]
async fn whoever_is_needed_stays_as_they_are() {
    let story = Story::new().await;
    let district = &story.district;
    let untouched = story.everything().await;
    assert_eq!(
        story.try_to_forget().await,
        Forgotten::Needed(vec![
            Need::StatusInForce,
            Need::RecordTooYoung,
            Need::CardNotExpired,
            Need::UnpaidStatement,
        ])
    );
    district.set_time("2046-12-31T02:00:00Z");
    assert_eq!(
        story.try_to_forget().await,
        Forgotten::Needed(vec![Need::RecordTooYoung, Need::UnpaidStatement])
    );
    district.set_time(LONG_AFTER);
    assert_eq!(story.try_to_forget().await, Forgotten::Needed(vec![Need::UnpaidStatement]));
    // But for the stewards' tokens.
    let rows = |text: &str| -> BTreeSet<String> {
        text.lines().filter(|line| !line.contains("revoked_at")).map(str::to_owned).collect()
    };
    assert_eq!(rows(&story.everything().await), rows(&untouched));
    story.paid().await;
    district.set_time(LONG_AFTER);
    let person = sql(story.person.id);
    for (change, mend, need) in [
        (
            format!("UPDATE settlement SET recalculation_due = TRUE WHERE person_id = {person}"),
            format!("UPDATE settlement SET recalculation_due = FALSE WHERE person_id = {person}"),
            Need::RecalculationDue,
        ),
        (
            format!("UPDATE aid_card SET balance = 1 WHERE person_id = {person}"),
            format!("UPDATE aid_card SET balance = 0 WHERE person_id = {person}"),
            Need::CardWithBalance,
        ),
        (
            format!("UPDATE aid_card SET expires_on = '2047-01-02' WHERE person_id = {person}"),
            format!("UPDATE aid_card SET expires_on = '2030-12-31' WHERE person_id = {person}"),
            Need::CardNotExpired,
        ),
        (
            format!("UPDATE referral SET status = '{}'", ReferralStatus::OnHold.word()),
            format!("UPDATE referral SET status = '{}'", ReferralStatus::Cancelled.word()),
            Need::OpenReferral,
        ),
        (
            "UPDATE consent SET withdrawn_at = NULL".to_owned(),
            "UPDATE consent SET withdrawn_at = recorded_at".to_owned(),
            Need::ConsentInForce,
        ),
    ] {
        district.database.change(&change).await;
        assert_eq!(story.try_to_forget().await, Forgotten::Needed(vec![need]), "{change}");
        district.database.change(&mend).await;
    }
    assert_eq!(story.try_to_forget().await, Forgotten::Now);
}

#[tokio::test]
async fn an_act_that_comes_at_the_same_time_is_before_it_or_after_it() {
    let district = District::new().await;
    let mut people = Vec::new();
    for number in 0..8 {
        let born = district.person_who(NAME, &[], |_| {}).await;
        people.push((number, born));
    }
    district.set_time(LONG_AFTER);
    let office = district.partner(OFFICE).await;
    for (number, person) in people {
        let refer = async {
            tokio::time::sleep(std::time::Duration::from_millis(number * 2)).await;
            office.refer(request(DPF, &person)).await
        };
        let (forgotten, id) = tokio::join!(forget(&district, person.id), refer);
        let connection = district.database.look().await;
        let key = key_of::<entity::id::ReferralId>(&id).unwrap();
        let row = referral::Entity::find_by_id(key).one(&connection).await.unwrap().unwrap();
        connection.close().await.unwrap();
        match forgotten {
            Forgotten::Now => assert_eq!(row.person_id, None),
            Forgotten::Needed(needs) => {
                assert_eq!(needs, [Need::RecordTooYoung, Need::OpenReferral]);
                assert_eq!(row.person_id, Some(person.id));
            }
            other => panic!("{other:?}"),
        }
    }
}

/// SQLite has one writer at a time anyway.
#[tokio::test]
async fn on_postgres_they_wait_for_each_other() {
    if postgres().is_none() {
        return;
    }
    let district = District::new().await;
    let person = district.person(NAME, &[]).await;
    let id = sql(person.id);
    let connection = district.database.look().await;
    let pause = || tokio::time::sleep(std::time::Duration::from_millis(500));

    let forgetting = connection.begin().await.unwrap();
    let held = format!("SELECT 1 FROM person WHERE id = {id} FOR UPDATE");
    forgetting.execute_unprepared(&held).await.unwrap();
    let office = district.partner(OFFICE).await;
    let refer = async { office.refer(request(DPF, &person)).await };
    let end = async {
        pause().await;
        let gone = format!("UPDATE person SET desk_hash = '\\x00' WHERE id = {id}");
        forgetting.execute_unprepared(&gone).await.unwrap();
        forgetting.commit().await.unwrap();
    };
    tokio::join!(refer, end);
    let found = "SELECT COUNT(*) FROM referral WHERE person_id IS NULL";
    assert_eq!(district.database.number(found).await, 1, "an act waits, and then finds nobody");

    district.set_time(LONG_AFTER);
    let acting = connection.begin().await.unwrap();
    let held = format!("SELECT 1 FROM person WHERE id = {id} FOR KEY SHARE");
    acting.execute_unprepared(&held).await.unwrap();
    let end = async {
        pause().await;
        let still = format!("SELECT COUNT(*) FROM person WHERE id = {id} AND forgotten_at IS NULL");
        assert_eq!(district.database.number(&still).await, 1, "forgetting waits for acts");
        acting.execute_unprepared("UPDATE referral SET person_id = (SELECT id FROM person)").await.unwrap();
        acting.commit().await.unwrap();
    };
    let (forgotten, ()) = tokio::join!(forget(&district, person.id), end);
    let Forgotten::Needed(needs) = forgotten else { panic!("what the act wrote is not seen: {forgotten:?}") };
    assert!(needs.contains(&Need::OpenReferral));
    connection.close().await.unwrap();
}

#[tokio::test]
async fn the_command_takes_ids_alone_and_says_why_somebody_stays() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::in_folder(&folder.path().join("data/keys")).unwrap();
    let now = "2016-06-15T02:00:00Z".parse().unwrap();
    let district = District::founded_on(Fresh::new().await, keys, now).await;
    district.policy(Policy::medical(&district)).await;
    let story = Story::in_district(district).await;
    story.paid().await;
    let onestop = |arguments: &[&str], years: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onestop"));
        command.current_dir(folder.path()).env_remove("ONESTOP_CONFIG").env("ONESTOP_RETENTION_YEARS", years);
        command.env("DATABASE_URL", &story.district.database.url).arg("forget").args(arguments);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let id = type_id(story.person.id);
    for stranger in [story.person.national_id.as_str(), NAME] {
        let (status, printed, told) = onestop(&[&id, stranger], "5");
        assert_eq!((status, printed.as_str()), (Some(2), ""));
        assert!(told.contains("person_") && !told.contains(stranger), "{told}");
    }
    let (status, printed, _) = onestop(&[&id], "30");
    assert_eq!(status, Some(1));
    assert!(printed.contains("still needed: a record of theirs is younger"), "{printed}");
    let (status, _, told) = onestop(&["--due"], "0");
    assert_eq!(status, Some(2));
    assert!(told.contains("ONESTOP_RETENTION_YEARS"), "{told}");
    story.district.database.change("UPDATE aid_card SET expires_on = '2016-12-31'").await;
    let (status, printed, _) = onestop(&["--due", "--dry-run"], "5");
    assert_eq!((status, printed), (Some(0), format!("{id} would be forgotten\n")));
    let (status, printed, _) = onestop(&["--due"], "5");
    assert_eq!((status, printed), (Some(0), format!("{id} is forgotten\n")));
    let (status, printed, told) = onestop(&["--due"], "5");
    assert_eq!((status, printed.as_str(), told.as_str()), (Some(0), "", "0 in all.\n"));
    let (status, printed, _) = onestop(&[&id], "5");
    assert_eq!((status, printed), (Some(0), format!("{id} was forgotten before\n")));
}
