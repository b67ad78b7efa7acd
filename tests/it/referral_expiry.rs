//! A referral that nobody answers: it reads EXPIRED from the instant on at which the answer was due, and a job writes it down.

use std::future::ready;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use entity::kinds::Scope;
use futures_util::FutureExt;
use onestop::access::{Intent, Outcome};
use onestop::actions::expire_referral::{due, expire};
use onestop::jobs::expiry::expire_all;
use onestop::page::key_of;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::harness::database::number;
use crate::harness::district::{BUREAU, CF, DPF, OFFICE, Resident};
use crate::harness::referring::{SHOWN, mutation_to, request};
use crate::harness::{District, Partner};

struct Agencies {
    district: District,
    office: Partner,
    federation: Partner,
    bureau: Partner,
    person: Resident,
}

impl Agencies {
    async fn new() -> Self {
        let district = District::new().await;
        Self {
            office: district.partner(OFFICE).await,
            federation: district.partner(DPF).await,
            bureau: district.partner(BUREAU).await,
            person: district.person("王小红", &[]).await,
            district,
        }
    }

    /// A referral that is to be answered within so many working days, and the instant at which that is over.
    async fn due_in(&self, days: i32) -> (String, DateTime<Utc>) {
        let mut input = request(DPF, &self.person);
        input["dueInWorkingDays"] = days.into();
        self.district.wait(TimeDelta::microseconds(1));
        let id = self.office.refer(input).await;
        let due = self.office.referral(&id, "dueAt").await["dueAt"].as_str().unwrap().parse().unwrap();
        (id, due)
    }

    fn at(&self, instant: DateTime<Utc>) {
        self.district.set_time(&instant.to_rfc3339());
    }

    async fn events(&self, id: &str) -> Vec<Value> {
        let seen = self.office.referral(id, "events { nodes { at status actor { code } note } }").await;
        seen["events"]["nodes"].as_array().unwrap().clone()
    }
}

#[tokio::test]
async fn working_days_are_counted_by_the_published_calendar() {
    let agencies = Agencies::new().await;
    for (now, days, due) in [
        ("2016-06-15T02:00:00Z", Some(1), "2016-06-16T16:00:00.000000Z"),
        ("2016-06-15T02:00:00Z", None, "2016-06-29T16:00:00.000000Z"),
        // 16 June has begun in China.
        ("2016-06-15T16:00:00Z", Some(1), "2016-06-17T16:00:00.000000Z"),
        ("2016-06-15T15:59:59.999999Z", Some(1), "2016-06-16T16:00:00.000000Z"),
        // Friday; over the week-end.
        ("2016-06-17T02:00:00Z", Some(1), "2016-06-20T16:00:00.000000Z"),
        // Spring Festival 2016: 7 to 13 February off, Saturday 6 and Sunday 14 worked.
        ("2016-02-05T02:00:00Z", Some(1), "2016-02-06T16:00:00.000000Z"),
        ("2016-02-05T02:00:00Z", Some(2), "2016-02-14T16:00:00.000000Z"),
        ("2016-02-05T02:00:00Z", Some(3), "2016-02-15T16:00:00.000000Z"),
        ("2016-02-10T02:00:00Z", Some(1), "2016-02-14T16:00:00.000000Z"),
        // Spring Festival 2017: 27 January to 2 February off, Saturday 4 February worked.
        ("2017-01-26T02:00:00Z", Some(1), "2017-02-03T16:00:00.000000Z"),
        ("2017-01-26T02:00:00Z", Some(2), "2017-02-04T16:00:00.000000Z"),
        ("2017-01-26T02:00:00Z", Some(3), "2017-02-06T16:00:00.000000Z"),
        // Not published: Monday to Friday.
        ("2026-12-31T02:00:00Z", Some(1), "2027-01-01T16:00:00.000000Z"),
    ] {
        agencies.district.set_time(now);
        let office = agencies.district.partner(OFFICE).await;
        let mut input = request(DPF, &agencies.person);
        if let Some(days) = days {
            input["dueInWorkingDays"] = days.into();
        }
        let id = office.refer(input).await;
        let seen = office.referral(&id, "dueAt").await;
        assert_eq!(seen["dueAt"], due, "{now} + {days:?}");
    }
}

#[tokio::test]
async fn it_reads_expired_from_the_instant_it_was_due() {
    let agencies = Agencies::new().await;
    let (id, due) = agencies.due_in(10).await;
    agencies.at(due - TimeDelta::microseconds(1));
    let seen = agencies.federation.referral(&id, "status allowedSteps person { name }").await;
    assert_eq!(
        seen,
        json!({ "status": "REQUESTED", "allowedSteps": ["ACCEPTED", "DECLINED", "CANCELLED"], "person": { "name": "王小红" } })
    );
    assert_eq!(agencies.office.referral(&id, "allowedSteps").await["allowedSteps"], json!(["CANCELLED"]));
    for (partner, sees_person) in
        [(&agencies.federation, false), (&agencies.office, true), (&agencies.bureau, true)]
    {
        for later in [TimeDelta::zero(), TimeDelta::microseconds(1), TimeDelta::days(10)] {
            agencies.at(due + later);
            let seen = partner.referral(&id, "status allowedSteps person { name }").await;
            assert_eq!(
                (&seen["status"], &seen["allowedSteps"]),
                (&json!("EXPIRED"), &json!([])),
                "{}",
                partner.code
            );
            assert_eq!(seen["person"].is_object(), sees_person, "{}", partner.code);
        }
    }
    assert_eq!(agencies.events(&id).await.len(), 1, "reading writes nothing");
}

