//! The program itself, run as its user runs it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::harness::Partner;
use crate::harness::database::Fresh;

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
    assert_eq!(reqwest::get(format!("{url}/readyz")).await.unwrap().status(), 200);

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

#[tokio::test]
async fn a_server_refuses_a_database_that_is_behind() {
    let folder = tempfile::tempdir().unwrap();
    let serve = run(onestop(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]));
    assert!(!serve.status.success());
    assert!(said(&serve).contains("onestop migrate"), "{}", said(&serve));
    let migrate = run(onestop(folder.path()).arg("migrate"));
    assert!(migrate.status.success() && said(&migrate).contains("9 step(s) run"), "{}", said(&migrate));
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
    std::fs::remove_dir_all(folder.path().join("data/keys")).unwrap();
    let serve = run(onestop(folder.path()).args(["serve", "--listen", "127.0.0.1:0"]));
    assert!(!serve.status.success());
    assert!(said(&serve).contains("are not those of this database"), "{}", said(&serve));
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
