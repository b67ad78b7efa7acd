//! The life of a referral: which side may take which step, and that nobody else may.

use serde_json::{Value, json};

use crate::harness::district::{BUREAU, CF, DPF, OFFICE, Resident};
use crate::harness::partner::new_key;
use crate::harness::referring::{SHOWN, mutation_to, request};
use crate::harness::{District, Partner};

const STATUSES: [&str; 9] = [
    "REQUESTED",
    "ACCEPTED",
    "IN_PROGRESS",
    "ON_HOLD",
    "COMPLETED",
    "DECLINED",
    "FAILED",
    "CANCELLED",
    "EXPIRED",
];

/// Who may take a referral from the row to the column: `r` the receiver, `e` either side. Columns in the order of the rows.
const EDGES: [&str; 9] = [
    ". r . . . r . e .",
    ". . r . . . . e .",
    ". . . r r . r e .",
    ". . r . . . r e .",
    ". . . . . . . . .",
    ". . . . . . . . .",
    ". . . . . . . . .",
    ". . . . . . . . .",
    ". . . . . . . . .",
];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Side {
    Sender,
    Receiver,
    Overseer,
    Nobody,
}

const SIDES: [(Side, &str); 4] =
    [(Side::Sender, OFFICE), (Side::Receiver, DPF), (Side::Overseer, BUREAU), (Side::Nobody, CF)];

fn may(from: &str, to: &str, side: Side) -> bool {
    let place = |word: &str| STATUSES.iter().position(|status| *status == word).unwrap();
    match EDGES[place(from)].split(' ').nth(place(to)).unwrap() {
        "r" => side == Side::Receiver,
        "e" => side == Side::Receiver || side == Side::Sender,
        _ => false,
    }
}

struct Agencies {
    district: District,
    partners: Vec<Partner>,
    person: Resident,
}

impl Agencies {
    async fn new() -> Self {
        let district = District::new().await;
        let person = district.person("王小红", &[]).await;
        let mut partners = Vec::new();
        for (_, code) in SIDES {
            partners.push(district.partner(code).await);
        }
        Self { district, partners, person }
    }

    fn of(&self, side: Side) -> &Partner {
        let place = SIDES.iter().position(|(known, _)| *known == side).unwrap();
        &self.partners[place]
    }

    /// A referral from the office to the federation that has come to this status.
    async fn in_status(&self, status: &str) -> String {
        let mut input = request(DPF, &self.person);
        input["dueInWorkingDays"] = 200.into();
        if status == "EXPIRED" {
            let due_before = self.district.now();
            input["dueInWorkingDays"] = 1.into();
            let id = self.of(Side::Sender).refer(input).await;
            self.district.wait(chrono::TimeDelta::days(2));
            assert!(self.district.now() > due_before);
            return id;
        }
        let id = self.of(Side::Sender).refer(input).await;
        let way: &[&str] = match status {
            "REQUESTED" => &[],
            "ACCEPTED" => &["ACCEPTED"],
            "IN_PROGRESS" => &["ACCEPTED", "IN_PROGRESS"],
            "ON_HOLD" => &["ACCEPTED", "IN_PROGRESS", "ON_HOLD"],
            "COMPLETED" => &["ACCEPTED", "IN_PROGRESS", "COMPLETED"],
            "FAILED" => &["ACCEPTED", "IN_PROGRESS", "FAILED"],
            "DECLINED" => &["DECLINED"],
            "CANCELLED" => &["CANCELLED"],
            other => panic!("{other}"),
        };
        self.of(Side::Receiver).steps(&id, way).await;
        id
    }

    async fn as_the_bureau_sees_it(&self, id: &str) -> Value {
        self.of(Side::Overseer).referral(id, SHOWN).await
    }
}

