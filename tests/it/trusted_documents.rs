//! A client of trusted documents sends what was registered for it, and nothing else.

use entity::id::ClientId;
use entity::{Digest, trusted_document};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::harness::client::System;
use crate::harness::district::SHOP;
use crate::harness::till::sale;
use crate::harness::{District, Partner};

const VIEWER: &str = "{ viewer { partner { code } } }";
const FOLLOW: &str = "subscription { events { cursor kind } }";
const SELL: &str =
    "mutation($input: RedeemAidCardInput!) { redeemAidCard(input: $input) { replayed userErrors { code } } }";

async fn register(district: &District, client: ClientId, documents: &[&str]) {
    let rows = documents.iter().enumerate().map(|(number, text)| trusted_document::Model {
        client_id: client,
        digest: Digest(Sha256::digest(text).to_vec()),
        name: format!("{number}.graphql"),
        registered_at: district.now(),
    });
    district.lay::<trusted_document::Entity>(rows.collect()).await;
}

async fn trusting(district: &District) -> System {
    district.client(SHOP, |client| client.documents_trusted = true).await
}

/// The shop, by a token that its client asked for.
async fn shop_by(client: &System) -> Partner {
    Partner::new(SHOP, client.token().await, &client.url)
}

#[tokio::test]
async fn only_registered_documents_run_byte_for_byte() {
    let district = District::new().await;
    let card = district.card("100.00").await;
    let (client, other) = (trusting(&district).await, trusting(&district).await);
    register(&district, client.row.id, &[VIEWER, FOLLOW]).await;
    register(&district, other.row.id, &[SELL]).await;
    let shop = shop_by(&client).await;
    shop.ask(VIEWER, json!({})).await.fine();
    let sale = json!({ "input": sale(&card, "1.00", "R1") });
    for (document, variables) in [
        (SELL, sale.clone()),
        ("{ viewer { partner { code } } } ", json!({})),
        ("{viewer{partner{code}}}", json!({})),
        ("{", json!({})),
        ("", json!({})),
    ] {
        let refused = shop.ask(document, variables).await;
        assert_eq!((refused.status, refused.error().as_str()), (403, "DOCUMENT_NOT_TRUSTED"), "{document}");
        assert!(refused.body.get("data").is_none());
    }
    assert_eq!(district.partner(SHOP).await.balance(&card).await, "100.00");
    let at_once = format!("{VIEWER} {SELL}");
    let by_get = reqwest::Client::new().get(format!("{}/graphql", district.url)).bearer_auth(&shop.token);
    assert_eq!(by_get.query(&[("query", at_once.as_str())]).send().await.unwrap().status(), 403);
    for (document, status) in [(FOLLOW, 200), ("subscription { events { kind } }", 403)] {
        let stream = shop.post("text/event-stream", document, json!({})).send().await.unwrap();
        assert_eq!(stream.status(), status, "{document}");
    }
    shop_by(&other).await.ask(SELL, sale).await.done("redeemAidCard");
}

#[tokio::test]
async fn what_is_registered_later_runs_within_five_seconds() {
    let district = District::new().await;
    let client = trusting(&district).await;
    let shop = shop_by(&client).await;
    assert_eq!(shop.ask(VIEWER, json!({})).await.error(), "DOCUMENT_NOT_TRUSTED", "nothing is registered");
    register(&district, client.row.id, &[VIEWER]).await;
    let begun = std::time::Instant::now();
    while shop.ask(VIEWER, json!({})).await.status == 403 {
        assert!(begun.elapsed().as_secs() < 5);
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn other_clients_send_what_they_like() {
    let district = District::new().await;
    let client = district.client(SHOP, |_| {}).await;
    register(&district, client.row.id, &[VIEWER]).await;
    shop_by(&client).await.ask("{ viewer { scopes } }", json!({})).await.fine();
}
