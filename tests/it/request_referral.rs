//! Asking another partner to take on a person: what is checked, who may ask whom, and the lists in which it is found again.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::harness::database::number;
use crate::harness::district::{
    BUREAU, CARE, CF, DPF, HOSPITAL, OFFICE, OTHER_HOSPITAL, OTHER_OFFICE, OTHER_SHOP, PARTNERS, SHOP,
};
use crate::harness::partner::new_key;
use crate::harness::referring::{SHOWN, request};
use crate::harness::{District, Partner, Reply};

async fn ask(partner: &Partner, input: Value) -> Reply {
    partner.act("requestReferral", input, &format!("referral {{ {SHOWN} }}")).await.fine()
}

fn place(code: &str, field: &str) -> (String, String) {
    (code.to_owned(), field.to_owned())
}

#[tokio::test]
async fn a_request_is_there_for_both_sides_and_the_bureau() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let mut input = request(DPF, &person);
    input["externalReference"] = "街道-2016-17".into();
    input["programmeCode"] = "CHARITY_ILLNESS".into();
    input["dueInWorkingDays"] = 5.into();
    let reply = ask(&office, input).await.done("requestReferral");
    let mut found = reply.at("requestReferral.referral").clone();
    let number = found["number"].as_str().unwrap().to_owned();
    let signs = "23456789ABCDEFGHJKMNPQRSTVWXYZ";
    assert_eq!(number.len(), 9);
    assert!(
        number.chars().enumerate().all(|(at, sign)| if at == 4 { sign == '-' } else { signs.contains(sign) }),
        "{number}"
    );
    let id = found["id"].as_str().unwrap().to_owned();
    let members = found.as_object_mut().unwrap();
    members.remove("id");
    members.remove("number");
    assert_eq!(
        found,
        json!({
            "status": "REQUESTED", "externalReference": "街道-2016-17", "reason": "needs a wheelchair", "outcome": null,
            "amountGranted": null, "requestedAt": "2016-06-15T02:00:00.000000Z", "dueAt": "2016-06-22T16:00:00.000000Z",
            "updatedAt": "2016-06-15T02:00:00.000000Z", "allowedSteps": ["CANCELLED"],
            "events": { "nodes": [
                { "at": "2016-06-15T02:00:00.000000Z", "status": "REQUESTED", "note": null, "actor": { "code": OFFICE } }
            ] },
        })
    );
    let sides = "sender { code } receiver { code } programme { code } externalReference";
    for (code, reference) in [(OFFICE, json!("街道-2016-17")), (DPF, Value::Null), (BUREAU, Value::Null)] {
        let partner = district.partner(code).await;
        let expected = json!({
            "sender": { "code": OFFICE }, "receiver": { "code": DPF }, "programme": { "code": "CHARITY_ILLNESS" },
            "externalReference": reference,
        });
        assert_eq!(partner.referral(&id, sides).await, expected, "{code}");
        let by_number = format!("{{ referral(by: {{ number: \"{number}\" }}) {{ {sides} }} }}");
        assert_eq!(partner.ask(&by_number, json!({})).await.fine().at("referral"), &expected, "{code}");
        assert_eq!(partner.referrals(json!({})).await, [id.as_str()], "{code}");
    }
    for code in [OTHER_OFFICE, CF, HOSPITAL, CARE] {
        let partner = district.partner(code).await;
        assert!(partner.referral(&id, "id").await.is_null(), "{code}");
        assert_eq!(partner.referrals(json!({})).await, [""; 0], "{code}");
    }
}

