//! A partner's own lines as a file, against what it is owed.

use chrono::TimeDelta;
use entity::kinds::{Category, Scope};
use futures_util::TryStreamExt;
use onestop::access::counting;
use onestop::files::reconciliation::{Asked, MOST_LINES, Theirs, differences};
use reqwest::Method;
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::district::{BUREAU, CARE, CF, DPF, HOSPITAL, OTHER_HOSPITAL, OTHER_SHOP, SHOP};
use crate::harness::hospital::bill;
use crate::harness::till::sale;
use crate::harness::{District, Partner};

const JUNE: &str = "from=2016-06-01&to=2016-06-30";
const HEADER: &str = "key,result,ours,theirs,remedy,matched,differences";

async fn settled_under(district: &District, hospital: &Partner, key: &str) -> String {
    let patient = district.person("李小明", &[Category::Dibao]).await;
    district.wait(TimeDelta::milliseconds(1));
    hospital.settle_under(key, &bill(&patient)).await.done("settle").text("settle.settlement.id")
}

#[tokio::test]
async fn a_file_is_compared_as_the_mutation_compares_lines() {
    let district = District::with_medical_assistance().await;
    let hospital = district.partner(HOSPITAL).await;
    for key in ["same", "=other amount", "not named", "undone by them"] {
        settled_under(&district, &hospital, key).await;
    }
    for key in ["undone", "undone by us", "undone and named"] {
        hospital.reverse(&settled_under(&district, &hospital, key).await).await.done("reverseSettlement");
    }
    settled_under(&district, &district.partner(OTHER_HOSPITAL).await, "another's").await;
    let lines = [
        ("same", "5040.00"),
        ("=other amount", "5040.01"),
        ("undone by them", "0.00"),
        ("undone by us", "5040.00"),
        ("undone and named", "0.00"),
        ("never came", "12.00"),
        ("refused by both", "0.00"),
    ];
    let reply = hospital.reconcile("2016-06-15", "2016-06-15", &lines).await.done("reconcile");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut expected: Vec<Vec<String>> = reply
        .at("reconcile.differences")
        .as_array()
        .unwrap()
        .iter()
        .map(|one| ["key", "result", "ours", "theirs", "remedy"].map(|field| text(&one[field])).to_vec())
        .collect();
    for difference in &mut expected {
        difference[0] = difference[0].replace("=other", "'=other");
    }
    expected.sort();
    let file: String = lines.iter().map(|(key, amount)| format!("\"{key}\",x,{amount}\r\n")).collect();
    let file = format!("\u{feff}key,note,amount\r\n{file}");
    let answer = hospital.upload("from=2016-06-15&to=2016-06-15", file).await;
    assert!(answer.text.starts_with(HEADER), "{}", answer.text);
    let mut found = answer.lines();
    let last = found.pop().unwrap();
    found.remove(0);
    let by_act: Vec<String> = found.iter().map(|line| line[0].clone()).collect();
    assert_eq!(
        by_act,
        ["'=other amount", "not named", "undone by them", "undone by us", "never came"],
        "as they happened"
    );
    for line in &mut found {
        assert_eq!(line.split_off(5), ["", ""]);
    }
    found.sort();
    assert_eq!(found, expected);
    let results: Vec<&str> = found.iter().map(|line| line[1].as_str()).collect();
    for result in ["AMOUNT_DIFFERS", "ONLY_OURS", "ONLY_THEIRS", "REVERSED_ONE_SIDE"] {
        assert!(results.contains(&result));
    }
    let matched = reply.at("reconcile.matched").to_string();
    assert_eq!(last, ["", "DIFFERS", "20160.00", "15132.01", "", &matched, "5"]);
    assert_eq!(
        answer.header("content-disposition"),
        "attachment; filename=\"reconciliation-2016-06-15-2016-06-15.csv\""
    );
    assert_eq!(answer.header("cache-control"), "no-store");
    let operations = "SELECT COUNT(*) FROM operation WHERE mutation = 'reconcile'";
    assert_eq!(district.database.number(operations).await, 0, "it takes no key");
}

