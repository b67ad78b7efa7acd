//! Following the feed: the same events as a query's, as they happen, for as long as the token is good.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use entity::kinds::{Category, PartnerKind, Scope};
use futures_util::StreamExt;
use onestop::access::{Database, Gate, Keys, Slice, counting};
use onestop::http::streams::Bounds;
use onestop::language::Language;
use onestop::schema::follow::Bookmark;
use onestop::schema::{Asked, Gateway, sdl_of};
use serde_json::{Map, Value, json};

use crate::harness::district::{CF, HOSPITAL, OTHER_SHOP, SHOP};
use crate::harness::follower::EVENTS;
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::sdl::types_of;
use crate::harness::{District, Partner, Town};

/// As short as a test may wait for what comes within half a second.
const SOON: Duration = Duration::from_secs(3);
const FOLLOW: &str = "subscription { events { cursor } }";

#[tokio::test]
async fn an_act_is_told_as_it_happens() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let mut stream = hospital.follow(None).await;
    stream.tells_nothing().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let settled = hospital.settle(&bill(&patient)).await.done("settle").text("settle.settlement.id");
    stream.tells_nothing().await;
    district.gate.number_events().await.unwrap();
    let told = tokio::time::timeout(SOON, stream.told()).await.expect("at once");
    assert_eq!(told["kind"], "settlement.settled");
    assert_eq!(told["subject"], json!({ "__typename": "Settlement", "id": settled }));
    district.wait(TimeDelta::milliseconds(1));
    hospital.reverse(&settled).await.done("reverseSettlement");
    district.gate.number_events().await.unwrap();
    assert_eq!(stream.told().await["kind"], "settlement.reversed");
    stream.tells_nothing().await;
}

/// Another process may give events their places: nothing wakes the stream then.
#[tokio::test]
async fn what_another_process_numbers_is_told_too() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let mut stream = shop.follow(None).await;
    let other = Database::open(&district.database.url).await.unwrap();
    let other = Gate::new(other, Arc::new(Keys::ephemeral().unwrap()), district.gate.clock().clone());
    let card = district.card("200.00").await;
    shop.sell(&card, "1.00", "R1").await;
    other.number_events().await.unwrap();
    let told = tokio::time::timeout(SOON, stream.told()).await.expect("within half a second");
    assert_eq!(told["kind"], "redemption.redeemed");
}

#[tokio::test]
async fn going_on_from_any_cursor_gives_exactly_the_rest() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    district.sell(&shop, 45).await;
    let whole = shop.whole_feed().await;
    assert_eq!(whole.len(), 45, "more than two pages");
    let mut stream = shop.follow(None).await;
    assert_eq!(stream.told_all(45).await, whole);
    stream.tells_nothing().await;
    for read in [1, 19, 20, 21, 44] {
        let cursor = whole[read - 1]["cursor"].as_str();
        assert_eq!(shop.follow(cursor).await.told_all(45 - read).await, whole[read..], "{read}");
    }
    let last = whole[44]["cursor"].as_str().unwrap();
    let mut beyond = shop.follow(Some(last)).await;
    beyond.tells_nothing().await;
    district.sell(&shop, 1).await;
    assert_ne!(beyond.told().await["cursor"], last);
}

