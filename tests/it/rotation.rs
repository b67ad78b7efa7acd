//! Signing keys are rotated while servers run, and what the old ones signed stays verifiable.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{TimeDelta, Utc};
use entity::kinds::{Category, Scope};
use jsonwebtoken::{EncodingKey, Header, decode_header, encode};
use onestop::access::{Database, Finding, Gate, Keys};
use serde_json::{Value, json};

use crate::harness::database::Fresh;
use crate::harness::district::{HOSPITAL, OFFICE};
use crate::harness::hospital::bill;
use crate::harness::partner::new_key;
use crate::harness::{District, Policy};

const VIEWER: &str = "{ viewer { scopes } }";

/// A district whose keys lie in a data folder.
struct Office {
    folder: tempfile::TempDir,
    district: District,
}

impl Office {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = Keys::in_folder(&folder.path().join("data/keys")).unwrap();
        let now = "2016-06-15T02:00:00Z".parse().unwrap();
        let district = District::founded_on(Fresh::new().await, keys, now).await;
        district.policy(Policy::medical(&district)).await;
        Self { folder, district }
    }

    fn keys(&self) -> PathBuf {
        self.folder.path().join("data/keys")
    }

    /// Rotates at the district's time, and tells the new `kid`.
    fn rotate(&self) -> String {
        Keys::rotate_in_folder(&self.keys(), self.district.now()).unwrap().1
    }

    async fn published(&self) -> Vec<String> {
        kids(&self.district.url).await
    }
}