#[tokio::test]
async fn a_file_that_was_downloaded_can_be_uploaded_as_it_is() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    let mut sold = Vec::new();
    for (key, receipt) in [("=one", "R1"), ("'-two", "R2"), ("three", "R3")] {
        let mut sale = sale(&card, "20.00", receipt);
        sale["key"] = key.into();
        sold.push(shop.redeem(sale).await.done("redeemAidCard").text("redeemAidCard.redemption.id"));
    }
    shop.refund(&sold[0], Some("5.00")).await.done("refundRedemption");
    shop.void("three").await.done("voidOperation");
    let file = shop.download(&shop.csv_path("2016-06").await).await.text;
    let answer = shop.upload(JUNE, file.clone()).await;
    assert_eq!(answer.text, format!("{HEADER}\r\n,AGREED,35.00,35.00,,3,0\r\n"));
    let same = shop.upload(&format!("{JUNE}&fund=CHARITY"), file.clone()).await;
    assert_eq!(same.text, answer.text);
    let other = shop.upload(&format!("{JUNE}&fund=FISCAL"), file).await.lines();
    assert_eq!(other.last().unwrap(), &["", "DIFFERS", "0.00", "35.00", "", "1", "2"]);
}

#[tokio::test]
async fn acts_of_one_moment_are_each_compared_once_also_over_many_pages() {
    let district = District::new().await;
    let (_, laid) = district.statement_of(SHOP, 2_500, |_, _| {}).await;
    let shop = district.partner(SHOP).await;
    let line = |line: &entity::entry::Model| {
        format!("{},{}\n", line.operation_key, line.amount.negated().unwrap().to_yuan())
    };
    let file: String = laid.iter().rev().map(line).collect();
    let answer = shop.upload(JUNE, format!("key,amount\n{file}")).await;
    assert_eq!(answer.text, format!("{HEADER}\r\n,AGREED,31262.50,31262.50,,2500,0\r\n"));
    let answer = shop.upload(JUNE, format!("key,amount\n{}", file.replace("act 1700,", "act x,"))).await;
    let found: Vec<String> = answer.lines()[1..].iter().map(|line| line.join("|")).collect();
    assert_eq!(
        found,
        [
            "act 1700|ONLY_OURS|17.01||voidOperation||",
            "act x|ONLY_THEIRS||17.01|redeemAidCard||",
            "|DIFFERS|31262.50|31262.50||2499|2"
        ],
        "totals that match while lines do not"
    );
    assert_eq!(
        shop.reconcile("2016-06-01", "2016-06-30", &[])
            .await
            .done("reconcile")
            .at("reconcile.differences")
            .as_array()
            .unwrap()
            .len(),
        2_500
    );
    let elsewhere = shop.upload("from=2016-06-16&to=2016-06-30", "key,amount\n").await;
    assert_eq!(elsewhere.text, format!("{HEADER}\r\n,AGREED,0.00,0.00,,0,0\r\n"));
}

/// As many lines as are taken, with the longest keys.
fn largest() -> String {
    let lines: String = (0..MOST_LINES).map(|number| format!("{number:0>128},9999999999.99\r\n")).collect();
    format!("key,amount\r\n{lines}")
}