#[tokio::test]
async fn a_stream_that_was_lost_goes_on_after_the_last_id() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    district.sell(&shop, 3).await;
    let whole = shop.whole_feed().await;
    let ids: Vec<&str> = whole.iter().map(|event| event["cursor"].as_str().unwrap()).collect();
    let query = "subscription($after: String) { events(after: $after) { cursor } }";
    for (after, last, first_told) in [(0, 1, 2), (1, 0, 2), (1, 1, 2)] {
        let ask = shop.post(EVENTS, query, json!({ "after": ids[after] })).header("last-event-id", ids[last]);
        let mut stream = crate::harness::follower::Stream::of(ask.send().await.unwrap());
        assert_eq!(stream.told().await["cursor"], ids[first_told], "the later of the two");
    }
    for wrong in ["nonsense", "settlement_01h455vb4pex5vsknk084sn02q"] {
        let refused =
            shop.post(EVENTS, FOLLOW, json!({})).header("last-event-id", wrong).send().await.unwrap();
        assert_eq!(refused.status(), 400);
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST");
        assert!(body["errors"][0]["message"].as_str().unwrap().contains("Last-Event-ID"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_skipped_or_repeated_while_many_act_at_once() {
    let district = District::new().await;
    let shops = [district.partner(SHOP).await, district.partner(OTHER_SHOP).await];
    let charity = district.partner(CF).await;
    let mut streams = [shops[0].follow(None).await, shops[1].follow(None).await, charity.follow(None).await];
    let before = charity.whole_feed().await.len();
    let mut tills = Vec::new();
    for shop in &shops {
        for _ in 0..6 {
            tills.push((shop, district.card("200.00").await));
        }
    }
    let selling = tills.iter().map(|(shop, card)| async move {
        for number in 0..6 {
            shop.sell(card, "1.00", &format!("{}-{number}", new_key())).await;
        }
    });
    let numbering = async {
        loop {
            // Two processes that number at once may fail; they try again.
            let _ = tokio::join!(district.gate.number_events(), district.gate.number_events());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        _ = futures_util::future::join_all(selling) => {}
        () = numbering => {}
    }
    while district.gate.number_events().await.unwrap() > 0 {}
    for (stream, partner) in streams.iter_mut().zip([&shops[0], &shops[1], &charity]) {
        let whole = partner.whole_feed().await;
        assert!(whole.len() >= 36 && (partner.code != CF || whole.len() >= before + 72), "{}", whole.len());
        assert_eq!(stream.told_all(whole.len()).await, whole, "{}", partner.code);
        stream.tells_nothing().await;
    }
}

#[tokio::test]
async fn everybody_is_told_what_is_its_own_and_nothing_else() {
    let town = Town::new().await;
    while town.district.gate.number_events().await.unwrap() > 0 {}
    for partner in &town.partners {
        let own = partner.whole_feed().await;
        let mut stream = partner.follow(None).await;
        assert_eq!(stream.told_all(own.len()).await, own, "{}", partner.code);
        stream.tells_nothing().await;
    }
}

#[test]
fn every_kind_of_partner_may_follow() {
    for kind in PartnerKind::ALL {
        let types = types_of(&sdl_of(*kind));
        let root = types.iter().find(|definition| definition.name.node == "Subscription").unwrap();
        let async_graphql::parser::types::TypeKind::Object(root) = &root.kind else { panic!("an object") };
        let fields: Vec<&str> = root.fields.iter().map(|field| field.node.name.node.as_str()).collect();
        assert_eq!(fields, ["events"], "{}", kind.word());
    }
}

#[tokio::test]
async fn only_a_subscription_comes_as_a_stream_and_it_comes_no_other_way() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let query = "{ viewer { partner { code } } }";
    let json = "application/json";
    let graphql = "application/graphql-response+json";
    let all = "application/graphql-response+json, application/json, text/event-stream, multipart/mixed";
    for (accept, document, status, says) in [
        (EVENTS, query, 406, "Only a subscription comes as a stream"),
        (json, FOLLOW, 406, "accept `text/event-stream`"),
        (graphql, FOLLOW, 406, "accept `text/event-stream`"),
        ("*/*", FOLLOW, 406, "accept `text/event-stream`"),
        ("text/html", FOLLOW, 406, "Accept `application/graphql-response+json`"),
        ("text/event-stream;q=0", FOLLOW, 406, "Accept `application/graphql-response+json`"),
    ] {
        let refused = shop.post(accept, document, json!({})).send().await.unwrap();
        assert_eq!(refused.status(), status, "{accept} {document}");
        assert!(refused.headers()["content-type"].to_str().unwrap().contains("json"));
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body["errors"][0]["extensions"]["code"], "BAD_REQUEST", "{body}");
        assert!(body["errors"][0]["message"].as_str().unwrap().contains(says), "{body}");
    }
    let both = shop.post(all, query, json!({})).send().await.unwrap();
    assert_eq!(
        (
            both.status().as_u16(),
            both.json::<Value>().await.unwrap()["data"]["viewer"]["partner"]["code"].as_str()
        ),
        (200, Some(SHOP))
    );
    let both = shop.post(all, FOLLOW, json!({})).send().await.unwrap();
    assert_eq!(both.headers()["content-type"], "text/event-stream; charset=utf-8");
    assert_eq!(both.headers()["cache-control"], "no-store");

    let get = reqwest::Client::new().get(format!("{}/graphql", district.url)).query(&[("query", FOLLOW)]);
    let refused = get.bearer_auth(&shop.token).header("accept", EVENTS).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["allow"]), (405, &"POST".parse().unwrap()));
    for (token, status) in [("nonsense", 401), ("", 401)] {
        let stranger = Partner::new(SHOP, token.into(), &district.url);
        assert_eq!(stranger.post(EVENTS, FOLLOW, json!({})).send().await.unwrap().status(), status);
    }
}

#[tokio::test]
async fn a_mutation_for_a_stream_does_nothing() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    let query = "mutation($input: RedeemAidCardInput!) { redeemAidCard(input: $input) { replayed } }";
    let input = json!({ "input": crate::harness::till::sale(&card, "1.00", "R1") });
    let refused = shop.post(EVENTS, query, input).send().await.unwrap();
    assert_eq!(refused.status(), 406);
    assert_eq!(shop.balance(&card).await, "200.00");
}

