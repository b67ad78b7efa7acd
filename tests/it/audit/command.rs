//! The command as an auditor runs it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use onestop::access::Keys;
use serde_json::Value;

use super::sql_of;
use crate::harness::District;
use crate::harness::database::{Fresh, postgres};

fn audit(folder: &Path, database: &str, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_onestop"));
    command.current_dir(folder).env_remove("DATABASE_URL").env_remove("ONESTOP_CONFIG");
    command.args(["audit", "--database", database]).args(arguments).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

struct Office {
    folder: tempfile::TempDir,
    database: Fresh,
}

impl Office {
    async fn new() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap(), database: Fresh::new().await };
        Keys::in_folder(&office.folder.path().join("data/keys")).unwrap();
        office
    }

    fn audit(&self, arguments: &[&str]) -> Output {
        audit(self.folder.path(), &self.database.url, arguments)
    }

    /// Money that no ledger knows.
    async fn falsify(&self) -> String {
        let programme = uuid::Uuid::now_v7();
        let id = sql_of(programme);
        self.database
            .change(&format!(
                "INSERT INTO programme (id, code, name, name_zh, fund) VALUES ({id}, 'P', 'p', 'p', 'FISCAL')"
            ))
            .await;
        self.database
            .change(&format!(
                "INSERT INTO budget_share (programme_id, year, number, available) VALUES ({id}, 2016, 0, 12345)"
            ))
            .await;
        onestop::page::type_id(entity::id::ProgrammeId::from(programme))
    }
}

#[tokio::test]
async fn its_status_tells_whether_something_differs_or_it_could_not_run() {
    let office = Office::new().await;
    let nothing = office.audit(&[]);
    assert_eq!(nothing.status.code(), Some(0));
    let programme = office.falsify().await;
    let found = office.audit(&[]);
    assert_eq!(found.status.code(), Some(1));
    let line =
        format!("difference budget.available: budget_share {programme} 2016: 123.45, should be 0.00. ");
    assert!(String::from_utf8(found.stdout).unwrap().starts_with(&line));
    let lines = String::from_utf8(office.audit(&["--json"]).stdout).unwrap();
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (lines.len(), &lines[0]["found"], &lines[0]["expected"]),
        (2, &"123.45".into(), &"0.00".into())
    );
    assert_eq!(lines[1]["summary"]["differences"], 1);
    office.database.change("DROP TABLE refund").await;
    assert_eq!(office.audit(&[]).status.code(), Some(2));
}

#[tokio::test]
async fn faults_of_its_arguments_are_told() {
    let office = Office::new().await;
    fs::write(office.folder.path().join("other.json"), "{}").unwrap();
    for (arguments, hint) in [
        (["--head", "nowhere.json"], "--head: nowhere.json cannot be read"),
        (["--head", "other.json"], "is not what `onestop audit --export` writes"),
        (["--export", "head.json"], "the trail has no seal yet"),
        (["--heads", "head.json"], "--head"),
    ] {
        let output = office.audit(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(hint), "{arguments:?}: {said}");
    }
    assert!(!office.folder.path().join("head.json").exists());
}

#[tokio::test]
async fn it_makes_no_keys_and_no_database() {
    let office = Office::new().await;
    let keys = office.folder.path().join("data/keys");
    for file in ["signing.pem", "personal.key"] {
        let (kept, away) = (keys.join(file), keys.join("away"));
        fs::rename(&kept, &away).unwrap();
        let output = office.audit(&[]);
        assert_eq!(output.status.code(), Some(2), "{file}");
        assert!(
            said(&output).contains(&format!("data/keys cannot be used: {file} is missing")),
            "{}",
            said(&output)
        );
        assert!(!kept.exists(), "{file}");
        fs::rename(&away, &kept).unwrap();
    }
    assert_eq!(office.audit(&[]).status.code(), Some(0));
    let nowhere = tempfile::tempdir().unwrap();
    let database = match postgres() {
        Some(_) => office.database.url.clone(),
        None => "sqlite:data/onestop.db".to_owned(),
    };
    assert_eq!(audit(nowhere.path(), &database, &[]).status.code(), Some(2));
    assert!(names_in(nowhere.path()).is_empty());
}

#[tokio::test]
async fn a_head_that_the_trail_has_lost_is_not_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let keys = Keys::in_folder(&folder.path().join("data/keys")).unwrap();
    let district =
        District::founded_on(Fresh::new().await, keys, "2016-06-01T02:00:00Z".parse().unwrap()).await;
    let file = folder.path().join("head.json");
    let export = |arguments: &[&str]| {
        let output =
            audit(folder.path(), &district.database.url, &[&["--export", "head.json"], arguments].concat());
        (output.status.code(), said(&output))
    };
    let seal =
        || serde_json::from_str::<Value>(&fs::read_to_string(&file).unwrap()).unwrap()["seal"].as_i64();
    district.seal().await;
    let (status, told) = export(&[]);
    assert_eq!(status, Some(0), "{told}");
    let (first, of_first) = (seal(), fs::read_to_string(&file).unwrap());
    district.card("10.00").await;
    district.seal().await;
    let (status, told) = export(&["--head", "head.json"]);
    assert_eq!(status, Some(0), "{told}");
    let (newest, evidence) = (seal(), fs::read_to_string(&file).unwrap());
    assert!(newest > first);
    assert_eq!(names_in(folder.path()), ["data", "head.json"], "nothing is left beside it");

    // The trail as it was before, as after a backup was put back.
    for table in ["audit_record WHERE seal_number", "seal WHERE number"] {
        district.falsify(&format!("DELETE FROM {table} = {}", newest.unwrap())).await;
    }
    for arguments in [&[][..], &["--head", "head.json"]] {
        let (status, told) = export(arguments);
        assert_eq!(status, Some(1), "{told}");
        assert_eq!(told.matches("difference head.missing").count(), 1, "{told}");
        assert!(told.contains("--export: nothing was written, as the trail is broken"), "{told}");
        assert_eq!(fs::read_to_string(&file).unwrap(), evidence);
    }
    fs::write(&file, of_first.replace("\"hash\": \"", "\"hash\": \"0")).unwrap();
    let (status, told) = export(&[]);
    assert_eq!((status, told.contains("difference head.other")), (Some(1), true), "{told}");

    fs::write(&file, "{").unwrap();
    let (status, told) = export(&[]);
    assert_eq!(status, Some(2), "{told}");
    assert!(told.contains("--export: head.json is not what `onestop audit --export` writes"), "{told}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "{");
    let to_folder = audit(folder.path(), &district.database.url, &["--export", "data"]);
    assert_eq!(to_folder.status.code(), Some(2));
    assert!(said(&to_folder).contains("--export: data is there and is no file"), "{}", said(&to_folder));

    let empty = Office::new().await;
    fs::write(empty.folder.path().join("head.json"), &evidence).unwrap();
    let output = empty.audit(&["--export", "head.json"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("nothing was written, as the trail has no seal"), "{}", said(&output));
    assert_eq!(fs::read_to_string(empty.folder.path().join("head.json")).unwrap(), evidence);
}