#[tokio::test]
async fn everything_that_is_wrong_is_said_at_once() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let input = json!({
        "key": new_key(),
        "receiver": { "code": "NOBODY" },
        "person": { "nationalId": person.national_id, "name": "\u{3000}" },
        "phone": "1".repeat(31),
        "programmeCode": "MOON_FLIGHT",
        "reason": " ",
        "externalReference": "",
        "consentId": "consent_nonsense",
        "dueInWorkingDays": 0,
        "operator": { "code": "" },
    });
    let expected = [
        place("INVALID", "operator.code"),
        place("INVALID", "person.name"),
        place("INVALID", "reason"),
        place("INVALID", "phone"),
        place("INVALID", "externalReference"),
        place("INVALID", "dueInWorkingDays"),
        place("NOT_FOUND", "receiver"),
        place("NOT_FOUND", "programmeCode"),
        place("CONSENT_REQUIRED", "consentId"),
    ];
    let reply = ask(&office, input.clone()).await;
    assert_eq!(reply.refusals_at("requestReferral"), expected);
    assert!(reply.at("requestReferral.referral").is_null());
    let again = ask(&office, input).await;
    assert_eq!(again.at("requestReferral.replayed"), &json!(true));
    assert_eq!(again.refusals_at("requestReferral"), expected);
    let look = district.database.look().await;
    for table in ["referral", "referral_party", "referral_event"] {
        assert_eq!(number(&look, &format!("SELECT COUNT(*) FROM {table}")).await, 0, "{table}");
    }
}

#[tokio::test]
async fn an_answer_is_due_in_1_to_250_working_days() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    for (days, fine) in
        [(i32::MIN, false), (-1, false), (0, false), (1, true), (250, true), (251, false), (i32::MAX, false)]
    {
        let mut input = request(DPF, &person);
        input["dueInWorkingDays"] = days.into();
        let expected = if fine { vec![] } else { vec![place("INVALID", "dueInWorkingDays")] };
        assert_eq!(ask(&office, input).await.refusals_at("requestReferral"), expected, "{days}");
    }
}

/// Rows refer to columns, in the order of the test district's partners; `x` yes, `i` INVALID, `n` NOT_FOUND: not even seen.
const MAY_REFER: [(&str, &str); 8] = [
    (BUREAU, "i x x i i x x x x x"),
    (HOSPITAL, "x i i n n x x x x i"),
    (OTHER_HOSPITAL, "x i i n n x x x x i"),
    (OFFICE, "x x x n n i x x x x"),
    (OTHER_OFFICE, "x x x n n x i x x x"),
    (DPF, "x x x n n x x i i i"),
    (CF, "x x x i i x x i i i"),
    (CARE, "x i i n n x x i i i"),
];

#[tokio::test]
async fn who_may_refer_to_whom() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let look = district.database.look().await;
    for (sender, marks) in MAY_REFER {
        let partner = district.partner(sender).await;
        for ((receiver, _, _), mark) in PARTNERS.iter().zip(marks.split(' ')) {
            let before = number(&look, "SELECT COUNT(*) FROM referral").await;
            let found = ask(&partner, request(receiver, &person)).await.refusals_at("requestReferral");
            let expected = match mark {
                "x" => vec![],
                "i" => vec![place("INVALID", "receiver")],
                _ => vec![place("NOT_FOUND", "receiver")],
            };
            assert_eq!(found, expected, "{sender} to {receiver}");
            let after = number(&look, "SELECT COUNT(*) FROM referral").await;
            assert_eq!(after - before, i64::from(mark == "x"), "{sender} to {receiver}");
        }
    }
    for code in [SHOP, OTHER_SHOP] {
        let reply = district
            .partner(code)
            .await
            .act("requestReferral", request(DPF, &person), "referral { id }")
            .await;
        assert_eq!(reply.error(), "GRAPHQL_VALIDATION_FAILED", "a supermarket takes no part");
    }
}

#[tokio::test]
async fn the_same_request_twice_is_one_referral() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let office = district.partner(OFFICE).await;
    let input = request(DPF, &person);
    let (one, other) = tokio::join!(ask(&office, input.clone()), ask(&office, input.clone()));
    let (one, other) = (one.done("requestReferral"), other.done("requestReferral"));
    assert_eq!(one.text("requestReferral.referral.id"), other.text("requestReferral.referral.id"));
    let replays = [&one, &other].map(|reply| reply.at("requestReferral.replayed").as_bool().unwrap());
    assert_eq!(replays.iter().filter(|replayed| **replayed).count(), 1);
    let mut explicit = input.clone();
    explicit["dueInWorkingDays"] = 10.into();
    explicit["phone"] = Value::Null;
    let same = ask(&office, explicit).await.done("requestReferral");
    assert_eq!(same.at("requestReferral.replayed"), &json!(true), "the coerced input counts, not the text");
    let mut other = input;
    other["reason"] = "something else".into();
    assert_eq!(ask(&office, other).await.refusals_at("requestReferral"), [place("KEY_REUSED", "key")]);
    let look = district.database.look().await;
    assert_eq!(number(&look, "SELECT COUNT(*) FROM referral").await, 1);
    assert_eq!(number(&look, "SELECT COUNT(*) FROM referral_event").await, 1);
}