async fn kids(url: &str) -> Vec<String> {
    let set: Value =
        reqwest::get(format!("{url}/.well-known/jwks.json")).await.unwrap().json().await.unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

fn onestop(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onestop"));
    command.current_dir(folder).env_remove("DATABASE_URL").env_remove("ONESTOP_CONFIG").args(arguments);
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

fn kid_of(signed: &str) -> String {
    let header = URL_SAFE_NO_PAD.decode(signed.split('.').next().unwrap()).unwrap();
    serde_json::from_slice::<Value>(&header).unwrap()["kid"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_old_keys_signed_is_good_after_a_rotation() {
    let office = Office::new().await;
    let district = &office.district;
    let before = district.partner(HOSPITAL).await;
    let mut expected = vec![kid_of(&before.token)];
    let mut receipts = Vec::new();
    for rotations in 0..3 {
        if rotations > 0 {
            district.wait(TimeDelta::seconds(1));
            expected.insert(0, office.rotate());
            district.gate.reload_keys().await.unwrap();
        }
        assert_eq!(office.published().await, expected, "the active one first");
        assert_eq!(kid_of(&district.partner(HOSPITAL).await.token), expected[0]);
        let patient = district.person("李小明", &[Category::Dibao]).await;
        let input = json!({ "key": new_key(), "bill": bill(&patient).0 });
        let done = before.act("settle", input, "receipt").await.done("settle");
        receipts.push(done.text("settle.receipt"));
        assert_eq!(kid_of(receipts.last().unwrap()), expected[0]);
        while district.gate.seal_records().await.unwrap() > 0 {}
    }
    let sealed_by = "SELECT COUNT(DISTINCT key_id) FROM seal";
    assert_eq!(district.database.number(sealed_by).await, 3);
    let mut findings: Vec<Finding> = Vec::new();
    district.gate.audit(&[], &mut |finding| findings.push(finding)).await.unwrap();
    assert_eq!(findings, []);
    let folder = office.folder.path();
    let audit = onestop(folder, &["audit", "--database", &district.database.url]).output().unwrap();
    assert_eq!(audit.status.code(), Some(0), "{}", said(&audit));
    for receipt in &receipts {
        let verified = onestop(folder, &["receipt", "verify", receipt]).output().unwrap();
        assert!(verified.status.success(), "{}", said(&verified));
    }
    // Without the file of the first key, its seals and receipts are nobody's.
    std::fs::remove_file(office.keys().join(format!("retired-{}.json", expected[2]))).unwrap();
    let audit = onestop(folder, &["audit", "--database", &district.database.url]).output().unwrap();
    assert_eq!(audit.status.code(), Some(1));
    for found in ["seal.signature", "receipt.signature"] {
        assert!(said(&audit).contains(found), "{found}: {}", said(&audit));
    }
}

#[tokio::test]
async fn a_token_of_a_new_key_opens_a_server_that_has_not_heard_of_it() {
    let office = Office::new().await;
    let new = office.rotate();
    let database = Database::open(&office.district.database.url).await.unwrap();
    let keys = Arc::new(Keys::kept_in_folder(&office.keys()).unwrap());
    let elsewhere =
        Gate::new(database, keys, office.district.gate.clock().clone()).issuing_as(&office.district.url);
    let token = elsewhere.issue(OFFICE, &[Scope::ReferralRead], Duration::from_secs(60)).await.unwrap();
    assert_eq!(decode_header(&token).unwrap().kid, Some(new));
    let mut partner = office.district.partner(OFFICE).await;
    partner.token = token.clone();
    let (one, other) = tokio::join!(partner.ask(VIEWER, json!({})), partner.ask(VIEWER, json!({})));
    assert_eq!((one.status, other.status), (200, 200));
    // A folder that cannot be read leaves the server with the keys it has.
    std::fs::write(office.keys().join("signing.pem"), "nonsense").unwrap();
    assert!(office.district.gate.reload_keys().await.is_err());
    assert_eq!(partner.ask(VIEWER, json!({})).await.status, 200);
}

#[tokio::test]
async fn a_retired_key_makes_no_tokens() {
    let office = Office::new().await;
    let district = &office.district;
    let pem = std::fs::read(office.keys().join("signing.pem")).unwrap();
    let stolen = EncodingKey::from_ed_pem(&pem).unwrap();
    let real = district.partner(OFFICE).await;
    let kid = Some(kid_of(&real.token));
    let claims: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(real.token.split('.').nth(1).unwrap()).unwrap())
            .unwrap();
    let header = Header { typ: Some("at+jwt".into()), kid, ..Header::new(jsonwebtoken::Algorithm::EdDSA) };
    let retired = district.now().timestamp();
    let issued = |seconds: i64| {
        let mut claims = claims.clone();
        claims["iat"] = json!(retired + seconds);
        encode(&header, &claims, &stolen).unwrap()
    };
    assert!(district.gate.enter(&issued(3600)).await.is_ok(), "the active one may");
    office.rotate();
    district.gate.reload_keys().await.unwrap();
    assert_eq!(real.ask(VIEWER, json!({})).await.status, 200, "issued before");
    for (seconds, opens) in [(-1, true), (30, true), (31, false), (3601, false), (i64::MAX - retired, false)]
    {
        assert_eq!(district.gate.enter(&issued(seconds)).await.is_ok(), opens, "{seconds} s after");
    }
    district.wait(TimeDelta::days(31));
    assert!(district.gate.enter(&real.token).await.is_err(), "it expires as any");
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_running_server_takes_the_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let fresh = Fresh::new().await;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let with = ["--database", fresh.url.as_str()];
    let migrated = onestop(folder, &[&["migrate"], &with[..]].concat()).output().unwrap();
    assert!(migrated.status.success(), "{}", said(&migrated));
    let mut serve = onestop(folder, &[&["serve", "--listen", &free], &with[..]].concat());
    let _running = Running(serve.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let url = format!("http://{free}");
    let started = Instant::now();
    while reqwest::get(format!("{url}/healthz")).await.is_err() {
        assert!(started.elapsed() < Duration::from_secs(20), "it does not start");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let first = kids(&url).await;
    let began = Utc::now();
    let rotated = onestop(folder, &["keys", "rotate"]).output().unwrap();
    assert!(rotated.status.success() && said(&rotated).contains(&first[0]), "{}", said(&rotated));
    let told = Instant::now();
    let both = loop {
        let known = kids(&url).await;
        if known.len() == 2 {
            break known;
        }
        assert!(told.elapsed() < Duration::from_secs(10), "it does not take the new key");
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    assert_eq!(both[1], first[0]);
    let listed = onestop(folder, &["keys", "list"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let lines: Vec<&str> = listed.lines().collect();
    assert_eq!(lines[0], format!("{}  active", both[0]));
    let retired = lines[1].strip_prefix(&format!("{}  retired ", both[1])).unwrap();
    let retired: chrono::DateTime<Utc> = retired.parse().unwrap();
    assert!((retired - began).abs() < TimeDelta::minutes(1), "{retired}");
    assert_eq!(lines.len(), 2);
}

#[tokio::test]
async fn no_keys_are_made_for_a_database_that_has_others() {
    let office = Office::new().await;
    let database = office.district.database.url.as_str();
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", database];
    let token = ["token", "--partner", OFFICE, "--database", database];
    let nowhere = tempfile::tempdir().unwrap();
    for arguments in [&serve[..], &token[..]] {
        let refused = onestop(nowhere.path(), arguments).output().unwrap();
        assert!(!refused.status.success());
        for hint in ["signing.pem is missing", "from its backup", "--data"] {
            assert!(said(&refused).contains(hint), "{hint}: {}", said(&refused));
        }
        assert!(!nowhere.path().join("data/keys").exists(), "none are made");
    }
    for missing in ["signing.pem", "personal.key"] {
        let (file, away) = (office.keys().join(missing), nowhere.path().join(missing));
        std::fs::rename(&file, &away).unwrap();
        let refused = onestop(office.folder.path(), &token).output().unwrap();
        assert!(!refused.status.success());
        assert!(said(&refused).contains(&format!("{missing} is missing")), "{}", said(&refused));
        assert!(!file.exists(), "{missing} is not made anew");
        std::fs::rename(&away, &file).unwrap();
    }
    let issued = onestop(office.folder.path(), &token).output().unwrap();
    assert!(issued.status.success(), "{}", said(&issued));
    for command in ["list", "rotate"] {
        let refused = onestop(nowhere.path(), &["keys", command]).output().unwrap();
        assert!(!refused.status.success() && said(&refused).contains("is missing"), "{}", said(&refused));
    }
}
