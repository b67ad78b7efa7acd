//! What the token says of itself, signed by the server's own key.

use chrono::TimeDelta;
use entity::id::TokenId;
use entity::kinds::Scope;
use onestop::page::type_id;
use serde_json::json;

use super::Forge;
use crate::harness::district::{BUREAU, OTHER_OFFICE, new_id};

#[tokio::test]
async fn no_iss() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.without("iss")).await;
}

#[tokio::test]
async fn no_aud() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.without("aud")).await;
}

#[tokio::test]
async fn no_sub() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.without("sub")).await;
}

#[tokio::test]
async fn no_exp() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.without("exp")).await;
}

#[tokio::test]
async fn no_nbf() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.without("nbf")).await;
}

#[tokio::test]
async fn no_iat() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.without("iat")).await;
}

#[tokio::test]
async fn no_jti() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.without("jti")).await;
}

#[tokio::test]
async fn no_scope() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.without("scope")).await;
}

#[tokio::test]
async fn no_client_id() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.without("client_id")).await;
}

#[tokio::test]
async fn another_iss() {
    let forge = Forge::new().await;
    let slash = format!("{}/", forge.district.url);
    for iss in ["https://elsewhere.example", "onestop", "", &slash] {
        forge.assert_refused(&forge.saying(|claims| claims["iss"] = json!(iss))).await;
    }
}

#[tokio::test]
async fn a_list_of_iss() {
    let forge = Forge::new().await;
    let list = json!([forge.district.url, "https://elsewhere.example"]);
    forge.assert_refused(&forge.saying(|claims| claims["iss"] = list)).await;
}

#[tokio::test]
async fn another_aud() {
    let forge = Forge::new().await;
    for aud in ["https://elsewhere.example", "onestop", ""] {
        forge.assert_refused(&forge.saying(|claims| claims["aud"] = json!(aud))).await;
    }
}

#[tokio::test]
async fn a_list_of_aud() {
    let forge = Forge::new().await;
    let list = json!([forge.district.url, "https://elsewhere.example"]);
    forge.assert_refused(&forge.saying(|claims| claims["aud"] = list)).await;
}

#[tokio::test]
async fn the_sub_of_another_partner() {
    let forge = Forge::new().await;
    for sub in [BUREAU, OTHER_OFFICE, ""] {
        forge.assert_refused(&forge.saying(|claims| claims["sub"] = json!(sub))).await;
    }
}

#[tokio::test]
async fn the_jti_of_another_partners_token() {
    let forge = Forge::new().await;
    let other = forge.district.partner(BUREAU).await.token;
    let jti = crate::harness::client::part_of(&other, 1)["jti"].clone();
    forge.assert_refused(&forge.saying(|claims| claims["jti"] = jti)).await;
}

#[tokio::test]
async fn a_jti_that_was_never_issued() {
    let forge = Forge::new().await;
    let jti = type_id(new_id::<TokenId>());
    forge.assert_refused(&forge.saying(|claims| claims["jti"] = json!(jti))).await;
}

#[tokio::test]
async fn a_jti_of_another_shape() {
    let forge = Forge::new().await;
    let upper = forge.claims["jti"].as_str().unwrap().to_uppercase();
    let partner = forge.claims["jti"].as_str().unwrap().replace("token_", "partner_");
    for jti in ["", "nonsense", "' OR 1=1 --", &upper, &partner] {
        forge.assert_refused(&forge.saying(|claims| claims["jti"] = json!(jti))).await;
    }
}

#[tokio::test]
async fn exp_that_has_passed() {
    let forge = Forge::new().await;
    let passed = (forge.district.now() - TimeDelta::seconds(6)).timestamp();
    for exp in [passed, 0, -1, i64::MIN] {
        forge.assert_refused(&forge.saying(|claims| claims["exp"] = json!(exp))).await;
    }
}

#[tokio::test]
async fn exp_that_is_no_whole_number() {
    let forge = Forge::new().await;
    let text = forge.claims["exp"].to_string();
    for exp in [json!(text), json!("never"), json!(null), json!(1e300), json!(u64::MAX), json!([4e9])] {
        forge.assert_refused(&forge.saying(|claims| claims["exp"] = exp)).await;
    }
}

/// A token lives no longer than the one that was issued.
#[tokio::test]
async fn exp_later_than_it_was_issued() {
    let forge = Forge::new().await;
    let later = forge.saying(|claims| claims["exp"] = json!(i64::MAX));
    let granted = forge.claims["exp"].as_i64().unwrap();
    forge.district.set_time(&chrono::DateTime::from_timestamp(granted, 0).unwrap().to_rfc3339());
    let last = forge.district.now();
    forge.assert_opens(&forge.token).await;
    forge.assert_opens(&later).await;
    forge.district.set_time(&(last + TimeDelta::seconds(6)).to_rfc3339());
    let response = forge.ask().bearer_auth(&later).send().await.unwrap();
    assert_eq!(response.status(), 401);
}

#[tokio::test]
async fn nbf_ahead() {
    let forge = Forge::new().await;
    let ahead = (forge.district.now() + TimeDelta::seconds(6)).timestamp();
    for nbf in [ahead, i64::MAX] {
        forge.assert_refused(&forge.saying(|claims| claims["nbf"] = json!(nbf))).await;
    }
}

#[tokio::test]
async fn nbf_as_text() {
    let forge = Forge::new().await;
    let text = forge.claims["nbf"].to_string();
    forge.assert_refused(&forge.saying(|claims| claims["nbf"] = json!(text))).await;
}

/// What was granted stands in the row; a token may say less.
#[tokio::test]
async fn scopes_wider_than_granted() {
    let forge = Forge::new().await;
    let scopes = [Scope::ReferralRead, Scope::ReferralWrite, Scope::ConsentWrite, Scope::AuditRead];
    let words: Vec<&str> = scopes.iter().map(|scope| scope.word()).collect();
    let wider = forge.saying(|claims| claims["scope"] = json!(words.join(" ")));
    assert_eq!(forge.assert_opens(&wider).await, json!(["REFERRAL_READ", "REFERRAL_WRITE"]));
    let narrower = forge.saying(|claims| claims["scope"] = json!("REFERRAL_READ"));
    assert_eq!(forge.assert_opens(&narrower).await, json!(["REFERRAL_READ"]));
}

#[tokio::test]
async fn scopes_as_a_list() {
    let forge = Forge::new().await;
    forge.assert_refused(&forge.saying(|claims| claims["scope"] = json!(["REFERRAL_READ"]))).await;
}

#[tokio::test]
async fn cnf_added() {
    let forge = Forge::new().await;
    let jkt = crate::harness::client::Pair::ed25519(66).thumbprint();
    forge.assert_refused(&forge.saying(|claims| claims["cnf"] = json!({ "jkt": jkt }))).await;
}
