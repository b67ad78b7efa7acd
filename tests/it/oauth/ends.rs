//! How tokens end before their time: revoked (RFC 7009), or with those whom they lead to.

use std::time::{Duration, Instant};

use entity::kinds::{Role, Scope};
use onestop::access::IssueError;
use serde_json::json;

use super::{SOON, assert_ends, assert_refused, scopes};
use crate::harness::client::{Pair, Said, System};
use crate::harness::district::{BUREAU, OFFICE, SHOP};
use crate::harness::partner::new_key;
use crate::harness::{District, Partner};

const HOUR: Duration = Duration::from_secs(3600);

/// Follows the feed with this token, makes the change, and fails unless everything has ended within five seconds: the stream,
/// requests, and what introspection says.
async fn assert_all_ends(district: &District, of: &str, token: &str, change: &str) {
    let bureau = district.client(BUREAU, |_| {}).await;
    assert_eq!(bureau.introspect(token).await["active"], true);
    assert!(!scopes(district, token).await.is_empty());
    let stream = Partner::new(of, token.to_owned(), &district.url).follow(None).await;
    let changed = Instant::now();
    district.database.change(change).await;
    assert_eq!(stream.end().await, "UNAUTHENTICATED");
    assert!(changed.elapsed() < SOON, "{:?}", changed.elapsed());
    assert_ends(district, token).await;
    assert!(changed.elapsed() < SOON, "{:?}", changed.elapsed());
    assert_eq!(bureau.introspect(token).await, json!({ "active": false }));
}

/// No new token, no answer at any endpoint.
async fn assert_unknown(system: &System) {
    let before = system.ask(&[]).await;
    assert_refused(&before, 401, "invalid_client");
    for path in ["/oauth/revoke", "/oauth/introspect"] {
        let said = system.post_proven(path, &[("token", "x")]).send().await.unwrap();
        assert_refused(&Said::of(said).await, 401, "invalid_client");
    }
}

#[tokio::test]
async fn a_suspended_client() {
    let district = District::new().await;
    let system = district.client(SHOP, |_| {}).await;
    let other = district.client(SHOP, |client| client.name = "other".into()).await;
    let (token, others) = (system.token().await, other.token().await);
    let change = "UPDATE client SET suspended_at = created_at WHERE name = 'billing'";
    // The bureau's client, which looks, is of that name too.
    let change = format!("{change} AND partner_id = (SELECT id FROM partner WHERE code = '{SHOP}')");
    assert_all_ends(&district, SHOP, &token, &change).await;
    assert_unknown(&system).await;
    assert!(!scopes(&district, &others).await.is_empty(), "the partner's other client goes on");
    assert_eq!(other.ask(&[]).await.status, 200);
}

#[tokio::test]
async fn a_suspended_partner() {
    let district = District::new().await;
    let system = district.client(SHOP, |_| {}).await;
    let pair = Pair::ed25519(7);
    let with_keys = district.client_with_keys(SHOP, &[&pair]).await;
    let office = district.client(OFFICE, |_| {}).await;
    let token = system.token().await;
    let of_bureau = district.partner(SHOP).await.token;
    let change = format!("UPDATE partner SET suspended_at = created_at WHERE code = '{SHOP}'");
    assert_all_ends(&district, SHOP, &token, &change).await;
    assert_ends(&district, &of_bureau).await;
    assert_unknown(&system).await;
    let assertion = pair.sign(&json!({ "alg": "EdDSA" }), &district.assertion(&with_keys));
    assert_refused(&with_keys.ask_by_assertion(&assertion).await, 401, "invalid_client");
    let refused = district.gate.issue(SHOP, &[Scope::CardRead], HOUR).await;
    assert!(matches!(refused, Err(IssueError::Suspended)));
    assert_eq!(office.ask(&[]).await.status, 200, "others go on");
}

#[tokio::test]
async fn a_suspended_person() {
    let district = District::new().await;
    district.staff("C-1", &[Role::Clerk]).await;
    district.staff("C-2", &[Role::Clerk]).await;
    let token = district.gate.issue_to_staff("C-1", &[], HOUR).await.unwrap();
    let others = district.gate.issue_to_staff("C-2", &[], HOUR).await.unwrap();
    let change = "UPDATE staff SET suspended_at = created_at WHERE code = 'C-1'";
    assert_all_ends(&district, BUREAU, &token, change).await;
    let refused = district.gate.issue_to_staff("C-1", &[], HOUR).await;
    assert!(matches!(refused, Err(IssueError::Suspended)));
    assert!(!scopes(&district, &others).await.is_empty(), "others go on");
}

