//! What every answer carries, how large the head of a request may be, and whose word on where it comes from is taken.

use entity::kinds::{Category, Scope};
use onestop::http::proxies::Proxies;
use onestop::http::{App, Settings, serve, url_of};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::harness::District;
use crate::harness::district::{BUREAU, HOSPITAL};
use crate::harness::hospital::bill;

#[tokio::test]
async fn every_answer_has_the_headers_that_guard_it_and_none_of_cors() {
    let district = District::new().await;
    let client = reqwest::Client::new();
    for (path, cache) in [
        ("/graphql", "no-store"),
        ("/healthz", "no-store"),
        ("/readyz", "no-store"),
        ("/nothing", "no-store"),
        ("/audit/trail.csv", "no-store"),
        ("/.well-known/jwks.json", "public, max-age=3600"),
    ] {
        for method in [reqwest::Method::GET, reqwest::Method::OPTIONS] {
            let asked = client.request(method.clone(), format!("{}{path}", district.url));
            let asked = asked
                .header("origin", "https://evil.example")
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", "authorization");
            let answer = asked.send().await.unwrap();
            let headers = answer.headers();
            for (name, value) in [
                ("x-content-type-options", "nosniff"),
                ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
                ("x-frame-options", "DENY"),
                ("referrer-policy", "no-referrer"),
                ("cross-origin-resource-policy", "same-origin"),
            ] {
                assert_eq!(headers[name], value, "{method} {path}");
                assert_eq!(headers.get_all(name).iter().count(), 1, "{method} {path}");
            }
            if method == reqwest::Method::GET {
                assert_eq!(headers["cache-control"], cache, "{path}");
            }
            assert!(headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{path}");
        }
    }
}

/// The status line of the answer to what is sent as it is.
async fn raw(address: &str, sent: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    // The server may close before it has read everything.
    let _ = stream.write_all(sent).await;
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).await.unwrap_or_default();
    String::from_utf8_lossy(&answer[..length]).lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn a_head_has_a_largest_size() {
    let district = District::new().await;
    let address = district.url.trim_start_matches("http://");
    let with =
        |headers: String| format!("GET /healthz HTTP/1.1\r\nhost: x\r\n{headers}connection: close\r\n\r\n");
    let many = |count: usize| (0..count).map(|at| format!("x-{at}: 1\r\n")).collect::<String>();
    for (headers, status) in [
        (format!("x: {}\r\n", "a".repeat(20_000)), "200"),
        (format!("x: {}\r\n", "a".repeat(300_000)), "431"),
        (many(90), "200"),
        (many(200), "431"),
    ] {
        let line = raw(address, with(headers).as_bytes()).await;
        assert!(line.starts_with(&format!("HTTP/1.1 {status} ")), "{status}: {line}");
    }
}

#[tokio::test]
async fn the_audit_believes_trusted_proxies_alone() {
    let district = District::with_medical_assistance().await;
    let patient = district.person("李小明", &[Category::Dibao]).await;
    let hospital = district.partner(HOSPITAL).await;
    let auditor = district.partner_with(BUREAU, &[Scope::AuditRead]).await;
    let forwarded = "8.8.8.8, 198.51.100.7";
    for (number, (trusted, origin)) in
        [("127.0.0.0/8", "198.51.100.7"), ("10.0.0.0/8", "127.0.0.1")].into_iter().enumerate()
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = url_of(listener.local_addr().unwrap());
        let (_stop, stopped) = watch::channel(false);
        let proxies = Proxies::new(vec![trusted.parse().unwrap()]);
        tokio::spawn(serve(
            listener,
            App::new(district.gate.clone()).set(Settings { proxies, ..Settings::default() }),
            stopped,
        ));
        let query = "mutation($input: SettleInput!) { settle(input: $input) { settlement { id } userErrors { code } } }";
        let month = number + 1;
        let stay = bill(&patient).stay(&format!("2016-0{month}-01"), &format!("2016-0{month}-10"));
        let input = json!({ "key": format!("K{number}"), "bill": stay.0 });
        let asked = reqwest::Client::new().post(format!("{url}/graphql")).bearer_auth(&hospital.token);
        let asked = asked
            .header("x-forwarded-for", forwarded)
            .json(&json!({ "query": query, "variables": { "input": input } }));
        let answer: serde_json::Value = asked.send().await.unwrap().json().await.unwrap();
        let settled = answer["data"]["settle"]["settlement"]["id"].as_str();
        let settled = settled.unwrap_or_else(|| panic!("{trusted}: {answer}")).to_owned();
        let trail = "{ auditTrail(first: 100) { nodes { subject origin } } }";
        let trail = auditor.ask(trail, json!({})).await.fine();
        let records = trail.at("auditTrail.nodes").as_array().unwrap();
        let record = records.iter().find(|record| record["subject"] == settled.as_str()).unwrap();
        assert_eq!(record["origin"], origin, "{trusted}");
    }
}
