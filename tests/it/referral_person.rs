//! How much of a referred person each side is told: the sender what it sent, the receiver what the consent opens while the
//! referral lives, the bureau above as much as the receiver may be told.

use entity::kinds::DisabilityClass;
use entity::person;
use serde_json::{Value, json};

use crate::harness::district::{BUREAU, CF, DPF, OFFICE, OTHER_OFFICE, Resident, fen};
use crate::harness::partner::new_key;
use crate::harness::referring::request;
use crate::harness::{District, Partner};

const PERSON: &str = "person { name birthYear area idNumber phone address disability { kind grade } \
                      disabilityCertificate health monthlyIncome }";

struct Agencies {
    district: District,
    office: Partner,
    federation: Partner,
    bureau: Partner,
    third: Partner,
    person: Resident,
}

impl Agencies {
    /// Somebody of whom the register knows everything.
    async fn new() -> Self {
        let district = District::new().await;
        let keys = district.gate.keys();
        let person = district
            .person_who("欧阳小红", &[], |row| {
                let id = row.id;
                let sealed = |column, plain: &str| Some(keys.seal(column, id, plain).unwrap());
                let number =
                    keys.open(person::Column::NationalIdSealed, id, &row.national_id_sealed).unwrap();
                row.phone_sealed = sealed(person::Column::PhoneSealed, "13900000001");
                row.address_sealed = sealed(person::Column::AddressSealed, "汝河路1号");
                row.disability_class = Some(DisabilityClass::Physical);
                row.disability_grade = Some(2);
                row.disability_certificate_sealed =
                    sealed(person::Column::DisabilityCertificateSealed, &format!("{number}42B1"));
                row.health_sealed = sealed(person::Column::HealthSealed, "dialysis");
                row.monthly_income = Some(fen("612.30"));
            })
            .await;
        Self {
            office: district.partner(OFFICE).await,
            federation: district.partner(DPF).await,
            bureau: district.partner(BUREAU).await,
            third: district.partner(CF).await,
            person,
            district,
        }
    }

    /// A referral to the federation with a consent to these fields.
    async fn referred(&self, fields: &[&str]) -> String {
        self.district.wait(chrono::TimeDelta::microseconds(1));
        let mut input = request(DPF, &self.person);
        if !fields.is_empty() {
            input["consentId"] = self.office.consent(DPF, &self.person, fields).await.into();
        }
        self.office.refer(input).await
    }

    fn masked(&self) -> String {
        format!("4199**********{}", &self.person.national_id[14..])
    }

    /// What the receiver sees without any consent.
    fn basics(&self) -> Value {
        json!({
            "name": "欧阳小红", "birthYear": 1950, "area": "410102008", "idNumber": null, "phone": null, "address": null,
            "disability": null, "disabilityCertificate": null, "health": null, "monthlyIncome": null,
        })
    }
}

async fn person(partner: &Partner, id: &str) -> Value {
    partner.referral(id, PERSON).await["person"].clone()
}

#[tokio::test]
async fn without_a_consent_the_guarded_fields_stay_null() {
    let agencies = Agencies::new().await;
    let id = agencies.referred(&[]).await;
    assert_eq!(person(&agencies.federation, &id).await, agencies.basics());
    assert_eq!(person(&agencies.bureau, &id).await, agencies.basics());
    assert!(agencies.third.referral(&id, PERSON).await.is_null());
}

#[tokio::test]
async fn the_sender_sees_what_it_sent_and_no_more() {
    let agencies = Agencies::new().await;
    let mut sent = agencies.basics();
    sent["area"] = Value::Null;
    sent["idNumber"] = agencies.masked().into();
    let all = ["ID_NUMBER", "PHONE", "ADDRESS", "DISABILITY", "HEALTH", "INCOME"];
    let id = agencies.referred(&all).await;
    assert_eq!(person(&agencies.office, &id).await, sent);

    let mut with_phone = request(DPF, &agencies.person);
    with_phone["phone"] = "13900000002".into();
    let id = agencies.office.refer(with_phone).await;
    sent["phone"] = "13900000002".into();
    assert_eq!(person(&agencies.office, &id).await, sent);
    assert_eq!(
        person(&agencies.federation, &id).await,
        agencies.basics(),
        "the stated phone is guarded, too"
    );
}

