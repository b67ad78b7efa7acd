//! The program itself, run as its user runs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::pkcs8::EncodePrivateKey;
use ed25519_dalek::{Signer, SigningKey};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use migration::{Migrator, MigratorTrait};
use serde_json::{Value, json};

use crate::harness::database::Fresh;
use crate::harness::district::SHOP;
use crate::harness::follower::Stream;
use crate::harness::till::sale;
use crate::harness::{District, Partner};

fn onestop(folder: &std::path::Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onestop"));
    command.current_dir(folder).env_remove("DATABASE_URL").env_remove("ONESTOP_CONFIG");
    command
}

fn run(command: &mut Command) -> Output {
    command.output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_demo_prints_what_a_script_needs_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = Fresh::new().await;
    let mut command = onestop(folder.path());
    command.args(["demo", "--json", "--listen", "127.0.0.1:0", "--database", &fresh.url]);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(running.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let printed: Value = serde_json::from_str(&line).unwrap();
    let url = printed["url"].as_str().unwrap();
    let partners = printed["partners"].as_array().unwrap();
    assert_eq!(partners.len(), 34);
    let settle =
        printed["requests"].as_array().unwrap().iter().find(|request| request["name"] == "settle").unwrap();
    let hospital = partners.iter().find(|partner| partner["code"] == settle["partner"]).unwrap();
    assert!(hospital["scopes"].as_array().unwrap().contains(&json!("SETTLEMENT_WRITE")));
    let token = hospital["token"].as_str().unwrap().to_owned();
    let hospital = Partner::new("", token.clone(), url);
    let query = settle["query"].as_str().unwrap();
    let reply = hospital.ask(query, settle["variables"].clone()).await.done("settle");
    assert_eq!(reply.text("settle.settlement.status"), "SETTLED");
    let follow = &printed["follow"];
    let (query, variables) = (follow["query"].as_str().unwrap(), follow["variables"].clone());
    assert_eq!((&follow["partner"], &follow["accept"]), (&settle["partner"], &json!("text/event-stream")));
    assert_eq!(hospital.stream(query, variables).await.told().await["kind"], "settlement.settled");
    assert_eq!(reqwest::get(format!("{url}/readyz")).await.unwrap().status(), 200);

    let receipt = reply.text("settle.receipt");
    let keys = reqwest::get(format!("{url}/.well-known/jwks.json")).await.unwrap().text().await.unwrap();
    std::fs::write(folder.path().join("jwks.json"), keys).unwrap();
    for with in [vec![], vec!["--data", "data"], vec!["--jwks", "jwks.json"]] {
        let output = run(onestop(folder.path()).args(["receipt", "verify"]).args(with).arg(&receipt));
        assert!(output.status.success(), "{}", said(&output));
        assert!(said(&output).contains(&reply.text("settle.settlement.assistance")), "{}", said(&output));
    }

    for arguments in [["--export", "head.json"], ["--head", "head.json"]] {
        let mut audit = onestop(folder.path());
        let audited = run(audit.args(["audit", "--database", &fresh.url]).args(arguments));
        assert_eq!(audited.status.code(), Some(0), "beside the server: {}", said(&audited));
        assert!(said(&audited).contains("0 difference(s)"), "{}", said(&audited));
    }

    let mut revoke = onestop(folder.path());
    let revoked = run(revoke.args(["token", "revoke", "--database", &fresh.url, &token]));
    assert!(revoked.status.success(), "{}", said(&revoked));
    let told = Instant::now();
    while hospital.ask("{ viewer { scopes } }", json!({})).await.status != 401 {
        assert!(told.elapsed() < Duration::from_secs(5), "a revoked token still works");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let told = Instant::now();
    Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap();
    let status = loop {
        if let Some(status) = running.0.try_wait().unwrap() {
            break status;
        }
        assert!(told.elapsed() < Duration::from_secs(10), "it does not stop");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(status.success());
}

/// What stands between two single quotes behind a word.
fn quoted<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    text.split(word).skip(1).filter_map(|rest| rest.split('\'').nth(1)).collect()
}

#[tokio::test]
async fn the_demo_prints_how_to_follow_what_happens() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = Fresh::new().await;
    let mut command = onestop(folder.path());
    command.args(["demo", "--listen", "127.0.0.1:0", "--database", &fresh.url]);
    let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
    let lines = BufReader::new(running.0.stdout.take().unwrap()).lines().map(Result::unwrap);
    let printed: Vec<String> = lines.take_while(|line| !line.starts_with("Serving")).collect();
    let printed = printed.join("\n");
    let (_, shown) = printed.split_once("# The hospital follows what happens").unwrap();
    let url = shown.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
    let mut ask = reqwest::Client::new().post(url).body(quoted(shown, " -d ")[0].to_owned());
    for header in quoted(shown, " -H ") {
        let (name, value) = header.split_once(": ").unwrap();
        ask = ask.header(name, value);
    }
    let mut stream = Stream::of(ask.send().await.unwrap());
    let told = stream.told().await;
    assert_eq!(told["kind"], "settlement.settled");
    assert_eq!(told["subject"]["__typename"], "Settlement");
    Command::new("kill").args(["-TERM", &running.0.id().to_string()]).status().unwrap();
    while stream.next().await.is_some_and(|said| said.event == "next") {}
    assert!(running.0.wait().unwrap().success(), "an open stream does not hold it up");
}

#[tokio::test]
async fn a_server_refuses_a_database_that_is_behind() {
    let folder = tempfile::tempdir().unwrap();
    let serve = run(onestop(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]));
    assert!(!serve.status.success());
    assert!(said(&serve).contains("onestop migrate"), "{}", said(&serve));
    let migrate = run(onestop(folder.path()).arg("migrate"));
    let steps = Migrator::migrations().len();
    assert!(
        migrate.status.success() && said(&migrate).contains(&format!("{steps} step(s) run")),
        "{}",
        said(&migrate)
    );
    let again = run(onestop(folder.path()).arg("migrate"));
    assert!(said(&again).contains("0 step(s) run"), "{}", said(&again));
}