/// GraphQL over SSE: what is wrong with a document comes through the stream that the client accepts.
#[tokio::test]
async fn a_faulty_subscription_is_told_so_and_ends() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let deep = format!("subscription {{ events {{ {} }} }}", "subject { id ".repeat(20) + &"} ".repeat(20));
    for (document, error) in [
        ("subscription {", "GRAPHQL_PARSE_FAILED"),
        ("subscription { events { nonsense } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { settlements { id } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { events { subject { ... on Settlement { id } } } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { a: events { kind } b: events { kind } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { ...F } fragment F on Subscription { events { kind } }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription { __typename }", "GRAPHQL_VALIDATION_FAILED"),
        ("subscription($a: String!) { events(after: $a) { kind } }", "BAD_USER_INPUT"),
        ("subscription { events(after: \"nonsense\") { kind } }", "BAD_USER_INPUT"),
        (
            "subscription { events(after: \"settlement_01h455vb4pex5vsknk084sn02q\") { kind } }",
            "BAD_USER_INPUT",
        ),
        (&deep, "LIMIT_EXCEEDED"),
    ] {
        assert_eq!(shop.stream(document, json!({})).await.end().await, error, "{document}");
    }
    let many = (0..Bounds::default().of_partner + 1).map(|_| shop.stream("subscription { x }", json!({})));
    for stream in futures_util::future::join_all(many).await {
        assert_eq!(stream.end().await, "GRAPHQL_VALIDATION_FAILED", "it takes no place");
    }
}

#[tokio::test]
async fn the_fields_of_an_event_come_as_they_were_asked_for() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    district.sell(&shop, 1).await;
    let query = "subscription { it: events { what: kind subject { __typename ...R } __typename } } fragment R on Redemption { amount key }";
    let mut stream = shop.stream(query, json!({})).await;
    assert_eq!(stream.block().await.as_deref(), Some(":"));
    let block = stream.block().await.unwrap();
    let data = block.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
    assert!(
        data.starts_with(
            r#"{"data":{"it":{"what":"redemption.redeemed","subject":{"__typename":"Redemption","amount":"1.00","key":"#
        ) && data.ends_with(r#"},"__typename":"Event"}}}"#),
        "{data}"
    );
    let blind = district.partner_with(SHOP, &[Scope::EventRead]).await;
    assert_eq!(blind.follow(None).await.told().await["subject"], Value::Null);
}

#[tokio::test]
async fn a_look_at_personal_data_is_recorded() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let settled = hospital.settle(&bill(&patient)).await.done("settle").text("settle.settlement.id");
    district.gate.number_events().await.unwrap();
    district.gate.write_looks().await.unwrap();
    let looks = format!(
        "SELECT COUNT(*) FROM audit_record WHERE act = 'events' AND outcome = 'LOOKED' AND subject = '{settled}' AND origin = '127.0.0.1'"
    );
    for (field, recorded) in [("id", 0), ("patientName", 1)] {
        let query = format!("subscription {{ events {{ subject {{ ... on Settlement {{ {field} }} }} }} }}");
        let said = hospital.stream(&query, json!({})).await.next().await.unwrap();
        assert_eq!(said.error(), "");
        district.gate.write_looks().await.unwrap();
        assert_eq!(district.database.number(&looks).await, recorded, "{field}");
    }
}

/// A page, and how many events it told with how many statements.
async fn page(gateway: &Gateway, slice: &Slice, query: &str) -> (usize, u32) {
    let asked = Asked { query: query.into(), operation_name: None, variables: Map::new(), read_only: false };
    let subscribed = gateway.subscribe(slice, Language::English, asked, Bookmark::default()).unwrap();
    let follower = subscribed.follower.ok().unwrap();
    let (told, statements) =
        counting(gateway.page(slice.clone(), &follower).unwrap().collect::<Vec<_>>()).await;
    assert!(told.iter().all(|told| told.response.errors.is_empty()));
    (told.len(), statements)
}

#[tokio::test]
async fn a_look_at_the_feed_takes_so_many_statements_however_much_it_finds() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let (gateway, slice) = (Gateway::default(), district.slice(SHOP).await);
    let bare = "subscription { events { cursor at kind } }";
    let subjects = "subscription { events { kind subject { id ... on Redemption { amount supermarket { code } statement { month } } } } }";
    assert_eq!(page(&gateway, &slice, subjects).await, (0, 1));
    district.sell(&shop, 2).await;
    assert_eq!(page(&gateway, &slice, bare).await, (2, 1));
    let few = page(&gateway, &slice, subjects).await;
    district.sell(&shop, 40).await;
    assert_eq!(page(&gateway, &slice, bare).await, (20, 1));
    let many = page(&gateway, &slice, subjects).await;
    assert_eq!((few.0, many.0), (2, 20));
    assert_eq!(few.1, many.1, "as many for twenty as for two");
    assert!(many.1 <= 5, "{}", many.1);
}
