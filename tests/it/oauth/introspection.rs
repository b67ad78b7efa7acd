//! Who is told what of a token (RFC 7662).

use chrono::TimeDelta;
use entity::kinds::{Role, Scope};
use serde_json::json;

use super::{assert_refused, scopes};
use crate::harness::District;
use crate::harness::client::{Pair, Said, part_of};
use crate::harness::district::{BUREAU, HOSPITAL, OFFICE, OTHER_OFFICE};

#[tokio::test]
async fn a_client_is_told_of_its_partners_tokens() {
    let district = District::new().await;
    let system = district.client(OFFICE, |_| {}).await;
    let another = district.client(OFFICE, |_| {}).await;
    let token = system.token().await;
    let mut expected = part_of(&token, 1);
    expected["active"] = json!(true);
    expected["token_type"] = json!("Bearer");
    assert_eq!(system.introspect(&token).await, expected);
    assert_eq!(another.introspect(&token).await, expected, "of the same partner");
    let of_bureau = district.partner(OFFICE).await.token;
    assert_eq!(system.introspect(&of_bureau).await["sub"], OFFICE, "one that the bureau gave out itself");
    let pair = Pair::ed25519(7);
    let bound = district.bound_token(&system, &pair).await;
    let told = system.introspect(&bound).await;
    assert_eq!((&told["token_type"], &told["cnf"]["jkt"]), (&json!("DPoP"), &json!(pair.thumbprint())));
}

#[tokio::test]
async fn a_client_is_told_nothing_of_anothers_token() {
    let district = District::new().await;
    let owner = district.client(OFFICE, |_| {}).await;
    let token = owner.token().await;
    let nothing = json!({ "active": false });
    for other in [HOSPITAL, OTHER_OFFICE] {
        let stranger = district.client(other, |_| {}).await;
        assert_eq!(stranger.introspect(&token).await, nothing, "{other}");
    }
    let bureau = district.client(BUREAU, |_| {}).await;
    assert_eq!(bureau.introspect(&token).await["sub"], owner.id, "the bureau may ask about any");
    district.staff("A-1", &[Role::Administrator]).await;
    let hour = std::time::Duration::from_secs(3600);
    let of_person = district.gate.issue_to_staff("A-1", &[], hour).await.unwrap();
    assert_eq!(owner.introspect(&of_person).await, nothing);
    assert_eq!(bureau.introspect(&of_person).await["active"], true);
}

#[tokio::test]
async fn what_is_no_live_token_is_not_active() {
    let district = District::new().await;
    let system = district.client(OFFICE, |_| {}).await;
    let nothing = json!({ "active": false });
    let token = system.token().await;
    let cut = &token[..token.len() - 1];
    for text in ["nonsense", "a.b.c", cut, system.secret.as_str(), &"x".repeat(10_000)] {
        assert_eq!(system.introspect(text).await, nothing);
    }
    let jti = part_of(&token, 1)["jti"].as_str().unwrap().to_owned();
    assert_eq!(system.introspect(&jti).await, nothing, "its name is not the token");
    let revoked = system.token().await;
    assert_eq!(system.revoke(&revoked).await.status, 200);
    assert_eq!(system.introspect(&revoked).await, nothing);
    assert_eq!(system.introspect(&token).await["active"], true);
    district.wait(TimeDelta::minutes(15) + TimeDelta::seconds(5));
    assert_eq!(system.introspect(&token).await, nothing, "it ran out");
}

#[tokio::test]
async fn the_scopes_are_those_that_it_opens() {
    let district = District::new().await;
    let system = district.client(OFFICE, |_| {}).await;
    let token = system.token().await;
    district.database.change("UPDATE client SET scopes = 'REFERRAL_READ'").await;
    assert_eq!(system.introspect(&token).await["scope"], Scope::ReferralRead.word());
    assert_eq!(scopes(&district, &token).await, [Scope::ReferralRead.word()]);
}

#[tokio::test]
async fn who_proves_nothing_is_told_nothing() {
    let district = District::new().await;
    let system = district.client(OFFICE, |_| {}).await;
    let token = system.token().await;
    let said = system.post("/oauth/introspect", &[("token", &token)]).send().await.unwrap();
    assert_refused(&Said::of(said).await, 401, "invalid_client");
    let said =
        system.post("/oauth/introspect", &[("token", &token)]).bearer_auth(&token).send().await.unwrap();
    assert_refused(&Said::of(said).await, 401, "invalid_client");
    let said = system.post_proven("/oauth/introspect", &[]).send().await.unwrap();
    assert_refused(&Said::of(said).await, 400, "invalid_request");
    let twice = [("token", token.as_str()), ("token", token.as_str())];
    let said = system.post_proven("/oauth/introspect", &twice).send().await.unwrap();
    assert_refused(&Said::of(said).await, 400, "invalid_request");
}