#[tokio::test]
async fn two_hundred_thousand_lines_are_compared_in_a_few_statements_and_answered_in_pieces() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let card = district.card("200.00").await;
    shop.sell(&card, "20.00", "R1").await;
    let file = largest();
    let comparing = async {
        let mut theirs = Theirs::default();
        for piece in file.as_bytes().chunks(64 * 1024) {
            theirs.take(piece).unwrap();
        }
        let slice = district.slice(SHOP).await;
        let kind = slice.viewer().kind();
        let asked = Asked::of(Some("2016-06-01"), Some("2016-06-30"), None, kind).unwrap();
        let pieces = differences(slice, asked, theirs.end().unwrap());
        pieces
            .try_fold((0, 0), |(lines, largest), piece| async move {
                Ok((lines + piece.split(|byte| *byte == b'\n').count() - 1, largest.max(piece.len())))
            })
            .await
            .unwrap()
    };
    let ((lines, largest_piece), statements) = counting(comparing).await;
    assert_eq!(lines, MOST_LINES as usize + 3);
    assert!(largest_piece < 256 * 1024, "{largest_piece}");
    // Four of them issue and judge the token.
    assert!(statements <= 6, "{statements}");
    let answer = shop.upload(JUNE, file.clone()).await;
    assert_eq!(answer.text.lines().count(), lines);
    assert!(answer.text.ends_with(",DIFFERS,20.00,1999999999998000.00,,0,200001\r\n"));
    let (status, code, message) = shop.upload(JUNE, format!("{file}one too many,1.00\r\n")).await.refusal();
    assert_eq!((status, code.as_str()), (413, "LIMIT_EXCEEDED"));
    assert!(message.starts_with("Line 200002: A file holds at most 200000 lines"), "{message}");
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_refused_by_its_line() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let gbk = b"key,amount\r\nk1,1.00\r\n\xc8\xea\xba\xd3,1.00\r\n".to_vec();
    let long = format!("key,amount,note\nk1,1.00,\"{}\nk2,1.00,\n", "x".repeat(20_000));
    for (file, why) in [
        (Vec::new(), "Line 1: The file is empty"),
        (b"k1,1.00\r\n".to_vec(), "Line 1: The first line must name the columns"),
        (b"key;amount\r\nk1;1.00\r\n".to_vec(), "Line 1: The first line must name the columns"),
        (gbk, "Line 3: This line is not UTF-8"),
        (b"key,amount\r\nk1,1.00\r\nk2,1.005\r\n".to_vec(), "Line 3: The amount must be yuan"),
        (b"key,amount\nk1\n".to_vec(), "Line 2: This line has 1 cells, and the header has 2."),
        (b"key,amount\n,1.00\n".to_vec(), "Line 2: The key must be 1 to 128 printable ASCII characters"),
        (b"key,amount\nk1,\"1.00\n".to_vec(), "Line 2: A cell begins with a quotation mark"),
        (long.into_bytes(), "Line 2: A line holds at most"),
    ] {
        let answer = shop.upload(JUNE, file).await;
        let (status, code, message) = answer.refusal();
        assert_eq!((status, code.as_str()), (400, "BAD_USER_INPUT"), "{message}");
        assert!(message.starts_with(why), "{message}");
        let line: u64 = why["Line ".len()..].split(':').next().unwrap().parse().unwrap();
        let body: Value = serde_json::from_str(&answer.text).unwrap();
        assert_eq!(body["errors"][0]["extensions"]["line"], line);
    }
    // A refused line in a large file is told, although the client still sends.
    let large = format!("key,amount\nk1,1.005\n{}", "k2,1.00\n".repeat(1_000_000));
    assert!(shop.upload(JUNE, large).await.refusal().2.starts_with("Line 2:"));
}

#[tokio::test]
async fn days_and_funds_that_make_no_sense_are_refused() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    for (query, code, why) in [
        ("", "BAD_USER_INPUT", "`from` is missing"),
        ("from=2016-06-01", "BAD_USER_INPUT", "`to` is missing"),
        ("from=2016-06-31&to=2016-07-01", "BAD_USER_INPUT", "`from` must be a calendar date"),
        ("from=2016-06-01T00:00:00Z&to=2016-06-30", "BAD_USER_INPUT", "`from` must be a calendar date"),
        ("from=2016-06-16&to=2016-06-15", "BAD_USER_INPUT", "`from` must not be after `to`"),
        ("from=2015-06-15&to=2016-06-15", "BAD_USER_INPUT", "366"),
        ("from=2016-06-01&to=2016-06-30&fund=BOTH", "BAD_USER_INPUT", "`fund` must be FISCAL or CHARITY"),
        ("from=2016-06-01&to=2016-06-30&found=FISCAL", "BAD_REQUEST", "nothing else"),
        ("from=2016-06-01&from=2016-06-02&to=2016-06-30", "BAD_REQUEST", "more than once"),
    ] {
        let (status, found, message) = shop.upload(query, "key,amount\n").await.refusal();
        assert_eq!((status, found.as_str()), (400, code), "{query}");
        assert!(message.contains(why), "{query}: {message}");
    }
}