#[tokio::test]
async fn faults_of_the_command_line_name_what_would_be_right() {
    let folder = tempfile::tempdir().unwrap();
    run(onestop(folder.path()).arg("migrate"));
    for (arguments, hint) in [
        (vec!["token", "--partner", "NOBODY"], "there is no partner NOBODY"),
        (vec!["token", "--partner", "X", "--scopes", "EVERYTHING"], "COVERAGE_READ"),
        (vec!["token", "--partner", "X", "--ttl", "soon"], "e.g. 12h"),
        (vec!["token", "revoke", "nonsense"], "no such live token"),
        (vec!["serve", "--listen", "8080"], "ONESTOP_LISTEN=127.0.0.1:8080"),
        (vec!["serve", "--database", "mysql://x"], "DATABASE_URL=postgres://"),
        (vec!["schema", "--as", "BANK"], "HOSPITAL"),
    ] {
        let output = run(onestop(folder.path()).args(&arguments));
        assert!(!output.status.success(), "{arguments:?}");
        assert!(said(&output).contains(hint), "{arguments:?}: {}", said(&output));
    }
}

#[tokio::test]
async fn a_database_with_other_keys_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let load = run(onestop(folder.path()).args(["demo", "--load-only"]));
    assert!(load.status.success(), "{}", said(&load));
    let keys = folder.path().join("data/keys");
    std::fs::remove_dir_all(&keys).unwrap();
    let refused = |why: &str| {
        let serve = run(onestop(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]));
        assert!(!serve.status.success() && said(&serve).contains(why), "{}", said(&serve));
    };
    refused("signing.pem is missing");
    assert!(!keys.exists(), "none are made in their place");
    onestop::access::Keys::in_folder(&keys).unwrap();
    refused("are not those of this database");
}

#[tokio::test]
async fn who_ends_a_token_makes_no_keys() {
    let folder = tempfile::tempdir().unwrap();
    let revoke = || run(onestop(folder.path()).args(["token", "revoke", "token_1"]));
    assert!(said(&revoke()).contains("there is no database data/onestop.db"), "{}", said(&revoke()));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    run(onestop(folder.path()).arg("migrate"));
    let told = revoke();
    assert!(!told.status.success());
    assert!(said(&told).contains("signing.pem is missing"), "{}", said(&told));
    assert!(!folder.path().join("data/keys").exists());
}