#[tokio::test]
async fn every_step_of_every_side_from_every_status() {
    let agencies = Agencies::new().await;
    let (mut taken, mut refused) = (0, 0);
    for from in STATUSES {
        let mut id = agencies.in_status(from).await;
        for to in STATUSES.iter().copied().filter(|to| mutation_to(to).is_some()) {
            for (side, _) in SIDES {
                let before = agencies.as_the_bureau_sees_it(&id).await;
                let mutation = mutation_to(to).unwrap();
                agencies.district.wait(chrono::TimeDelta::microseconds(1));
                let reply = agencies.of(side).step(&id, to).await.fine();
                let place = format!("{from} → {to} by {side:?}");
                if may(from, to, side) {
                    assert_eq!(reply.refusals(mutation), Vec::<String>::new(), "{place}");
                    assert_eq!(reply.text(&format!("{mutation}.referral.status")), to, "{place}");
                    let after = agencies.as_the_bureau_sees_it(&id).await;
                    assert_eq!(after["status"], to, "{place}");
                    assert_eq!(after["events"]["nodes"][0]["status"], to, "{place}");
                    assert_eq!(after["events"]["nodes"][0]["actor"]["code"], agencies.of(side).code.as_str());
                    let events = |value: &Value| value["events"]["nodes"].as_array().unwrap().len();
                    assert_eq!(events(&after), events(&before) + 1, "{place}");
                    assert_ne!(after["updatedAt"], before["updatedAt"], "{place}");
                    taken += 1;
                    id = agencies.in_status(from).await;
                } else {
                    let code = if side == Side::Nobody { "NOT_FOUND" } else { "ILLEGAL_TRANSITION" };
                    assert_eq!(
                        reply.refusals_at(mutation),
                        [(code.to_owned(), "referralId".to_owned())],
                        "{place}"
                    );
                    assert!(reply.at(mutation)["referral"].is_null(), "{place}");
                    assert_eq!(agencies.as_the_bureau_sees_it(&id).await, before, "{place}");
                    refused += 1;
                }
            }
        }
    }
    assert_eq!((taken, taken + refused), (8 + 2 * 4, 9 * 7 * 4));
}

#[tokio::test]
async fn allowed_steps_say_what_may_be_done() {
    let agencies = Agencies::new().await;
    for from in STATUSES {
        let id = agencies.in_status(from).await;
        for (side, _) in SIDES {
            let seen = agencies.of(side).referral(&id, "status allowedSteps").await;
            if side == Side::Nobody {
                assert!(seen.is_null());
                continue;
            }
            assert_eq!(seen["status"], from);
            let allowed: Vec<&str> = STATUSES.iter().copied().filter(|to| may(from, to, side)).collect();
            let mut found: Vec<&str> =
                seen["allowedSteps"].as_array().unwrap().iter().map(|to| to.as_str().unwrap()).collect();
            found.sort_by_key(|word| STATUSES.iter().position(|status| status == word));
            assert_eq!(found, allowed, "{from} for {side:?}");
        }
    }
}

#[tokio::test]
async fn of_two_steps_at_once_one_wins() {
    let agencies = Agencies::new().await;
    for (first, second) in [("ACCEPTED", "CANCELLED"), ("ACCEPTED", "DECLINED"), ("ACCEPTED", "ACCEPTED")] {
        for _ in 0..4 {
            let id = agencies.in_status("REQUESTED").await;
            let by = if second == "CANCELLED" { Side::Sender } else { Side::Receiver };
            let (one, other) =
                tokio::join!(agencies.of(Side::Receiver).step(&id, first), agencies.of(by).step(&id, second));
            let outcomes = [
                one.fine().refusals(mutation_to(first).unwrap()),
                other.fine().refusals(mutation_to(second).unwrap()),
            ];
            let seen = agencies.as_the_bureau_sees_it(&id).await;
            let steps = seen["events"]["nodes"].as_array().unwrap().len() - 1;
            // An accepted referral may still be cancelled, so those two may both succeed, one after the other.
            if (first, second) == ("ACCEPTED", "CANCELLED") && outcomes[0].is_empty() {
                assert_eq!(steps, outcomes.iter().filter(|refusals| refusals.is_empty()).count());
                continue;
            }
            assert_eq!(steps, 1, "{seen}");
            let refused: Vec<_> = outcomes.iter().flatten().collect();
            assert_eq!(refused, ["ILLEGAL_TRANSITION"]);
        }
    }
}

#[tokio::test]
async fn a_step_is_kept_under_its_key() {
    let agencies = Agencies::new().await;
    let id = agencies.in_status("REQUESTED").await;
    let federation = agencies.of(Side::Receiver);
    let input =
        json!({ "key": new_key(), "referralId": id, "note": "welcome", "externalReference": "DPF-7" });
    let shape = "referral { status externalReference events { nodes { note } } }";
    agencies.district.wait(chrono::TimeDelta::microseconds(1));
    let first = federation.act("acceptReferral", input.clone(), shape).await.done("acceptReferral");
    assert_eq!(first.text("acceptReferral.referral.externalReference"), "DPF-7");
    assert_eq!(first.at("acceptReferral.replayed"), &json!(false));
    agencies.district.wait(chrono::TimeDelta::microseconds(1));
    federation.steps(&id, &["IN_PROGRESS"]).await;
    let again = federation.act("acceptReferral", input.clone(), shape).await.done("acceptReferral");
    assert_eq!(again.at("acceptReferral.replayed"), &json!(true));
    assert_eq!(
        again.text("acceptReferral.referral.status"),
        "IN_PROGRESS",
        "linked things are as they are now"
    );
    assert_eq!(again.at("acceptReferral.referral.events.nodes").as_array().unwrap().len(), 3);
    assert_eq!(again.text("acceptReferral.referral.events.nodes.1.note"), "welcome");

    let mut other = input.clone();
    other["note"] = "hello".into();
    let reused = federation.act("acceptReferral", other, shape).await.fine();
    assert_eq!(reused.refusals_at("acceptReferral"), [("KEY_REUSED".to_owned(), "key".to_owned())]);
    let mut elsewhere = input;
    elsewhere.as_object_mut().unwrap().remove("note");
    elsewhere.as_object_mut().unwrap().remove("externalReference");
    let reused = federation.act("startReferral", elsewhere, shape).await.fine();
    assert_eq!(reused.refusals("startReferral"), ["KEY_REUSED"]);
}

