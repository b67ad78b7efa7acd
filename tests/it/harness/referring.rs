//! Agencies that refer people to one another.

use serde_json::{Value, json};

use super::district::Resident;
use super::partner::new_key;
use super::{Partner, Reply};

/// What a referral shows besides the person.
pub const SHOWN: &str = "id number status externalReference reason outcome amountGranted requestedAt dueAt updatedAt \
                         allowedSteps events { nodes { at status note actor { code } } }";

pub fn stated(person: &Resident) -> Value {
    json!({ "nationalId": person.national_id, "name": person.name })
}

/// The input of a request with nothing that could be left out.
pub fn request(receiver: &str, person: &Resident) -> Value {
    json!({ "key": new_key(), "receiver": { "code": receiver }, "person": stated(person), "reason": "needs a wheelchair" })
}

/// The mutation that makes a referral so; nothing can make it REQUESTED or EXPIRED.
pub fn mutation_to(status: &str) -> Option<&'static str> {
    match status {
        "ACCEPTED" => Some("acceptReferral"),
        "DECLINED" => Some("declineReferral"),
        "IN_PROGRESS" => Some("startReferral"),
        "ON_HOLD" => Some("holdReferral"),
        "COMPLETED" => Some("completeReferral"),
        "FAILED" => Some("failReferral"),
        "CANCELLED" => Some("cancelReferral"),
        _ => None,
    }
}

impl Partner {
    /// Requests a referral that must succeed; its id.
    pub async fn refer(&self, input: Value) -> String {
        let reply = self.act("requestReferral", input, "referral { id }").await.done("requestReferral");
        reply.text("requestReferral.referral.id")
    }

    /// Tries to take a referral to a status.
    pub async fn step(&self, id: &str, to: &str) -> Reply {
        let mutation = mutation_to(to).unwrap();
        let mut input = json!({ "key": new_key(), "referralId": id });
        match to {
            "ACCEPTED" | "IN_PROGRESS" => {}
            "COMPLETED" => input["outcome"] = "done".into(),
            _ => input["reason"] = "so it is".into(),
        }
        self.act(mutation, input, &format!("referral {{ {SHOWN} }}")).await
    }

    /// Takes a referral along a way that is open.
    pub async fn steps(&self, id: &str, way: &[&str]) {
        for to in way {
            self.step(id, to).await.done(mutation_to(to).unwrap());
        }
    }

    /// A referral as this partner sees it; null when it does not.
    pub async fn referral(&self, id: &str, shape: &str) -> Value {
        let query = format!("query($id: ID!) {{ referral(by: {{ id: $id }}) {{ {shape} }} }}");
        self.ask(&query, json!({ "id": id })).await.fine().at("referral").clone()
    }

    /// The ids of the referrals that a filter finds, newest first.
    pub async fn referrals(&self, filter: Value) -> Vec<String> {
        let query = "query($f: ReferralFilter) { referrals(filter: $f, first: 100) { nodes { id } } }";
        let reply = self.ask(query, json!({ "f": filter })).await.fine();
        let nodes = reply.at("referrals.nodes").as_array().unwrap().clone();
        nodes.iter().map(|node| node["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Records that a person agrees that a receiver may be told these facts; the consent's id.
    pub async fn consent(&self, receiver: &str, person: &Resident, fields: &[&str]) -> String {
        let input = consent(receiver, person, fields);
        let reply = self.act("recordConsent", input, "consent { id }").await.done("recordConsent");
        reply.text("recordConsent.consent.id")
    }
}

/// The input of a consent.
pub fn consent(receiver: &str, person: &Resident, fields: &[&str]) -> Value {
    json!({
        "key": new_key(),
        "person": stated(person),
        "receiver": { "code": receiver },
        "fields": fields,
        "purpose": "a wheelchair",
        "wordingVersion": "2016-1",
        "givenOn": "2016-06-15",
    })
}