#[tokio::test]
async fn an_answered_referral_does_not_expire() {
    let agencies = Agencies::new().await;
    let (id, due) = agencies.due_in(1).await;
    agencies.at(due - TimeDelta::microseconds(1));
    agencies.federation.steps(&id, &["ACCEPTED"]).await;
    agencies.at(due + TimeDelta::days(20));
    assert_eq!(agencies.federation.referral(&id, "status").await["status"], "ACCEPTED");
    let slice = agencies.district.slice(BUREAU).await;
    assert_eq!(self::due(&slice, 100).await.unwrap(), []);
    agencies.federation.steps(&id, &["IN_PROGRESS", "COMPLETED"]).await;
}

#[tokio::test]
async fn no_side_can_step_after_it_was_due() {
    let agencies = Agencies::new().await;
    let (id, due) = agencies.due_in(1).await;
    agencies.at(due);
    let before = agencies.bureau.referral(&id, SHOWN).await;
    for (partner, to) in [
        (&agencies.federation, "ACCEPTED"),
        (&agencies.federation, "DECLINED"),
        (&agencies.federation, "CANCELLED"),
        (&agencies.office, "CANCELLED"),
    ] {
        let reply = partner.step(&id, to).await.fine();
        assert_eq!(reply.refusals(mutation_to(to).unwrap()), ["ILLEGAL_TRANSITION"], "{to}");
        let message = reply.text(&format!("{}.userErrors.0.message", mutation_to(to).unwrap()));
        assert_eq!(message, format!("The referral is EXPIRED; your side cannot make it {to}."));
    }
    assert_eq!(agencies.bureau.referral(&id, SHOWN).await, before);
}

#[tokio::test]
async fn filters_agree_with_what_is_read() {
    let agencies = Agencies::new().await;
    let (short, due) = agencies.due_in(1).await;
    let (long, _) = agencies.due_in(20).await;
    let found = async |statuses: &[&str]| agencies.federation.referrals(json!({ "status": statuses })).await;
    agencies.at(due - TimeDelta::microseconds(1));
    assert_eq!(found(&["REQUESTED"]).await, [long.as_str(), &short]);
    assert_eq!(found(&["EXPIRED"]).await, [""; 0]);
    agencies.at(due);
    let check = async || {
        assert_eq!(found(&["REQUESTED"]).await, [long.as_str()]);
        assert_eq!(found(&["EXPIRED"]).await, [short.as_str()]);
        assert_eq!(found(&["EXPIRED", "REQUESTED"]).await, [long.as_str(), &short]);
        assert_eq!(found(&["ACCEPTED", "CANCELLED"]).await, [""; 0]);
    };
    check().await;
    let slice = agencies.district.slice(BUREAU).await;
    assert!(expire(&slice, key_of(&short).unwrap()).await.unwrap());
    check().await;
}

#[tokio::test]
async fn the_job_writes_the_expiry_once() {
    let agencies = Agencies::new().await;
    let (id, due_at) = agencies.due_in(1).await;
    let (later, _) = agencies.due_in(2).await;
    let slice = agencies.district.slice(BUREAU).await;
    agencies.at(due_at - TimeDelta::microseconds(1));
    assert_eq!(due(&slice, 100).await.unwrap(), []);
    agencies.at(due_at + TimeDelta::seconds(30));
    let found = due(&slice, 100).await.unwrap();
    assert_eq!(found, [key_of(&id).unwrap()]);
    assert!(expire(&slice, found[0]).await.unwrap());
    assert!(!expire(&slice, found[0]).await.unwrap());
    assert_eq!(due(&slice, 100).await.unwrap(), []);
    let events = agencies.events(&id).await;
    assert_eq!(
        events[0],
        json!({ "at": due_at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string(), "status": "EXPIRED", "actor": { "code": BUREAU }, "note": null })
    );
    assert_eq!(events.len(), 2);
    let look = agencies.district.database.look().await;
    assert_eq!(number(&look, "SELECT COUNT(*) FROM referral WHERE status = 'EXPIRED'").await, 1);
    assert_eq!(agencies.office.referral(&later, "status").await["status"], "REQUESTED");
    let seen = agencies.federation.referral(&id, "status person { name } allowedSteps").await;
    assert_eq!(seen, json!({ "status": "EXPIRED", "person": null, "allowedSteps": [] }));
}