#[test]
fn the_schema_is_printed() {
    let output = run(Command::new(env!("CARGO_BIN_EXE_onestop")).arg("schema"));
    assert_eq!(String::from_utf8(output.stdout).unwrap(), onestop::schema::sdl());
    let shop =
        run(Command::new(env!("CARGO_BIN_EXE_onestop")).args(["schema", "--as", "charity_supermarket"]));
    let shop = String::from_utf8(shop.stdout).unwrap();
    assert!(shop.contains("redeemAidCard(") && !shop.contains("settle("), "{shop}");
}

#[tokio::test]
async fn fresh_leaves_a_database_alone_that_holds_something_else() {
    let folder = tempfile::tempdir().unwrap();
    let fresh = Fresh::new().await;
    fresh.change("CREATE TABLE ledger_of_somebody_else (amount integer)").await;
    fresh.change("INSERT INTO ledger_of_somebody_else VALUES (42)").await;
    let refused =
        run(onestop(folder.path()).args(["demo", "--fresh", "--load-only", "--database", &fresh.url]));
    assert!(!refused.status.success());
    assert!(said(&refused).contains("left alone"), "{}", said(&refused));
    assert_eq!(fresh.number("SELECT CAST(SUM(amount) AS bigint) FROM ledger_of_somebody_else").await, 42);
}

fn verify(folder: &std::path::Path, receipt: &str) -> Output {
    run(onestop(folder).args(["receipt", "verify", "--jwks", "jwks.json", receipt]))
}

#[tokio::test]
async fn a_receipt_is_verified_without_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let (receipt, keys, sold) = {
        let district = District::new().await;
        let shop = district.partner(SHOP).await;
        let sold = sale(&district.card("200.00").await, "80.05", "R1");
        let shape = "redemption { id } receipt";
        let reply = shop.act("redeemAidCard", sold.clone(), shape).await.done("redeemAidCard");
        let keys = reqwest::get(format!("{}/.well-known/jwks.json", district.url)).await.unwrap();
        let id = reply.text("redeemAidCard.redemption.id");
        (reply.text("redeemAidCard.receipt"), keys.text().await.unwrap(), (sold["key"].clone(), id))
    };
    std::fs::write(folder.path().join("jwks.json"), keys).unwrap();
    let printed = format!(
        "valid receipt, signed by onestop\n  mutation  redeemAidCard\n  key       {}\n  result    {}\n  \
         amount    80.05 CNY\n  partner   {SHOP}\n  at        2016-06-15T02:00:00.000000Z\n",
        sold.0.as_str().unwrap(),
        sold.1
    );
    let output = verify(folder.path(), &receipt);
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(said(&output), printed);
    std::fs::write(folder.path().join("receipt"), format!("{receipt}\n")).unwrap();
    let mut from_input = onestop(folder.path());
    from_input.args(["receipt", "verify", "--jwks", "jwks.json", "-"]);
    from_input.stdin(std::fs::File::open(folder.path().join("receipt")).unwrap());
    assert_eq!(said(&run(&mut from_input)), printed);
    let made: Vec<_> = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(made.len(), 2, "it makes no keys and no database: {made:?}");
}

