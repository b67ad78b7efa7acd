//! All personal data under a new key, while the server answers.

use std::time::Duration;

use chrono::Utc;
use entity::kinds::Category;
use entity::{person, referral};
use onestop::access::{Keys, Rewrapped};
use sea_orm::EntityTrait;
use serde_json::json;

use crate::harness::database::Fresh;
use crate::harness::district::{DPF, HOSPITAL, OFFICE};
use crate::harness::partner::new_key;
use crate::harness::{District, Policy};

const COVERED: &str =
    "query($i: NationalId!, $n: String!) { coverage(nationalId: $i, name: $n) { covered } }";

#[tokio::test]
async fn every_value_is_sealed_again_and_everything_stays_readable() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::in_folder(folder.path()).unwrap();
    let district = District::founded_on(Fresh::new().await, keys, Utc::now()).await;
    district.policy(Policy::medical(&district)).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let office = district.partner(OFFICE).await;
    let person = json!({ "nationalId": patient.national_id, "name": patient.name });
    let input = json!({
        "key": new_key(), "receiver": { "code": DPF }, "person": person, "reason": "needs help at home",
    });
    let reply = office.act("requestReferral", input, "referral { id reason }").await;
    let referred = reply.done("requestReferral").text("requestReferral.referral.id");
    let look = district.database.look().await;
    let before = person::Entity::find().all(&look).await.unwrap();
    let reasons = referral::Entity::find().all(&look).await.unwrap();
    let Rewrapped::Anew(values) = district.gate.rewrap(Duration::ZERO).await.unwrap() else {
        panic!("nothing was left of an earlier run")
    };
    // Of the person a number and a name; of the referral the same, and a reason.
    assert_eq!(values, 5);
    let keys = district.gate.keys();
    for (old, new) in before.iter().zip(person::Entity::find().all(&look).await.unwrap()) {
        assert_ne!(old.name_sealed, new.name_sealed);
        assert_ne!(old.national_id_sealed, new.national_id_sealed);
        assert_eq!(keys.open(person::Column::NameSealed, new.id, &new.name_sealed).unwrap(), patient.name);
    }
    assert_ne!(reasons, referral::Entity::find().all(&look).await.unwrap());
    // Another process, which reads the folder anew, opens them, too.
    let elsewhere = Keys::kept_in_folder(folder.path()).unwrap();
    let row = person::Entity::find().one(&look).await.unwrap().unwrap();
    let number = elsewhere.open(person::Column::NationalIdSealed, row.id, &row.national_id_sealed);
    assert_eq!(number.unwrap(), patient.national_id);
    let hospital = district.partner(HOSPITAL).await;
    let asked = json!({ "i": patient.national_id, "n": patient.name });
    assert_eq!(hospital.ask(COVERED, asked).await.fine().at("coverage.covered"), true);
    let query = "query($id: ID!) { referral(by: { id: $id }) { reason } }";
    let reply = office.ask(query, json!({ "id": referred })).await.fine();
    assert_eq!(reply.text("referral.reason"), "needs help at home");
    while district.gate.seal_records().await.unwrap() > 0 {}
    let summary = district.gate.audit(&[], &mut |finding| panic!("{finding:?}")).await.unwrap();
    assert_eq!(summary.differences, 0);
    let again = district.gate.rewrap(Duration::ZERO).await.unwrap();
    assert_eq!(again, Rewrapped::Anew(values), "and once more");
}

#[tokio::test]
async fn what_was_cut_short_is_finished_first() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::in_folder(folder.path()).unwrap();
    let district = District::founded_on(Fresh::new().await, keys, Utc::now()).await;
    district.person("王小红", &[]).await;
    let look = district.database.look().await;
    let before = person::Entity::find().one(&look).await.unwrap().unwrap();
    district.gate.rewrap(Duration::ZERO).await.unwrap();
    // One value is still as it was before.
    let left = person::ActiveModel {
        id: sea_orm::Unchanged(before.id),
        name_sealed: sea_orm::Set(before.name_sealed.clone()),
        ..Default::default()
    };
    person::Entity::update(left).exec(&look).await.unwrap();
    assert_eq!(district.gate.rewrap(Duration::ZERO).await.unwrap(), Rewrapped::Finished(1));
    let after = person::Entity::find().one(&look).await.unwrap().unwrap();
    assert_ne!(after.name_sealed, before.name_sealed);
}