#[tokio::test]
async fn each_field_of_a_consent_opens_that_one_alone() {
    let agencies = Agencies::new().await;
    let certificate = format!("{}42B1", agencies.masked());
    let opened: [(&str, Value); 6] = [
        ("ID_NUMBER", json!({ "idNumber": agencies.masked() })),
        ("PHONE", json!({ "phone": "13900000001" })),
        ("ADDRESS", json!({ "address": "汝河路1号" })),
        (
            "DISABILITY",
            json!({ "disability": { "kind": "PHYSICAL", "grade": 2 }, "disabilityCertificate": certificate }),
        ),
        ("HEALTH", json!({ "health": "dialysis" })),
        ("INCOME", json!({ "monthlyIncome": "612.30" })),
    ];
    let mut everything = agencies.basics();
    for (field, values) in &opened {
        let id = agencies.referred(&[field]).await;
        let mut expected = agencies.basics();
        for (name, value) in values.as_object().unwrap() {
            expected[name] = value.clone();
            everything[name] = value.clone();
        }
        for partner in [&agencies.federation, &agencies.bureau] {
            assert_eq!(person(partner, &id).await, expected, "{field} for {}", partner.code);
        }
    }
    let id = agencies.referred(&opened.each_ref().map(|(field, _)| *field)).await;
    assert_eq!(person(&agencies.federation, &id).await, everything);
    let answers = agencies.federation.referral(&id, PERSON).await.to_string();
    assert!(!answers.contains(&agencies.person.national_id), "the full number is in no answer");
    assert!(!answers.contains(&agencies.person.national_id[6..14]), "nor is the day of birth");
}

#[tokio::test]
async fn a_phone_that_the_sender_states_goes_before_the_registers() {
    let agencies = Agencies::new().await;
    let mut input = request(DPF, &agencies.person);
    input["phone"] = "13900000003".into();
    input["consentId"] = agencies.office.consent(DPF, &agencies.person, &["PHONE"]).await.into();
    let id = agencies.office.refer(input).await;
    assert_eq!(person(&agencies.federation, &id).await["phone"], "13900000003");
}

#[tokio::test]
async fn a_consent_that_is_taken_back_ends_at_once() {
    let agencies = Agencies::new().await;
    let consent = agencies.office.consent(DPF, &agencies.person, &["HEALTH", "PHONE"]).await;
    let mut input = request(DPF, &agencies.person);
    input["consentId"] = consent.clone().into();
    let id = agencies.office.refer(input).await;
    agencies.federation.steps(&id, &["ACCEPTED"]).await;
    assert_eq!(person(&agencies.federation, &id).await["health"], "dialysis");
    let input = json!({ "key": new_key(), "consentId": consent });
    agencies.office.act("withdrawConsent", input, "consent { id }").await.done("withdrawConsent");
    assert_eq!(person(&agencies.federation, &id).await, agencies.basics());
    assert_eq!(person(&agencies.bureau, &id).await, agencies.basics());
    let list = agencies
        .federation
        .ask(&format!("{{ referrals {{ nodes {{ {PERSON} }} }} }}"), json!({}))
        .await
        .fine();
    assert_eq!(list.at("referrals.nodes.0.person"), &agencies.basics());
    let node = format!("{{ node(id: \"{id}\") {{ ... on Referral {{ {PERSON} }} }} }}");
    let node = agencies.federation.ask(&node, json!({})).await.fine();
    assert_eq!(node.at("node.person"), &agencies.basics());
}

#[tokio::test]
async fn once_it_has_ended_the_receiver_sees_nobody() {
    let agencies = Agencies::new().await;
    let ends: [&[&str]; 4] = [
        &["DECLINED"],
        &["CANCELLED"],
        &["ACCEPTED", "IN_PROGRESS", "COMPLETED"],
        &["ACCEPTED", "IN_PROGRESS", "FAILED"],
    ];
    for way in ends {
        let id = agencies.referred(&["HEALTH"]).await;
        let (last, before) = way.split_last().unwrap();
        agencies.federation.steps(&id, before).await;
        assert_eq!(person(&agencies.federation, &id).await["health"], "dialysis");
        let reply = agencies.federation.step(&id, last).await;
        assert_eq!(reply.status, 200);
        assert!(person(&agencies.federation, &id).await.is_null(), "{last}");
        let list = agencies
            .federation
            .ask("{ referrals(first: 1) { nodes { id person { name } } } }", json!({}))
            .await;
        assert_eq!(list.at("referrals.nodes.0"), &json!({ "id": id, "person": null }));
        assert_eq!(
            person(&agencies.office, &id).await["name"],
            "欧阳小红",
            "the sender still sees what it sent"
        );
        assert_eq!(person(&agencies.bureau, &id).await["health"], "dialysis", "the bureau goes on seeing it");
    }
}