#[tokio::test]
async fn a_revoked_token() {
    let district = District::new().await;
    let system = district.client(SHOP, |_| {}).await;
    let (token, other) = (system.token().await, system.token().await);
    let stream = Partner::new(SHOP, token.clone(), &district.url).follow(None).await;
    let revoked = Instant::now();
    let said = system.revoke(&token).await;
    assert_eq!((said.status, &said.body), (200, &json!(null)), "{said:?}");
    assert_eq!(stream.end().await, "UNAUTHENTICATED");
    assert_ends(&district, &token).await;
    assert!(revoked.elapsed() < SOON);
    assert_eq!(system.introspect(&token).await, json!({ "active": false }));
    assert!(!scopes(&district, &other).await.is_empty(), "the client's other token opens");
    assert_eq!(system.revoke(&token).await.status, 200, "as often as it is sent");
    let hinted = [("token", other.as_str()), ("token_type_hint", "refresh_token")];
    assert_eq!(system.post_proven("/oauth/revoke", &hinted).send().await.unwrap().status(), 200);
    assert_ends(&district, &other).await;
}

#[tokio::test]
async fn nobody_revokes_anothers_token() {
    let district = District::new().await;
    let owner = district.client(OFFICE, |_| {}).await;
    let beside = district.client(OFFICE, |_| {}).await;
    let shop = district.client(SHOP, |_| {}).await;
    let bureau = district.client(BUREAU, |_| {}).await;
    district.staff("C-1", &[Role::Clerk]).await;
    let tokens = [
        owner.token().await,
        district.partner(OFFICE).await.token,
        district.gate.issue_to_staff("C-1", &[], HOUR).await.unwrap(),
    ];
    let revoked = "SELECT count(*) FROM token WHERE revoked_at IS NOT NULL";
    for stranger in [&beside, &shop, &bureau] {
        for token in &tokens {
            let said = stranger.revoke(token).await;
            assert_eq!((said.status, &said.body), (200, &json!(null)), "as if there were none");
        }
    }
    let jti = crate::harness::client::part_of(&tokens[0], 1)["jti"].as_str().unwrap().to_owned();
    for text in ["nonsense", "a.b.c", "' OR 1=1 --", &jti, &tokens[1], &tokens[2]] {
        assert_eq!(owner.revoke(text).await.status, 200);
    }
    assert_eq!(district.database.number(revoked).await, 0);
    let said = owner.post("/oauth/revoke", &[("token", &tokens[0])]).send().await.unwrap();
    assert_refused(&Said::of(said).await, 401, "invalid_client");
    let said = owner.post_proven("/oauth/revoke", &[]).send().await.unwrap();
    assert_refused(&Said::of(said).await, 400, "invalid_request");
    assert_eq!(district.database.number(revoked).await, 0);
    for token in &tokens {
        assert!(!scopes(&district, token).await.is_empty());
    }
}

#[tokio::test]
async fn a_clients_token_lives_for_15_minutes() {
    let district = District::new().await;
    let token = district.client(OFFICE, |_| {}).await.token().await;
    district.wait(chrono::TimeDelta::minutes(15) + chrono::TimeDelta::seconds(4));
    assert!(!scopes(&district, &token).await.is_empty());
    district.wait(chrono::TimeDelta::seconds(1));
    assert_eq!(super::ask(&district, &token).await.0, 401);
}

#[tokio::test]
async fn a_client_that_may_do_less_does_less_with_the_tokens_that_it_has() {
    let district = District::new().await;
    let token = district.client(OFFICE, |_| {}).await.token().await;
    assert!(scopes(&district, &token).await.len() > 1);
    let changed = Instant::now();
    district.database.change("UPDATE client SET scopes = 'REFERRAL_READ'").await;
    while scopes(&district, &token).await != [Scope::ReferralRead.word()] {
        assert!(changed.elapsed() < SOON, "it still holds the others");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What a token opens says its row; what may be done on a day says the agreement of that day.
#[tokio::test]
async fn an_agreement_that_has_ended_is_not_carried_on_by_a_token() {
    let district = District::new().await;
    district.database.change("UPDATE agreement SET valid_to = '2016-06-20'").await;
    let card = district.card("200.00").await;
    // 23:55 in China, on the 20th.
    district.set_time("2016-06-20T15:55:00Z");
    let token = district.client(SHOP, |_| {}).await.token().await;
    let shop = Partner::new(SHOP, token.clone(), &district.url);
    let redeem = async || {
        let input =
            json!({ "key": new_key(), "cardNumber": card, "amount": "10.00", "receiptNumber": new_key() });
        shop.act("redeemAidCard", input, "redemption { id }").await
    };
    redeem().await.done("redeemAidCard");
    district.set_time("2016-06-20T16:05:00Z");
    assert_eq!(redeem().await.fine().refusals("redeemAidCard"), ["NO_AGREEMENT"]);
    assert!(!scopes(&district, &token).await.is_empty(), "the token is good");
}