/// A refusal is an answer, too: it stays, even when the step has become possible.
#[tokio::test]
async fn a_refused_step_stays_refused_under_its_key() {
    let agencies = Agencies::new().await;
    let id = agencies.in_status("REQUESTED").await;
    let federation = agencies.of(Side::Receiver);
    let input = json!({ "key": new_key(), "referralId": id });
    let early = federation.act("startReferral", input.clone(), "referral { id }").await.fine();
    assert_eq!(early.refusals("startReferral"), ["ILLEGAL_TRANSITION"]);
    federation.steps(&id, &["ACCEPTED"]).await;
    let again = federation.act("startReferral", input, "referral { id }").await.fine();
    assert_eq!(again.refusals("startReferral"), ["ILLEGAL_TRANSITION"]);
    assert_eq!(again.at("startReferral.replayed"), &json!(true));
    assert_eq!(federation.referral(&id, "status").await["status"], "ACCEPTED");
}

#[tokio::test]
async fn an_outcome_and_an_amount_are_kept_when_it_is_completed() {
    let agencies = Agencies::new().await;
    let id = agencies.in_status("IN_PROGRESS").await;
    agencies.district.wait(chrono::TimeDelta::microseconds(1));
    let input = json!({
        "key": new_key(), "referralId": id, "outcome": "a wheelchair was given", "amountGranted": "1280.50",
        "operator": { "code": "W-17", "name": "刘" },
    });
    agencies
        .of(Side::Receiver)
        .act("completeReferral", input, "referral { id }")
        .await
        .done("completeReferral");
    for side in [Side::Sender, Side::Receiver, Side::Overseer] {
        let seen = agencies
            .of(side)
            .referral(&id, "status outcome amountGranted events(first: 1) { nodes { note } }")
            .await;
        assert_eq!(
            seen,
            json!({
                "status": "COMPLETED", "outcome": "a wheelchair was given", "amountGranted": "1280.50",
                "events": { "nodes": [{ "note": "a wheelchair was given" }] },
            })
        );
    }
    let look = agencies.district.database.look().await;
    let kept = crate::harness::database::number(
        &look,
        "SELECT COUNT(*) FROM operation WHERE mutation = 'completeReferral' AND operator_code = 'W-17'",
    );
    assert_eq!(kept.await, 1);
}

/// A reason, an outcome and a note must say something; every fault is named, together with an impossible step.
#[tokio::test]
async fn empty_words_are_refused() {
    let agencies = Agencies::new().await;
    let id = agencies.in_status("IN_PROGRESS").await;
    let federation = agencies.of(Side::Receiver);
    let before = agencies.as_the_bureau_sees_it(&id).await;
    let long = "长".repeat(1001);
    for (mutation, field, text) in [
        ("holdReferral", "reason", " "),
        ("holdReferral", "reason", long.as_str()),
        ("failReferral", "reason", ""),
        ("cancelReferral", "reason", "\u{3000}"),
        ("completeReferral", "outcome", "\n"),
        ("completeReferral", "outcome", long.as_str()),
    ] {
        let input = json!({ "key": new_key(), "referralId": id, field: text });
        let reply = federation.act(mutation, input, "referral { id }").await.fine();
        assert_eq!(
            reply.refusals_at(mutation),
            [("INVALID".to_owned(), field.to_owned())],
            "{mutation} {text:?}"
        );
    }
    let input =
        json!({ "key": new_key(), "referralId": id, "reason": "", "operator": { "code": " ", "name": "" } });
    let reply = federation.act("declineReferral", input, "referral { id }").await.fine();
    assert_eq!(
        reply.refusals_at("declineReferral"),
        [
            ("INVALID", "operator.code"),
            ("INVALID", "operator.name"),
            ("INVALID", "reason"),
            ("ILLEGAL_TRANSITION", "referralId")
        ]
        .map(|(code, field)| (code.to_owned(), field.to_owned()))
    );
    assert_eq!(agencies.as_the_bureau_sees_it(&id).await, before);
    let at_most = json!({ "key": new_key(), "referralId": id, "reason": "长".repeat(1000) });
    federation.act("holdReferral", at_most, "referral { id }").await.done("holdReferral");
}