/// A key is the partner's own: another one may choose the same.
#[tokio::test]
async fn two_partners_may_choose_the_same_key() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let input = request(DPF, &person);
    let mut ids = Vec::new();
    for code in [OFFICE, OTHER_OFFICE] {
        let reply = ask(&district.partner(code).await, input.clone()).await.done("requestReferral");
        assert_eq!(reply.at("requestReferral.replayed"), &json!(false));
        ids.push(reply.text("requestReferral.referral.id"));
    }
    assert_ne!(ids[0], ids[1]);
}

#[tokio::test]
async fn lists_are_narrowed_by_side_status_number_and_time() {
    let district = District::new().await;
    let person = district.person("王小红", &[]).await;
    let (office, federation) = (district.partner(OFFICE).await, district.partner(DPF).await);
    let mut ids = Vec::new();
    for (sender, receiver, reference, days) in [
        (&office, DPF, "A-1", 1),
        (&office, CF, "A-2", 5),
        (&federation, OFFICE, "A-1", 10),
        (&office, DPF, "A-1", 20),
    ] {
        let mut input = request(receiver, &person);
        input["externalReference"] = reference.into();
        input["dueInWorkingDays"] = days.into();
        ids.push(sender.refer(input).await);
        district.wait(TimeDelta::seconds(1));
    }
    federation.steps(&ids[0], &["ACCEPTED"]).await;
    let [first, second, third, fourth] = [0, 1, 2, 3].map(|at| ids[at].as_str());
    for (filter, expected) in [
        (json!(null), vec![fourth, third, second, first]),
        (json!({}), vec![fourth, third, second, first]),
        (json!({ "direction": "SENT" }), vec![fourth, second, first]),
        (json!({ "direction": "RECEIVED" }), vec![third]),
        (json!({ "status": ["ACCEPTED"] }), vec![first]),
        (json!({ "status": ["ACCEPTED", "REQUESTED"], "direction": "SENT" }), vec![fourth, second, first]),
        (json!({ "status": [] }), vec![]),
        (json!({ "externalReference": "A-1" }), vec![fourth, first]),
        (json!({ "externalReference": "A-1", "status": ["REQUESTED"] }), vec![fourth]),
        (json!({ "externalReference": "a-1" }), vec![]),
        (json!({ "externalReference": "" }), vec![]),
        (json!({ "dueBefore": "2016-06-16T16:00:00Z" }), vec![]),
        (json!({ "dueBefore": "2016-06-16T16:00:00.000001Z" }), vec![first]),
        (json!({ "updatedFrom": "2016-06-15T02:00:02Z" }), vec![fourth, third, first]),
        (json!({ "updatedFrom": "2016-06-15T02:00:02.000001Z" }), vec![fourth, first]),
        (json!({ "updatedTo": "2016-06-15T02:00:02Z" }), vec![second]),
        (json!({ "updatedTo": "2016-06-15T10:00:02.000001+08:00" }), vec![third, second]),
        (
            json!({ "updatedFrom": "2016-06-15T02:00:01Z", "updatedTo": "2016-06-15T02:00:03Z" }),
            vec![third, second],
        ),
    ] {
        assert_eq!(office.referrals(filter.clone()).await, expected, "{filter}");
    }
    let bureau = district.partner(BUREAU).await;
    assert_eq!(bureau.referrals(json!({})).await, [fourth, third, second, first]);
    for direction in ["SENT", "RECEIVED"] {
        assert_eq!(
            bureau.referrals(json!({ "direction": direction })).await,
            [""; 0],
            "the bureau oversees, only"
        );
    }
    assert_eq!(
        federation.referrals(json!({ "externalReference": "A-1" })).await,
        [third],
        "each side has its own number"
    );
}
