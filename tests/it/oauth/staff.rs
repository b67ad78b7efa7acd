//! Tokens of people: they name the person, open what the person's duties open, and end with the working day.

use std::time::Duration;

use chrono::TimeDelta;
use entity::kinds::{PartnerKind, Role, Scope};
use onestop::access::{IssueError, LONGEST_STAFF_LIFE, may_hold, scopes_of_roles};
use onestop::page::type_id;
use serde_json::json;

use super::scopes;
use crate::harness::client::part_of;
use crate::harness::district::{BUREAU, OFFICE};
use crate::harness::partner::new_key;
use crate::harness::{District, Partner};

const HOUR: Duration = Duration::from_secs(3600);

#[tokio::test]
async fn a_persons_token_names_the_person() {
    let district = District::new().await;
    let clerk = district.staff("C-1", &[Role::Clerk]).await;
    let token = district.gate.issue_to_staff("C-1", &[], HOUR).await.unwrap();
    let claims = part_of(&token, 1);
    assert_eq!(claims["sub"], type_id(clerk.id));
    assert!(claims["sub"].as_str().unwrap().starts_with("staff_"));
    assert_eq!(claims["client_id"], BUREAU);
    let slice = district.gate.enter(&token).await.unwrap();
    assert_eq!(slice.viewer().staff().unwrap().id, clerk.id);
    assert_eq!(slice.viewer().partner().code, BUREAU);
}

#[tokio::test]
async fn duties_open_their_scopes_and_no_others() {
    let district = District::new().await;
    for (number, role) in Role::ALL.iter().enumerate() {
        let code = format!("S-{number}");
        district.staff(&code, &[*role]).await;
        let all = scopes_of_roles(PartnerKind::Bureau, &[*role]);
        assert!(!all.is_empty(), "{role:?}");
        let token = district.gate.issue_to_staff(&code, &[], HOUR).await.unwrap();
        let words: Vec<&str> = all.iter().map(|scope| scope.word()).collect();
        assert_eq!(scopes(&district, &token).await, words, "{role:?}");
        for scope in Scope::ALL.iter().filter(|scope| !all.contains(scope)) {
            let refused = district.gate.issue_to_staff(&code, &[*scope], HOUR).await;
            assert!(
                matches!(refused, Err(IssueError::ScopeNotAllowed(of)) if of == *scope),
                "{role:?} {scope:?}"
            );
        }
        for scope in all {
            assert!(may_hold(PartnerKind::Bureau, scope), "{role:?} {scope:?}");
        }
    }
}

/// Whoever decides does not pay, whoever looks over it does neither, and whoever gives out rights has none of them.
#[test]
fn duties_that_must_not_meet_share_no_power() {
    let of = |role| scopes_of_roles(PartnerKind::Bureau, &[role]);
    let writing = |role| -> Vec<Scope> {
        let writes = |scope: &Scope| {
            use Scope::{AdministrationWrite, BudgetWrite, ConsentWrite, ReferralWrite, StatementPay};
            matches!(scope, AdministrationWrite | BudgetWrite | ConsentWrite | ReferralWrite | StatementPay)
        };
        of(role).into_iter().filter(writes).collect()
    };
    assert_eq!(writing(Role::Auditor), []);
    assert_eq!(writing(Role::Paymaster), [Scope::StatementPay]);
    assert_eq!(writing(Role::Administrator), [Scope::AdministrationWrite]);
    assert!(!writing(Role::Decider).contains(&Scope::StatementPay));
    for role in [Role::Clerk, Role::Decider, Role::Paymaster, Role::Administrator] {
        assert!(!of(role).contains(&Scope::AuditRead), "{role:?}");
    }
}

