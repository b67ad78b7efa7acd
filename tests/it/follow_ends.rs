//! How a stream of events ends, and how many there are at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use entity::kinds::Scope;
use onestop::access::{Database, Gate, Keys};
use onestop::http::streams::Bounds;
use onestop::http::{App, serve, url_of};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::harness::district::{HOSPITAL, OTHER_SHOP, SHOP};
use crate::harness::follower::EVENTS;
use crate::harness::{District, Partner};

/// As short as a test may wait for what comes within half a second.
const SOON: Duration = Duration::from_secs(3);
/// A revoked token is dead by then.
const REVOKED_BY: Duration = Duration::from_secs(5);

const FOLLOW: &str = "subscription { events { cursor } }";

/// Another server for the same data, which a test may stop.
struct Server {
    url: String,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl Server {
    async fn of(gate: &Gate, bounds: Bounds) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url_of(listener.local_addr().unwrap());
        let (stop, stopped) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, App::with_bounds(gate.clone(), bounds), stopped));
        Self { url, stop, serving }
    }

    fn partner(&self, partner: &Partner) -> Partner {
        Partner::new(&partner.code, partner.token.clone(), &self.url)
    }
}

#[tokio::test]
async fn a_revoked_token_ends_the_stream() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let stream = shop.follow(None).await;
    let revoked = Instant::now();
    assert!(district.gate.revoke(&shop.token).await.unwrap());
    assert_eq!(stream.end().await, "UNAUTHENTICATED");
    assert!(revoked.elapsed() < REVOKED_BY, "{:?}", revoked.elapsed());
}

#[tokio::test]
async fn a_token_that_lost_its_scope_ends_the_stream() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let stream = shop.follow(None).await;
    let changed = Instant::now();
    district.database.change("UPDATE token SET scopes = 'CARD_READ'").await;
    assert_eq!(stream.end().await, "FORBIDDEN");
    assert!(changed.elapsed() < REVOKED_BY, "{:?}", changed.elapsed());
    let without = district.partner_with(SHOP, &[Scope::CardRead]).await;
    assert_eq!(without.follow(None).await.end().await, "FORBIDDEN");
}

#[tokio::test]
async fn no_stream_outlives_its_token() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let mut stream = shop.follow(None).await;
    district.wait(TimeDelta::days(30) - TimeDelta::seconds(1));
    stream.tells_nothing().await;
    district.wait(TimeDelta::seconds(10));
    let end = tokio::time::timeout(SOON, stream.end()).await.expect("within half a second");
    assert_eq!(end, "UNAUTHENTICATED");
}

#[tokio::test]
async fn a_partner_has_so_many_streams_at_once_and_a_lost_one_gives_its_place_back() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let mut open = Vec::new();
    for _ in 0..Bounds::default().of_partner {
        open.push(shop.follow(None).await);
    }
    let again = district.partner(SHOP).await;
    let refused = again.post(EVENTS, FOLLOW, json!({})).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (429, &"5".parse().unwrap()));
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "THROTTLED");
    assert!(body["errors"][0]["message"].as_str().unwrap().contains("4 streams"), "{body}");
    district.partner(OTHER_SHOP).await.follow(None).await.tells_nothing().await;
    // The client hangs up, and says nothing about it.
    open.pop();
    let hung_up = Instant::now();
    while shop.post(EVENTS, FOLLOW, json!({})).send().await.unwrap().status() != 200 {
        assert!(hung_up.elapsed() < SOON, "its place is not free");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn there_are_so_many_streams_in_all() {
    let district = District::new().await;
    let server = Server::of(&district.gate, Bounds { in_all: 1, ..Bounds::default() }).await;
    let shop = server.partner(&district.partner(SHOP).await);
    let hospital = server.partner(&district.partner(HOSPITAL).await);
    let stream = shop.follow(None).await;
    let refused = hospital.post(EVENTS, FOLLOW, json!({})).send().await.unwrap();
    assert_eq!((refused.status().as_u16(), &refused.headers()["retry-after"]), (503, &"5".parse().unwrap()));
    let body: Value = refused.json().await.unwrap();
    assert_eq!(body["errors"][0]["extensions"]["code"], "UNAVAILABLE");
    assert_eq!(hospital.ask("{ viewer { scopes } }", json!({})).await.status, 200, "streams alone are full");
    drop(stream);
}

#[tokio::test]
async fn a_server_that_stops_completes_its_streams() {
    let district = District::new().await;
    let server = Server::of(&district.gate, Bounds::default()).await;
    let stream = server.partner(&district.partner(SHOP).await).follow(None).await;
    server.stop.send(true).unwrap();
    assert_eq!(tokio::time::timeout(SOON, stream.end()).await.expect("at once"), "");
    tokio::time::timeout(SOON, server.serving).await.expect("nothing holds it up").unwrap();
}

#[tokio::test]
async fn a_silent_stream_says_that_it_is_there() {
    let district = District::new().await;
    let bounds = Bounds { silence: Duration::from_millis(50), ..Bounds::default() };
    let server = Server::of(&district.gate, bounds).await;
    let mut stream = server.partner(&district.partner(SHOP).await).follow(None).await;
    for _ in 0..5 {
        assert_eq!(stream.block().await.as_deref(), Some(":"));
    }
}

#[tokio::test]
async fn a_database_that_was_away_loses_nothing() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    district.sell(&shop, 2).await;
    let whole = shop.whole_feed().await;
    let keys = Arc::new(Keys::ephemeral().unwrap());
    let gate = async || {
        let database = Database::open(&district.database.url).await.unwrap();
        Gate::new(database, Arc::clone(&keys), district.gate.clock().clone())
    };
    let (first, second) = (gate().await, gate().await);
    let token =
        first.issue(SHOP, &[Scope::EventRead, Scope::CardRead], Duration::from_secs(60)).await.unwrap();
    let servers = [&first, &second].map(|gate| Server::of(gate, Bounds::default()));
    let [one, other] = futures_util::future::join_all(servers).await.try_into().ok().unwrap();
    let at = |server: &Server| Partner::new(SHOP, token.clone(), &server.url);
    let mut stream = at(&one).follow(None).await;
    assert_eq!(stream.told_all(2).await, whole);
    first.database().clone().close().await.unwrap();
    assert_eq!(stream.end().await, "UNAVAILABLE");
    district.sell(&shop, 1).await;
    let cursor = whole[1]["cursor"].as_str();
    assert_eq!(at(&other).follow(cursor).await.told_all(1).await, shop.whole_feed().await[2..]);
}