#[tokio::test]
async fn two_jobs_at_once_write_one_event() {
    let agencies = Agencies::new().await;
    let (id, due_at) = agencies.due_in(1).await;
    agencies.at(due_at);
    let (one, other) = (agencies.district.slice(BUREAU).await, agencies.district.slice(BUREAU).await);
    let key = key_of(&id).unwrap();
    let (first, second) = tokio::join!(expire(&one, key), expire(&other, key));
    assert_eq!([first.unwrap(), second.unwrap()].iter().filter(|wrote| **wrote).count(), 1);
    assert_eq!(agencies.events(&id).await.len(), 2);
}

/// A job whose clock was ahead leaves nothing behind that would keep the real expiry from being written.
#[tokio::test]
async fn a_job_that_comes_too_early_does_no_harm() {
    let agencies = Agencies::new().await;
    let (id, due_at) = agencies.due_in(1).await;
    let slice = agencies.district.slice(BUREAU).await;
    let key = key_of(&id).unwrap();
    assert!(!expire(&slice, key).await.unwrap());
    assert_eq!(agencies.office.referral(&id, "status").await["status"], "REQUESTED");
    agencies.at(due_at);
    assert!(expire(&slice, key).await.unwrap());
    assert_eq!(agencies.events(&id).await.len(), 2);
}

#[tokio::test]
async fn the_job_takes_the_oldest_first_and_no_more_than_it_is_told() {
    let agencies = Agencies::new().await;
    let (third, _) = agencies.due_in(3).await;
    let (first, _) = agencies.due_in(1).await;
    let (second, due_at) = agencies.due_in(2).await;
    agencies.at(due_at + TimeDelta::days(30));
    let slice = agencies.district.slice(BUREAU).await;
    let keys = [&first, &second, &third].map(|id| key_of(id).unwrap());
    assert_eq!(due(&slice, 2).await.unwrap(), keys[..2]);
    assert_eq!(due(&slice, 100).await.unwrap(), keys);
}

/// A referral whose key the bureau has used up can never be expired; the others are, and the job comes to an end.
#[tokio::test]
async fn a_referral_that_cannot_be_expired_does_not_keep_the_job_busy() {
    let agencies = Agencies::new().await;
    let (stuck, _) = agencies.due_in(1).await;
    let (_other, due_at) = agencies.due_in(2).await;
    agencies.at(due_at);
    let slice = agencies.district.slice(BUREAU).await;
    let key = format!("\u{1}expire {stuck}");
    let intent = Intent {
        scope: Scope::ReferralWrite,
        mutation: "expireReferral",
        key: &key,
        input: async_graphql::Value::String(stuck.clone()),
        operator: None,
    };
    let used_up = slice.act(intent, &(), |_, ()| ready(Ok(Outcome::Done(String::new(), ()))).boxed()).await;
    assert!(!used_up.unwrap().replayed);
    let (_tell, stop) = watch::channel(false);
    let run = async || {
        let ended = tokio::time::timeout(Duration::from_secs(30), expire_all(&slice, 2, &stop)).await;
        ended.expect("it goes on and on").unwrap()
    };
    assert_eq!(run().await, 1, "only what was expired counts");
    assert_eq!(run().await, 0);
    assert_eq!(due(&slice, 100).await.unwrap(), [key_of(&stuck).unwrap()]);
}

#[tokio::test]
async fn the_job_goes_on_until_nothing_is_due() {
    let agencies = Agencies::new().await;
    let mut last = agencies.due_in(1).await;
    for _ in 0..4 {
        last = agencies.due_in(1).await;
    }
    agencies.at(last.1);
    let slice = agencies.district.slice(BUREAU).await;
    let (_tell, stop) = watch::channel(false);
    assert_eq!(expire_all(&slice, 2, &stop).await.unwrap(), 5);
    assert_eq!(due(&slice, 100).await.unwrap(), []);
}

#[tokio::test]
async fn the_job_stops_when_told() {
    let agencies = Agencies::new().await;
    let (id, due_at) = agencies.due_in(1).await;
    agencies.at(due_at);
    let slice = agencies.district.slice(BUREAU).await;
    let (tell, stop) = watch::channel(false);
    tell.send(true).unwrap();
    assert_eq!(expire_all(&slice, 100, &stop).await.unwrap(), 0);
    assert_eq!(due(&slice, 100).await.unwrap(), [key_of(&id).unwrap()]);
}

/// Only the bureau's clock expires anything; another partner's slice holds no right to it.
#[tokio::test]
async fn nobody_else_can_run_the_job_on_anothers_referral() {
    let agencies = Agencies::new().await;
    let (id, due_at) = agencies.due_in(1).await;
    agencies.at(due_at);
    let stranger = agencies.district.slice(CF).await;
    assert_eq!(due(&stranger, 100).await.unwrap(), []);
    assert!(!expire(&stranger, key_of(&id).unwrap()).await.unwrap());
    let look = agencies.district.database.look().await;
    assert_eq!(number(&look, "SELECT COUNT(*) FROM referral WHERE status = 'EXPIRED'").await, 0);
}