/// The answer of the very step that ends it shows nobody, either.
#[tokio::test]
async fn the_last_step_itself_shows_nobody_to_the_receiver() {
    let agencies = Agencies::new().await;
    let id = agencies.referred(&["HEALTH"]).await;
    let input = json!({ "key": new_key(), "referralId": id, "reason": "not ours" });
    let shape = format!("referral {{ status {PERSON} }}");
    let reply =
        agencies.federation.act("declineReferral", input.clone(), &shape).await.done("declineReferral");
    assert_eq!(reply.at("declineReferral.referral"), &json!({ "status": "DECLINED", "person": null }));
    let again = agencies.federation.act("declineReferral", input, &shape).await.done("declineReferral");
    assert_eq!(again.at("declineReferral.referral"), &json!({ "status": "DECLINED", "person": null }));
}

/// Somebody whom the register does not know, and somebody whose name it knows otherwise, are accepted all the same; the sender
/// is not told, and the register's facts are not opened.
#[tokio::test]
async fn who_is_not_in_the_register_is_referred_all_the_same() {
    let agencies = Agencies::new().await;
    let unknown =
        Resident {
            national_id: "419999193601010028".into(), name: "周某".into(), ..agencies.person.clone()
        };
    let misnamed = Resident { name: "周某".into(), ..agencies.person.clone() };
    let all = ["ID_NUMBER", "PHONE", "ADDRESS", "DISABILITY", "HEALTH", "INCOME"];
    let mut answers = Vec::new();
    for who in [&unknown, &misnamed] {
        let mut input = request(DPF, who);
        input["consentId"] = agencies.office.consent(DPF, who, &all).await.into();
        agencies.district.wait(chrono::TimeDelta::microseconds(1));
        let shape = "referral { status allowedSteps person { name area phone address health } }";
        let reply = agencies.office.act("requestReferral", input, &format!("{shape} __typename")).await;
        answers.push(reply.done("requestReferral").body.clone());
    }
    assert_eq!(answers[0], answers[1]);
    let matched = agencies.referred(&all).await;
    let matched = agencies
        .office
        .referral(&matched, "status allowedSteps person { name area phone address health }")
        .await;
    let told = |value: &Value| {
        value["person"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.is_null()))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told(&answers[0]["data"]["requestReferral"]["referral"]),
        told(&matched),
        "a match looks the same"
    );

    let nodes = agencies
        .federation
        .ask(&format!("{{ referrals {{ nodes {{ {PERSON} }} }} }}"), json!({}))
        .await
        .fine();
    for (node, who) in nodes.at("referrals.nodes").as_array().unwrap()[1..].iter().zip([&misnamed, &unknown])
    {
        let number = &who.national_id;
        assert_eq!(
            node["person"],
            json!({
                "name": "周某", "birthYear": number[6..10].parse::<i32>().unwrap(), "area": null,
                "idNumber": format!("4199**********{}", &number[14..]),
                "phone": null, "address": null, "disability": null, "disabilityCertificate": null, "health": null,
                "monthlyIncome": null,
            })
        );
    }
}

/// Spaces, width and the middle dot make no other name.
#[tokio::test]
async fn a_name_written_otherwise_is_the_same_name() {
    let agencies = Agencies::new().await;
    let spaced = Resident { name: "欧阳　小红 ".trim_end().into(), ..agencies.person.clone() };
    let consent = agencies.office.consent(DPF, &agencies.person, &["HEALTH"]).await;
    let mut input = request(DPF, &spaced);
    input["consentId"] = consent.into();
    let id = agencies.office.refer(input).await;
    let seen = person(&agencies.federation, &id).await;
    assert_eq!(
        (&seen["health"], &seen["name"]),
        (&json!("dialysis"), &json!("欧阳　小红")),
        "shown as it was stated"
    );
}

/// The consent names its receiver; the same person referred to another one is told to nobody.
#[tokio::test]
async fn a_consent_opens_nothing_to_another_receiver() {
    let agencies = Agencies::new().await;
    agencies.referred(&["HEALTH"]).await;
    let elsewhere = agencies.office.refer(request(CF, &agencies.person)).await;
    assert_eq!(person(&agencies.third, &elsewhere).await, agencies.basics());
    let neighbour = agencies.district.partner(OTHER_OFFICE).await;
    let id = agencies.office.refer(request(OTHER_OFFICE, &agencies.person)).await;
    assert_eq!(person(&neighbour, &id).await, agencies.basics());
}
