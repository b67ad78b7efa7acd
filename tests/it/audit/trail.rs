//! A trail that was cut, rewritten or made anew.

use chrono::TimeDelta;
use entity::id::AuditRecordId;
use onestop::access::Head;
use onestop::page::type_id;
use sea_orm::{ConnectionTrait, Statement};
use uuid::Uuid;

use super::{Summer, named, named_so};
use crate::harness::District;
use crate::harness::hospital::bill;

/// The outside id of the audit record of an act.
pub(super) async fn record_under(district: &District, key: &str) -> String {
    let connection = district.database.look().await;
    let sql = format!("SELECT id FROM audit_record WHERE operation_key = '{key}'");
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let row = connection.query_one_raw(statement).await.unwrap().unwrap();
    let id: Uuid = row.try_get_by_index(0).unwrap();
    connection.close().await.unwrap();
    type_id(AuditRecordId::from(id))
}

/// Looks that are written and sealed: records of which nothing else tells.
async fn look(summer: &Summer) {
    summer.district.wait(TimeDelta::seconds(1));
    let patient = &summer.patients[0];
    summer.hospital.coverage(&patient.national_id, &patient.name, None).await.fine();
    summer.district.gate.write_looks().await.unwrap();
    summer.district.seal().await;
}

async fn head(district: &District) -> Head {
    district.audit_with(None).await.1.head.unwrap()
}

async fn seals(district: &District) -> i64 {
    district.database.number("SELECT MAX(number) FROM seal").await
}

#[tokio::test]
async fn a_trail_whose_end_was_cut_off_shows_by_the_head_that_was_kept() {
    let summer = Summer::new().await;
    let district = &summer.district;
    look(&summer).await;
    let kept = head(district).await;
    let last = seals(district).await;
    assert_eq!((kept.seal, kept.records), (last, district.database.rows("audit_record").await));
    assert_eq!(district.audit_with(Some(&kept)).await.0, []);
    look(&summer).await;
    assert_eq!(district.audit_with(Some(&kept)).await.0, [], "the trail goes on");
    let newer = head(district).await;
    district.falsify(&format!("DELETE FROM audit_record WHERE seal_number = {}", newer.seal)).await;
    district.falsify(&format!("DELETE FROM seal WHERE number = {}", newer.seal)).await;
    assert_eq!(district.audit().await, [], "what is left is whole");
    assert_eq!(district.audit_with(Some(&kept)).await.0, []);
    let cut = newer.seal.to_string();
    assert_eq!(named(&district.audit_with(Some(&newer)).await.0), named_so(&[("head.missing", &cut)]));
    // Made anew by whoever has the server's key, other looks stand under the same number.
    look(&summer).await;
    assert_eq!(seals(district).await, newer.seal);
    assert_eq!(district.audit().await, []);
    assert_eq!(named(&district.audit_with(Some(&newer)).await.0), named_so(&[("head.other", &cut)]));
}

fn bytes_of(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap()).collect()
}

/// Unpadded base64 for addresses (RFC 4648).
fn bytes_of_base64(text: &str) -> Vec<u8> {
    const SIGNS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = text.chars().map(|sign| format!("{:06b}", SIGNS.find(sign).unwrap())).collect();
    bits.as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect()
}

#[tokio::test]
async fn a_head_holds_all_that_is_needed_to_check_its_signature() {
    let summer = Summer::new().await;
    let head = serde_json::to_value(head(&summer.district).await).unwrap();
    let text = |field: &str| head[field].as_str().unwrap();
    let key = &head["publicKeys"]["keys"][0];
    assert_eq!((&key["kty"], &key["crv"], &key["kid"]), (&"OKP".into(), &"Ed25519".into(), &head["keyId"]));
    let key: [u8; 32] = bytes_of_base64(key["x"].as_str().unwrap()).try_into().unwrap();
    let key = ed25519_dalek::VerifyingKey::from_bytes(&key).unwrap();
    let signature = ed25519_dalek::Signature::from_slice(&bytes_of(text("signature"))).unwrap();
    assert!(key.verify_strict(&bytes_of(text("hash")), &signature).is_ok());
    assert!(key.verify_strict(&bytes_of(text("hash"))[1..], &signature).is_err());
}