#[tokio::test]
async fn no_system_gives_out_rights() {
    let district = District::new().await;
    for scope in [Scope::AdministrationRead, Scope::AdministrationWrite] {
        let refused = district.gate.issue(BUREAU, &[scope], HOUR).await;
        assert!(matches!(refused, Err(IssueError::ScopeNotAllowed(of)) if of == scope));
        let system = district.client(BUREAU, |client| client.scopes = scope.word().into()).await;
        let said = system.ask(&[("scope", scope.word())]).await;
        assert_eq!((said.status, said.error()), (400, "invalid_scope"));
        let said = system.ask(&[]).await;
        assert_eq!((said.status, &said.body["scope"]), (200, &json!("")));
    }
}

#[tokio::test]
async fn a_duty_that_was_taken_away_is_taken_from_the_token() {
    let district = District::new().await;
    district.staff("D-1", &[Role::Decider]).await;
    let token = district.gate.issue_to_staff("D-1", &[], HOUR).await.unwrap();
    assert!(scopes(&district, &token).await.contains(&"BUDGET_WRITE".to_owned()));
    let changed = std::time::Instant::now();
    district.database.change("UPDATE staff SET roles = 'PAYMASTER'").await;
    loop {
        let held = scopes(&district, &token).await;
        if !held.contains(&"BUDGET_WRITE".to_owned()) {
            assert!(!held.contains(&"STATEMENT_PAY".to_owned()), "no more than was granted: {held:?}");
            break;
        }
        assert!(changed.elapsed() < super::SOON, "it still decides");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_persons_token_ends_with_the_working_day() {
    let district = District::new().await;
    district.staff("C-1", &[Role::Clerk]).await;
    let issue = async |code: &str, life| district.gate.issue_to_staff(code, &[], life).await;
    let before = district.database.rows("token").await;
    for life in [Duration::ZERO, LONGEST_STAFF_LIFE + Duration::from_secs(1)] {
        assert!(matches!(issue("C-1", life).await, Err(IssueError::LifetimeOutOfRange)), "{life:?}");
    }
    for nobody in ["C-2", "", OFFICE, BUREAU] {
        assert!(matches!(issue(nobody, HOUR).await, Err(IssueError::NoSuchStaff)), "{nobody}");
    }
    assert_eq!(district.database.rows("token").await, before);
    assert_eq!(LONGEST_STAFF_LIFE, Duration::from_secs(12 * 3600));
    let token = issue("C-1", LONGEST_STAFF_LIFE).await.unwrap();
    district.wait(TimeDelta::hours(12));
    assert!(!scopes(&district, &token).await.is_empty());
    district.wait(TimeDelta::seconds(5));
    assert_eq!(super::ask(&district, &token).await.0, 401);
}

/// Whom a request states is what a partner says of its own people; the bureau's prove who they are.
#[tokio::test]
async fn nobody_acts_under_a_colleagues_name() {
    let district = District::new().await;
    let somebody = district.person("赵一", &[]).await;
    let clerk = district.staff("C-1", &[Role::Clerk]).await;
    let of_person = district.gate.issue_to_staff(&clerk.code, &[], HOUR).await.unwrap();
    let of_system = district.partner(BUREAU).await.token;
    for (token, operator) in [(of_person, "C-1"), (of_system, "D-9")] {
        let bureau = Partner::new(BUREAU, token, &district.url);
        let input = json!({
            "key": new_key(), "receiver": { "code": OFFICE }, "reason": "needs help",
            "person": { "nationalId": somebody.national_id, "name": somebody.name },
        });
        let reply = bureau.act("requestReferral", input, "referral { id }").await.done("requestReferral");
        let step = json!({
            "key": new_key(), "referralId": reply.text("requestReferral.referral.id"),
            "reason": "asked twice", "operator": { "code": "D-9" },
        });
        bureau.act("cancelReferral", step, "referral { id }").await.done("cancelReferral");
        let count = "SELECT count(*) FROM audit_record WHERE act = 'cancelReferral' AND operator_code";
        assert_eq!(district.database.number(&format!("{count} = '{operator}'")).await, 1, "{operator}");
    }
}