#[tokio::test]
async fn an_upload_is_guarded_as_graphql_is() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let url = format!("{}/reconcile?{JUNE}", district.url);
    let client = reqwest::Client::new();
    let post = |kind: &'static str| client.post(&url).header("content-type", kind).body("key,amount\n");
    assert_eq!(post("text/csv").send().await.unwrap().status(), 401);
    assert_eq!(post("text/csv").bearer_auth("nonsense").send().await.unwrap().status(), 401);
    for kind in ["application/json", "text/plain", "text/csv; charset=gbk", "multipart/form-data; boundary=x"]
    {
        assert_eq!(post(kind).bearer_auth(&shop.token).send().await.unwrap().status(), 415, "{kind}");
    }
    for kind in ["text/csv; charset=UTF-8", "Text/CSV; header=present"] {
        assert_eq!(post(kind).bearer_auth(&shop.token).send().await.unwrap().status(), 200, "{kind}");
    }
    for method in [Method::GET, Method::PUT, Method::HEAD] {
        let answer = shop.ask_for(method.clone(), &format!("/reconcile?{JUNE}")).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"), "{method}");
    }
    let without = district.partner_with(SHOP, &[Scope::CardRead]).await;
    assert_eq!(without.upload(JUNE, "key,amount\n").await.refusal().1, "FORBIDDEN");
    let other = district.partner(DPF).await;
    assert_eq!(other.upload(JUNE, "key,amount\n").await.refusal().0, 404);
    let mut announced = raw_upload(&district, &shop, 64 * 1024 * 1024 + 1).await;
    assert!(answered(&mut announced).await.starts_with("HTTP/1.1 413"));
}

/// An upload whose head alone is sent.
async fn raw_upload(district: &District, partner: &Partner, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(district.url.strip_prefix("http://").unwrap()).await.unwrap();
    let head = format!(
        "POST /reconcile?{JUNE} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\ncontent-type: text/csv\r\nexpect: 100-continue\r\ncontent-length: {bytes}\r\n\r\n",
        partner.token
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream
}

/// An upload that has its place, and of which nothing but the first line comes: the server asks for the body once it has one.
async fn slow_upload(district: &District, partner: &Partner) -> TcpStream {
    let mut stream = raw_upload(district, partner, 1_000).await;
    assert_eq!(answered(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"key,amount\n").await.unwrap();
    stream
}

async fn answered(stream: &mut TcpStream) -> String {
    let mut answer = vec![0; 4096];
    let many = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..many]).into_owned()
}

#[tokio::test]
async fn four_files_are_taken_at_once_and_one_of_each_partner() {
    let district = District::new().await;
    let shop = district.partner(SHOP).await;
    let first = slow_upload(&district, &shop).await;
    let refused = shop.upload(JUNE, "key,amount\n").await;
    assert_eq!((refused.refusal().0, refused.refusal().1.as_str()), (503, "UNAVAILABLE"));
    assert_eq!(refused.header("retry-after"), "5");
    let mut slow = Vec::new();
    for code in [OTHER_SHOP, HOSPITAL, CF] {
        slow.push(slow_upload(&district, &district.partner(code).await).await);
    }
    let care = district.partner(CARE).await;
    assert_eq!(care.upload(JUNE, "key,amount\n").await.status, 503);
    assert_eq!(district.partner(BUREAU).await.upload(JUNE, "key,amount\n").await.status, 503);
    let graphql = shop.ask("{ viewer { scopes } }", serde_json::json!({})).await;
    assert_eq!(graphql.status, 200, "everything else goes on");
    drop(first);
    while care.upload(JUNE, "key,amount\n").await.status != 200 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