#[tokio::test]
async fn the_first_broken_link_is_named() {
    let summer = Summer::new().await;
    let district = &summer.district;
    look(&summer).await;
    assert!(seals(district).await >= 4);
    let set = |from: i32, to: i32| {
        format!("UPDATE audit_record SET place = {to} WHERE seal_number = 2 AND place = {from}")
    };
    district.finds(&set(1, 99), &set(99, 1), &[("seal.records", "2")]).await;
    let add = |by: i32| format!("UPDATE seal SET records = records + ({by}) WHERE number = 2");
    district.finds(&add(1), &add(-1), &[("seal.records", "2")]).await;
    let set = |of: &str| {
        format!("UPDATE seal SET previous = (SELECT {of} FROM seal WHERE number = 1) WHERE number = 2")
    };
    district.finds(&set("previous"), &set("hash"), &[("seal.previous", "2")]).await;
    let change = "UPDATE seal SET hash = previous WHERE number = 2";
    let mend = "UPDATE seal SET hash = (SELECT previous FROM seal WHERE number = 3) WHERE number = 2";
    district.finds(change, mend, &[("seal.hash", "2"), ("seal.previous", "3")]).await;
    let origin = |from: &str, to: &str| {
        format!("UPDATE audit_record SET origin = '{to}' WHERE seal_number = 2 AND origin = '{from}'")
    };
    district
        .finds(&origin("127.0.0.1", "10.0.0.1"), &origin("10.0.0.1", "127.0.0.1"), &[("seal.hash", "2")])
        .await;
    let set = |key: &str| format!("UPDATE seal SET key_id = {key} WHERE number = 2");
    let own = "(SELECT key_id FROM seal WHERE number = 1)";
    district.finds(&set("'another'"), &set(own), &[("seal.signature", "2")]).await;
    assert_eq!(district.audit().await, []);
    district
        .falsify("UPDATE seal SET signature = (SELECT signature FROM seal WHERE number = 1) WHERE number = 3")
        .await;
    assert_eq!(named(&district.audit().await), named_so(&[("seal.signature", "3")]));
    district.falsify("DELETE FROM seal WHERE number = 2").await;
    let (findings, summary) = district.audit_with(None).await;
    assert_eq!(findings.iter().find(|finding| finding.table == "seal").unwrap().row, "2", "the first one");
    assert_eq!(named(&findings), named_so(&[("seal.missing", "2"), ("record.seal", "under seal 2")]));
    assert!(summary.head.is_none(), "no head of a broken trail");
}

#[tokio::test]
async fn a_record_that_was_moved_in_time_is_named() {
    let summer = Summer::new().await;
    let district = &summer.district;
    look(&summer).await;
    look(&summer).await;
    let last = seals(district).await;
    let earlier = match crate::harness::database::postgres() {
        Some(_) => "at - interval '40 days'",
        None => "'2016-05-01 00:00:00+00:00'",
    };
    let moved = record_under(district, "sold later").await;
    district
        .falsify(&format!("UPDATE audit_record SET at = {earlier} WHERE operation_key = 'sold later'"))
        .await;
    let findings = district.audit().await;
    let broken = findings.iter().find(|finding| finding.kind == "seal.hash").unwrap();
    assert!(broken.found.contains(&format!("{moved} out of order")), "{broken:?}");
    assert!(findings.iter().any(|finding| finding.kind == "record.act" && finding.row == moved));
    assert!(last > 3);
}

#[tokio::test]
async fn records_that_wait_too_long_for_a_seal_are_a_warning() {
    let summer = Summer::new().await;
    let district = &summer.district;
    summer.hospital.settle(&bill(&summer.patients[0])).await.fine();
    assert_eq!(district.audit().await, []);
    district.wait(TimeDelta::seconds(61));
    let (findings, summary) = district.audit_with(None).await;
    assert_eq!((findings.len(), findings[0].kind, findings[0].warning), (1, "record.unsealed", true));
    assert_eq!((summary.differences, summary.warnings), (0, 1));
}
