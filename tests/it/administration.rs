//! What administrators of the bureau do: register, suspend and resume; and what they may not.

use chrono::TimeDelta;
use entity::id::{AgreementId, ClientId, PartnerId};
use entity::kinds::{Role, Scope};
use entity::{agreement, audit_record, client};
use onestop::access::are_usable_keys;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::{Value, json};

use crate::harness::client::{Pair, System};
use crate::harness::district::{ADMINISTRATOR, BUREAU, HOSPITAL, SHOP};
use crate::harness::partner::new_key;
use crate::harness::town::nobodys;
use crate::harness::{District, Partner};

const CLIENT: &str =
    "client { id name scopes authentication senderConstrained suspendedAt partner { code } } secret";

async fn id_of(district: &District, code: &str) -> String {
    onestop::page::type_id(district.partner_id(code).await)
}

/// Registers a client of a hospital; its id and its secret.
async fn registered(district: &District, administrator: &Partner) -> (String, String) {
    let input = json!({
        "key": new_key(), "partnerId": id_of(district, HOSPITAL).await, "name": "billing",
        "authentication": "CLIENT_SECRET", "scopes": ["COVERAGE_READ"],
    });
    let reply = administrator.act("registerClient", input, CLIENT).await.done("registerClient");
    (reply.text("registerClient.client.id"), reply.text("registerClient.secret"))
}

async fn system(district: &District, id: &str, secret: &str) -> System {
    let key = onestop::page::key_of::<ClientId>(id).unwrap();
    let row = client::Entity::find_by_id(key).one(&district.database.look().await).await.unwrap().unwrap();
    System { row, id: id.to_owned(), secret: secret.to_owned(), url: district.url.clone() }
}

