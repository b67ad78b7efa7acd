//! The command as an auditor runs it.

use std::process::{Command, Output};

use serde_json::Value;

use super::sql_of;
use crate::harness::database::Fresh;

struct Office {
    folder: tempfile::TempDir,
    database: Fresh,
}

impl Office {
    async fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database: Fresh::new().await }
    }

    fn audit(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onestop"));
        command.current_dir(self.folder.path()).env_remove("DATABASE_URL").env_remove("ONESTOP_CONFIG");
        command.args(["audit", "--database", &self.database.url]).args(arguments).output().unwrap()
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
    std::fs::write(office.folder.path().join("other.json"), "{}").unwrap();
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
