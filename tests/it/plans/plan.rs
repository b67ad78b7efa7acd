//! What a database does to answer a statement: asked of it, with the statement and values that the server sent.
#![allow(clippy::float_arithmetic)]

use onestop::access::recording;
use sea_orm::sea_query::{PostgresQueryBuilder, QueryBuilder};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use serde_json::Value;

use crate::harness::database::Fresh;

/// Most rows that a statement may read from tables and throw away.
const REMOVED: f64 = 200.0;
/// Most rows that any one step of a plan may yield, or that joins may compare in vain: a few rows with a few, in memory.
const YIELDED: f64 = 2_000.0;
/// Most pages of 8 KiB that a statement may touch.
const BUFFERS: f64 = 1_000.0;

/// Tables that grow with the district.
const BIG: [&str; 15] = [
    "partner",
    "person",
    "person_status",
    "operation",
    "settlement",
    "settlement_part",
    "aid_card",
    "redemption",
    "refund",
    "referral",
    "referral_party",
    "referral_event",
    "event",
    "audit_record",
    "entry",
];

/// What a plan may not do on SQLite, where plans are read and not measured.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A page in the order of an index that starts with the slice's column.
    List,
    /// A page of everything there is, in the order of the key.
    ListOfAll,
    /// A row or a few: sorting them is nothing.
    LookUp,
}

/// One connection that explains.
pub struct Explainer {
    connection: DatabaseConnection,
    faults: Vec<String>,
    explained: usize,
}

impl Explainer {
    pub async fn of(fresh: &Fresh) -> Self {
        let mut options = ConnectOptions::new(&fresh.url);
        options.max_connections(1).sqlx_logging(false);
        let connection = Database::connect(options).await.unwrap();
        Self { connection, faults: Vec::new(), explained: 0 }
    }

    /// Runs something and judges every statement that it sent.
    pub async fn judge<T>(&mut self, name: &str, kind: Kind, work: impl Future<Output = T>) -> T {
        let (result, sent) = recording(work).await;
        assert!(!sent.is_empty(), "{name} asked nothing of the database");
        for statement in sent.iter().filter(|sent| !sent.sql.starts_with("INSERT")) {
            self.explained += 1;
            let fault = match self.connection.get_database_backend() {
                DbBackend::Postgres => self.on_postgres(statement).await,
                _ => self.on_sqlite(statement, kind).await,
            };
            if let Some(fault) = fault {
                self.faults.push(format!("{name}: {fault}\n{}\n", statement.sql));
            }
        }
        result
    }

    /// Fails with everything that was found.
    pub fn finish(self, at_least: usize) {
        assert!(self.faults.is_empty(), "{} bad plans\n{}", self.faults.len(), self.faults.join("\n"));
        assert!(self.explained >= at_least, "only {} statements were explained", self.explained);
    }

    async fn run(&self, sql: &str) {
        self.connection.execute_unprepared(sql).await.unwrap();
    }

    /// With the values known, and again as the prepared statement that it has become after some runs: then PostgreSQL may have
    /// taken to a plan for any values.
    async fn on_postgres(&self, statement: &Statement) -> Option<String> {
        let literals: Vec<String> = statement
            .values
            .iter()
            .flat_map(|values| &values.0)
            .map(|value| PostgresQueryBuilder.value_to_string(value))
            .collect();
        let execute = match literals.is_empty() {
            true => "EXECUTE asked".to_owned(),
            false => format!("EXECUTE asked({})", literals.join(", ")),
        };
        self.run("BEGIN").await;
        self.run(&format!("PREPARE asked AS {}", statement.sql)).await;
        let mut fault = None;
        // What a statement writes it must not write again: its plan is read, and not run.
        let (runs, options) = match statement.sql.starts_with("SELECT") {
            true => (7, "ANALYZE, BUFFERS, FORMAT JSON"),
            false => (1, "FORMAT JSON"),
        };
        for run in 1..=runs {
            let explain = format!("EXPLAIN ({options}) {execute}");
            let explain = Statement::from_string(DbBackend::Postgres, explain);
            let row = self.connection.query_one_raw(explain).await.unwrap().unwrap();
            let plans: Value = row.try_get_by_index(0).unwrap();
            if let Some(found) = measure(&plans[0]["Plan"]) {
                fault = Some(format!("run {run}: {found}\n{}", outline(&plans[0]["Plan"], 1)));
                break;
            }
        }
        self.run("ROLLBACK").await;
        self.run("DEALLOCATE asked").await;
        fault
    }

