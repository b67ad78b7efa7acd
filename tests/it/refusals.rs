//! Every root field, asked without a token, without the scope, and as another kind of partner.

use std::time::Duration;

use entity::kinds::Scope;
use onestop::access::{may_hold, scopes_of};
use onestop::schema::cut::has;
use serde_json::{Value, json};

use crate::asks::{ASKS, About, absent, anothers, kind_of, without};
use crate::harness::Town;
use crate::harness::district::PARTNERS;
use crate::harness::partner::new_key;
use crate::harness::sdl::roots_of;

#[test]
fn every_root_field_is_asked() {
    let asked: Vec<&str> = ASKS.iter().map(|ask| ask.field).collect();
    assert_eq!(asked, roots_of(&onestop::schema::sdl()));
}

#[tokio::test]
async fn nobody_is_answered_without_a_token() {
    let town = Town::new().await;
    let http = reqwest::Client::new();
    for ask in ASKS {
        for authorization in [None, Some("Bearer "), Some("Bearer nonsense"), Some("Basic dXNlcjpwYXNz")] {
            let document = ask.document(ask.field, &ask.harmless(), &new_key());
            let mut request =
                http.post(format!("{}/graphql", town.district.url)).json(&json!({ "query": document }));
            if let Some(value) = authorization {
                request = request.header("authorization", value);
            }
            let response = request.send().await.unwrap();
            assert_eq!(response.status(), 401, "{}", ask.field);
            let challenge = response.headers()["www-authenticate"].to_str().unwrap().to_owned();
            let presented = authorization == Some("Bearer nonsense");
            assert_eq!(
                challenge,
                if presented { "Bearer error=\"invalid_token\"" } else { "Bearer" },
                "{authorization:?}"
            );
            let body: Value = response.json().await.unwrap();
            assert_eq!(body["errors"][0]["extensions"]["code"], "UNAUTHENTICATED");
            assert!(body.get("data").is_none());
        }
    }
}

#[tokio::test]
async fn a_token_without_scopes_is_told_which_one_it_lacks() {
    let town = Town::new().await;
    for ask in ASKS {
        let bare = town.district.partner_with(ask.asker, &[]).await;
        let reply = ask.by(&bare, &ask.harmless(), &new_key()).await;
        let lacking = ask.scopes().iter().find(|scope| may_hold(kind_of(ask.asker), **scope));
        let Some(lacking) = lacking else {
            assert_eq!(reply.error(), "", "{}: {}", ask.field, reply.body);
            continue;
        };
        assert_eq!(reply.error(), "FORBIDDEN", "{}: {}", ask.field, reply.body);
        let error = &reply.body["errors"][0];
        assert_eq!(error["extensions"]["scope"], lacking.word(), "{}", ask.field);
        assert_eq!(error["message"], format!("This token lacks the scope {}.", lacking.word()));
        assert_eq!(error["path"], json!([ask.field]));
        assert!(reply.at(ask.field).is_null());
    }
}

#[tokio::test]
async fn every_other_scope_does_not_help() {
    let town = Town::new().await;
    for ask in ASKS.iter().filter(|ask| !ask.scopes().is_empty()) {
        let mut others = scopes_of(kind_of(ask.asker));
        others.retain(|scope| !ask.scopes().contains(scope));
        let partner = town.district.partner_with(ask.asker, &others).await;
        let reply = ask.by(&partner, &ask.harmless(), &new_key()).await;
        assert_eq!(reply.error(), "FORBIDDEN", "{}: {}", ask.field, reply.body);
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_a_scope_says_nothing_about_what_is_there() {
    let town = Town::new().await;
    for ask in ASKS.iter().filter(|ask| ask.about != About::Nothing && !ask.scopes().is_empty()) {
        let bare = town.district.partner_with(ask.asker, &[]).await;
        let (theirs, none) = (anothers(&town, ask).await, absent(ask.about));
        let there = ask.by(&bare, &theirs, &new_key()).await;
        let not_there = ask.by(&bare, &none, &new_key()).await;
        assert_eq!(without(&there, &theirs), without(&not_there, &none), "{}", ask.field);
    }
}

#[tokio::test]
async fn a_refusal_for_want_of_a_scope_burns_no_key() {
    let town = Town::new().await;
    for ask in ASKS.iter().filter(|ask| ask.arguments.contains("KEY")) {
        let key = new_key();
        let bare = town.district.partner_with(ask.asker, &[]).await;
        assert_eq!(ask.by(&bare, &ask.harmless(), &key).await.error(), "FORBIDDEN");
        let reply = ask.by(town.partner(ask.asker), &ask.harmless(), &key).await.fine();
        assert_eq!(reply.at(ask.field)["replayed"], json!(false), "{}", ask.field);
        assert!(!reply.body.to_string().contains("KEY_REUSED"), "{}", ask.field);
    }
}

/// What another kind may do is answered in exactly the words for a name that does not exist.
#[tokio::test]
async fn what_another_kind_may_do_does_not_exist() {
    let town = Town::new().await;
    let mut asked = 0;
    for ask in ASKS {
        for partner in town.partners.iter().filter(|partner| !has(kind_of(&partner.code), ask.field)) {
            let nonsense = "z".repeat(ask.field.len());
            let (id, key) = (ask.harmless(), new_key());
            let reply = ask.by(partner, &id, &key).await;
            assert_eq!(reply.error(), "GRAPHQL_VALIDATION_FAILED", "{} as {}", ask.field, partner.code);
            assert!(reply.body.get("data").is_none(), "{}", reply.body);
            let unknown = partner.ask(&ask.document(&nonsense, &id, &key), json!({})).await;
            assert_eq!(reply.status, unknown.status);
            assert_eq!(
                reply.body.to_string().replace(&format!("\\\"{}\\\"", ask.field), "NAME"),
                unknown.body.to_string().replace(&format!("\\\"{nonsense}\\\""), "NAME"),
            );
            asked += 1;
        }
    }
    assert!(asked > 50, "{asked}");
}

/// A token that claims a scope which its kind may never hold is not issued, and the field stays away.
#[tokio::test]
async fn no_token_carries_a_scope_outside_its_kind() {
    let town = Town::new().await;
    for (code, kind, _) in PARTNERS {
        for scope in Scope::ALL.iter().filter(|scope| !may_hold(kind, **scope)) {
            let refused = town.district.gate.issue(code, &[*scope], Duration::from_secs(60)).await;
            let refused = refused.err().unwrap_or_else(|| panic!("{code} was given {}", scope.word()));
            assert!(
                matches!(refused, onestop::access::IssueError::ScopeNotAllowed(found) if found == *scope)
            );
        }
    }
}