#[tokio::test]
async fn a_forged_receipt_is_told_what_is_wrong_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let signing = SigningKey::from_bytes(&[7; 32]);
    let public = signing.verifying_key();
    let keys = json!({ "keys": [{ "kty": "OKP", "crv": "Ed25519", "kid": "k", "x": URL_SAFE_NO_PAD.encode(public.as_bytes()) }] });
    std::fs::write(folder.path().join("jwks.json"), keys.to_string()).unwrap();
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let sign = |header: &Value, claims: &Value| {
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = URL_SAFE_NO_PAD.encode(signing.sign(signed.as_bytes()).to_bytes());
        format!("{signed}.{signature}")
    };
    let header = json!({ "typ": "onestop-receipt+jws", "alg": "EdDSA", "kid": "k" });
    let claims = json!({ "iss": "onestop", "mutation": "settle", "key": "HIS-1", "result": "settlement_1", "amount": "1.00",
        "currency": "CNY", "partner": "H1", "at": "2016-06-15T02:00:00.000000Z" });
    let good = sign(&header, &claims);
    assert!(verify(folder.path(), &good).status.success(), "{}", said(&verify(folder.path(), &good)));
    let with = |of: &Value, member: &str, value: &str| {
        let mut changed = of.clone();
        changed[member] = json!(value);
        changed
    };
    let parts: Vec<&str> = good.split('.').collect();
    let none = part(&with(&header, "alg", "none"));
    let richer = part(&with(&claims, "amount", "100.00"));
    let of =
        |alg| Header { typ: Some("onestop-receipt+jws".into()), kid: Some("k".into()), ..Header::new(alg) };
    let secret = EncodingKey::from_secret(public.as_bytes());
    let by_secret = encode(&of(Algorithm::HS256), &claims, &secret).unwrap();
    let another = SigningKey::from_bytes(&[8; 32]).to_pkcs8_der().unwrap();
    let another = EncodingKey::from_ed_der(another.as_bytes());
    let by_another = encode(&of(Algorithm::EdDSA), &claims, &another).unwrap();
    for (forged, wrong) in [
        (format!("{none}.{}.", parts[1]), "its algorithm is \"none\""),
        (format!("{none}.{}.{}", parts[1], parts[2]), "its algorithm is \"none\""),
        (by_secret, "its algorithm is \"HS256\""),
        (by_another, "its signature is wrong"),
        (format!("{}.{richer}.{}", parts[0], parts[2]), "its signature is wrong"),
        (format!("{}.{}.", parts[0], parts[1]), "its signature is wrong"),
        (format!("{}.{}", parts[0], parts[1]), "was it copied whole?"),
        (good[..good.len() - 2].to_owned(), "its signature is wrong"),
        (sign(&with(&header, "typ", "at+jwt"), &claims), "its type is \"at+jwt\""),
        (sign(&with(&header, "kid", "other"), &claims), "its key \"other\" is not among the published keys"),
        (sign(&header, &with(&claims, "iss", "elsewhere")), "its issuer is \"elsewhere\""),
        (sign(&header, &json!({ "iss": "onestop", "sub": "H1" })), "not the content of a receipt"),
        ("nonsense".to_owned(), "was it copied whole?"),
    ] {
        let output = verify(folder.path(), &forged);
        assert!(!output.status.success() && output.stdout.is_empty(), "{wrong}: {}", said(&output));
        assert!(said(&output).contains("not a valid receipt: "), "{wrong}: {}", said(&output));
        assert!(said(&output).contains(wrong), "{wrong}: {}", said(&output));
    }
}

#[test]
fn keys_that_verify_no_receipt_are_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("empty.json"), "{\"keys\":[]}").unwrap();
    std::fs::write(folder.path().join("text.json"), "keys").unwrap();
    for (with, hint) in [
        (["--jwks", "missing.json"], "--jwks: missing.json cannot be read"),
        (["--jwks", "text.json"], "it is not a JSON object with `keys`"),
        (["--jwks", "empty.json"], "it holds no Ed25519 key for signatures"),
        (["--data", "nowhere"], "the keys in nowhere/keys cannot be used"),
    ] {
        let output = run(onestop(folder.path()).args(["receipt", "verify"]).args(with).arg("a.b.c"));
        assert!(!output.status.success(), "{with:?}");
        assert!(said(&output).contains(hint), "{with:?}: {}", said(&output));
    }
    assert!(!folder.path().join("nowhere").exists(), "verifying makes nothing");
}

#[cfg(unix)]
#[test]
fn data_and_keys_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let mut command = onestop(folder.path());
    assert!(run(command.args(["migrate", "--data", "private/data"])).status.success());
    let none = run(onestop(folder.path()).args(["token", "--data", "private/data", "--partner", "NOBODY"]));
    assert!(!none.status.success());
    for (place, mode) in
        [("private/data", 0o700), ("private/data/onestop.db", 0o600), ("private/data/keys", 0o700)]
    {
        let found = std::fs::metadata(folder.path().join(place)).unwrap().permissions().mode();
        assert_eq!(found & 0o777, mode, "{place}");
    }
}