    async fn on_sqlite(&self, statement: &Statement, kind: Kind) -> Option<String> {
        let explain = Statement { sql: format!("EXPLAIN QUERY PLAN {}", statement.sql), ..statement.clone() };
        let rows = self.connection.query_all_raw(explain).await.unwrap();
        let steps: Vec<String> =
            rows.iter().map(|row| row.try_get::<String>("", "detail").unwrap()).collect();
        let ranked = steps.iter().any(|step| step.ends_with("ranked"));
        let bad = |step: &&String| {
            let scans = BIG.iter().any(|table| {
                *step == &format!("SCAN {table}")
                    || (step.starts_with(&format!("SCAN {table} ")) && kind != Kind::ListOfAll)
            });
            let sorts = step.contains("TEMP B-TREE FOR ORDER BY") && kind != Kind::LookUp && !ranked;
            scans || sorts
        };
        steps.iter().find(bad).map(|step| format!("{step}\n{}", steps.join("\n")))
    }
}

fn nodes(plan: &Value) -> Vec<&Value> {
    let below = plan["Plans"].as_array().into_iter().flatten();
    std::iter::once(plan).chain(below.flat_map(nodes)).collect()
}

fn number(node: &Value, name: &str) -> f64 {
    node[name].as_f64().unwrap_or(0.0)
}

/// What is too much about a plan.
fn measure(plan: &Value) -> Option<String> {
    let all = nodes(plan);
    let sum = |names: &[&str]| -> f64 {
        let of = |node: &&Value| {
            names.iter().map(|name| number(node, name)).sum::<f64>() * number(node, "Actual Loops")
        };
        all.iter().map(of).sum()
    };
    let removed = sum(&["Rows Removed by Filter", "Rows Removed by Index Recheck"]);
    let compared = sum(&["Rows Removed by Join Filter"]);
    let yielded =
        all.iter().map(|node| number(node, "Actual Rows") * number(node, "Actual Loops")).fold(0.0, f64::max);
    let reads_all = |node: &&&Value| {
        node["Node Type"] == "Seq Scan" && BIG.iter().any(|table| node["Relation Name"] == *table)
    };
    if plan.get("Actual Rows").is_none() {
        return all
            .iter()
            .find(reads_all)
            .map(|node| format!("reads the whole of {}", node["Relation Name"]));
    }
    let buffers = number(plan, "Shared Hit Blocks") + number(plan, "Shared Read Blocks");
    (removed > REMOVED || compared > YIELDED || yielded > YIELDED || buffers > BUFFERS).then(|| {
        format!("{removed} rows removed, {compared} compared in vain, {yielded} yielded by one step, {buffers} buffers")
    })
}

fn outline(plan: &Value, depth: usize) -> String {
    let text = |name: &str| plan[name].as_str().unwrap_or_default();
    let line = format!(
        "{}{} {} {} {} {} rows={} removed={} loops={}\n",
        "  ".repeat(depth),
        text("Node Type"),
        text("Relation Name"),
        text("Index Name"),
        text("Index Cond"),
        text("Filter"),
        plan["Actual Rows"],
        plan["Rows Removed by Filter"],
        plan["Actual Loops"],
    );
    let below = plan["Plans"].as_array().into_iter().flatten().map(|below| outline(below, depth + 1));
    std::iter::once(line).chain(below).collect()
}