#[tokio::test]
async fn a_partner_is_registered_and_works_at_once() {
    let district = District::with_medical_assistance().await;
    let administrator = district.administrator().await;
    let input = json!({
        "key": new_key(), "code": "H41999900009", "kind": "HOSPITAL", "name": "A new hospital", "area": "410102",
    });
    let reply = administrator.act("registerPartner", input.clone(), "partner { id code kind area }").await;
    let partner = reply.done("registerPartner").text("registerPartner.partner.id");
    let again = administrator.act("registerPartner", input, "partner { id }").await.done("registerPartner");
    assert_eq!(again.text("registerPartner.partner.id"), partner);
    assert_eq!(again.at("registerPartner.replayed"), true);
    let agreement = json!({
        "key": new_key(), "partnerId": partner, "programmeCode": "MEDICAL_ASSISTANCE", "validFrom": "2016-01-01",
    });
    let reply = administrator.act("registerAgreement", agreement, "agreement { id validFrom validTo }").await;
    let agreement = reply.done("registerAgreement").text("registerAgreement.agreement.id");
    let input =
        json!({ "key": new_key(), "partnerId": partner, "name": "his", "authentication": "CLIENT_SECRET" });
    let reply = administrator.act("registerClient", input.clone(), CLIENT).await.done("registerClient");
    let client = reply.text("registerClient.client.id");
    let system = system(&district, &client, &reply.text("registerClient.secret")).await;
    let hospital = Partner::new("H41999900009", system.token().await, &district.url);
    let viewer = hospital.ask("{ viewer { partner { code } agreements { id } } }", json!({})).await;
    assert_eq!(viewer.clone().fine().text("viewer.partner.code"), "H41999900009");
    assert_eq!(viewer.text("viewer.agreements.0.id"), agreement);
    let replay = administrator.act("registerClient", input, CLIENT).await.done("registerClient");
    assert_eq!(replay.text("registerClient.client.id"), client);
    assert!(replay.at("registerClient.secret").is_null(), "a secret is shown once");
    let ended = json!({ "key": new_key(), "agreementId": agreement, "validTo": "2016-06-30" });
    let reply = administrator.act("endAgreement", ended, "agreement { validTo }").await.done("endAgreement");
    assert_eq!(reply.text("endAgreement.agreement.validTo"), "2016-06-30");
    let look = district.database.look().await;
    let id = onestop::page::key_of::<AgreementId>(&agreement).unwrap();
    let row = agreement::Entity::find_by_id(id).one(&look).await.unwrap().unwrap();
    assert_eq!(row.valid_to, Some("2016-06-30".parse().unwrap()));
    let acts = audit_record::Column::OperatorCode.eq(ADMINISTRATOR);
    let records = audit_record::Entity::find().filter(acts).all(&look).await.unwrap();
    assert_eq!(records.len(), 4, "every act names the person");
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_told_with_its_field() {
    let district = District::new().await;
    let administrator = district.administrator().await;
    let hospital = id_of(&district, HOSPITAL).await;
    let nobody = nobodys::<PartnerId>();
    let before = district.database.rows("partner").await + district.database.rows("client").await;
    let staff = district.database.rows("staff").await;
    let cases = [
        (
            "registerPartner",
            "partner { id }",
            json!({ "code": HOSPITAL, "kind": "BUREAU", "name": " ", "area": "410103" }),
            vec!["name", "area", "kind", "code"],
        ),
        (
            "registerPartner",
            "partner { id }",
            json!({ "code": "NEW", "kind": "HOSPITAL", "name": "n", "area": "4101" }),
            vec!["area"],
        ),
        (
            "registerClient",
            "client { id }",
            json!({ "partnerId": nobody, "name": "n", "authentication": "CLIENT_SECRET" }),
            vec!["partnerId"],
        ),
        (
            "registerClient",
            "client { id }",
            json!({
                "partnerId": hospital, "name": "n", "authentication": "CLIENT_SECRET", "keys": "{}",
                "scopes": ["CARD_READ"],
            }),
            vec!["keys", "scopes"],
        ),
        (
            "registerClient",
            "client { id }",
            json!({ "partnerId": hospital, "name": "n", "authentication": "PRIVATE_KEY_JWT", "keys": "{\"keys\":[]}", "scopes": [] }),
            vec!["keys", "scopes"],
        ),
        (
            "registerClient",
            "client { id }",
            json!({ "partnerId": hospital, "name": "n", "authentication": "PRIVATE_KEY_JWT" }),
            vec!["keys"],
        ),
        (
            "registerAgreement",
            "agreement { id }",
            json!({
                "partnerId": nobody, "programmeCode": "NONE", "validFrom": "2016-02-01", "validTo": "2016-01-01",
            }),
            vec!["partnerId", "programmeCode", "validTo"],
        ),
        (
            "registerStaff",
            "staff { id }",
            json!({ "code": ADMINISTRATOR, "name": "n", "roles": ["CLERK", "AUDITOR"], "area": "4101" }),
            vec!["area", "roles", "code"],
        ),
        (
            "registerStaff",
            "staff { id }",
            json!({ "code": "S-9", "name": "n", "roles": [], "area": "410102" }),
            vec!["roles"],
        ),
        (
            "rotateClientSecret",
            "client { id }",
            json!({ "clientId": nobodys::<ClientId>(), "overlapHours": 169 }),
            vec!["overlapHours", "clientId"],
        ),
        (
            "registerDocuments",
            "client { id }",
            json!({ "clientId": "x", "documents": [{ "name": "n", "text": "{" }] }),
            vec!["documents.0.text", "clientId"],
        ),
        (
            "endAgreement",
            "agreement { id }",
            json!({ "agreementId": "x", "validTo": "2016-01-01" }),
            vec!["agreementId"],
        ),
        ("suspend", "subject { id }", json!({ "id": nobodys::<ClientId>() }), vec!["id"]),
        ("resume", "subject { id }", json!({ "id": "settlement_x" }), vec!["id"]),
    ];
    for (mutation, shape, mut input, fields) in cases {
        input["key"] = new_key().into();
        let reply = administrator.act(mutation, input.clone(), shape).await.fine();
        let paths: Vec<String> = reply.refusals_at(mutation).into_iter().map(|(_, path)| path).collect();
        assert_eq!(paths, fields, "{mutation} {input}: {}", reply.body);
    }
    let after = district.database.rows("partner").await + district.database.rows("client").await;
    assert_eq!((after, district.database.rows("staff").await), (before, staff), "nothing was registered");
}

#[tokio::test]
async fn only_an_administrator_administrates() {
    let district = District::new().await;
    for (code, roles) in
        [("D-1", Role::Decider), ("C-1", Role::Clerk), ("P-1", Role::Paymaster), ("U-1", Role::Auditor)]
    {
        district.staff(code, &[roles]).await;
        let life = std::time::Duration::from_secs(3600);
        let token = district.gate.issue_to_staff(code, &[], life).await.unwrap();
        let person = Partner::new(BUREAU, token, &district.url);
        let input = json!({ "key": new_key(), "id": id_of(&district, SHOP).await });
        let reply = person.act("suspend", input, "subject { id }").await;
        assert_eq!(reply.error(), "FORBIDDEN", "{code}");
        assert_eq!(reply.body["errors"][0]["extensions"]["scope"], "ADMINISTRATION_WRITE");
        let staff = person.ask("{ staffMembers { nodes { code roles } } }", json!({})).await;
        assert_eq!(staff.error(), if roles == Role::Auditor { "" } else { "FORBIDDEN" }, "{code}");
    }
    let system = district.partner(BUREAU).await;
    assert_eq!(system.ask("{ clients { nodes { id } } }", json!({})).await.error(), "FORBIDDEN");
    let refused =
        district.gate.issue(BUREAU, &[Scope::AdministrationWrite], std::time::Duration::from_secs(60)).await;
    assert!(refused.is_err(), "no system administrates");
}

#[tokio::test]
async fn suspending_and_resuming_a_client() {
    let district = District::new().await;
    let administrator = district.administrator().await;
    let (id, secret) = registered(&district, &administrator).await;
    let system = system(&district, &id, &secret).await;
    system.token().await;
    let suspend = json!({ "key": new_key(), "id": id });
    let reply = administrator.act("suspend", suspend, "subject { ... on Client { id suspendedAt } }").await;
    assert!(reply.done("suspend").at("suspend.subject.suspendedAt").is_string());
    assert_eq!(system.ask(&[]).await.error(), "invalid_client");
    let resume = json!({ "key": new_key(), "id": id });
    let reply = administrator.act("resume", resume, "subject { ... on Client { suspendedAt } }").await;
    assert!(reply.done("resume").at("resume.subject.suspendedAt").is_null());
    system.token().await;
    for oneself in [id_of(&district, BUREAU).await] {
        let input = json!({ "key": new_key(), "id": oneself });
        let reply = administrator.act("suspend", input, "subject { id }").await.fine();
        assert_eq!(reply.refusals_at("suspend"), [("INVALID".to_owned(), "id".to_owned())]);
    }
}

#[tokio::test]
async fn a_secret_is_rotated_with_and_without_an_overlap() {
    let district = District::new().await;
    let administrator = district.administrator().await;
    let (id, first) = registered(&district, &administrator).await;
    let rotate = async |hours: i32| {
        let input = json!({ "key": new_key(), "clientId": id, "overlapHours": hours });
        let reply = administrator.act("rotateClientSecret", input, "client { id } secret").await;
        reply.done("rotateClientSecret").text("rotateClientSecret.secret")
    };
    let status = async |secret: &str| system(&district, &id, secret).await.ask(&[]).await.status;
    let second = rotate(1).await;
    assert_ne!(first, second);
    assert_eq!((status(&first).await, status(&second).await), (200, 200));
    district.wait(TimeDelta::minutes(61));
    assert_eq!((status(&first).await, status(&second).await), (401, 200));
    let third = rotate(0).await;
    assert_eq!((status(&second).await, status(&third).await), (401, 200));
}

#[tokio::test]
async fn lists_show_clients_and_staff_without_secrets() {
    let district = District::new().await;
    let administrator = district.administrator().await;
    let (id, secret) = registered(&district, &administrator).await;
    let query =
        "query($p: ID) { clients(partnerId: $p) { totalCount nodes { id name scopes partner { code } } } }";
    let all = administrator.ask(query, json!({})).await.fine();
    assert_eq!(all.text("clients.nodes.0.id"), id);
    assert!(!all.body.to_string().contains(&secret));
    let of = async |partner: Value| administrator.ask(query, json!({ "p": partner })).await.fine();
    assert_eq!(of(id_of(&district, HOSPITAL).await.into()).await.at("clients.totalCount"), 1);
    assert_eq!(of(id_of(&district, SHOP).await.into()).await.at("clients.totalCount"), 0);
    assert_eq!(of(nobodys::<PartnerId>()).await.at("clients.totalCount"), 0);
    assert_eq!(of("x".into()).await.at("clients.totalCount"), 0);
    let staff = administrator
        .ask("{ staffMembers { nodes { code roles area } } viewer { staff { code } } }", json!({}))
        .await;
    assert_eq!(staff.clone().fine().text("staffMembers.nodes.0.code"), ADMINISTRATOR);
    assert_eq!(staff.text("viewer.staff.code"), ADMINISTRATOR);
}

#[test]
fn keys_of_clients_are_public_and_of_our_kinds() {
    let good = [Pair::ed25519(1).jwk(), Pair::p256(1).jwk()];
    assert!(are_usable_keys(&json!({ "keys": good })));
    let mut private = good[0].clone();
    private["d"] = "AAAA".into();
    let rsa = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
    let symmetric = json!({ "kty": "oct", "k": "AQAB" });
    for bad in [private, rsa, symmetric, json!({}), json!("x"), Value::Null] {
        assert!(!are_usable_keys(&json!({ "keys": [good[0], bad] })), "{bad}");
    }
    assert!(!are_usable_keys(&json!({ "keys": [] })));
    assert!(!are_usable_keys(&json!({ "keys": vec![good[0].clone(); 11] })));
    assert!(!are_usable_keys(&json!([])));
}
