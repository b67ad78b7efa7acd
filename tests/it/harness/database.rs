//! A database of its own for each test: a copy of one that was migrated once.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use onestop::access::Database;
use sea_orm::{ConnectionTrait, Statement};
use tokio::sync::OnceCell;

/// The server on which tests run, e.g. `postgres://postgres@127.0.0.1:5432`; without it, SQLite files.
pub fn postgres() -> Option<String> {
    std::env::var("ONESTOP_TEST_POSTGRES").ok().filter(|url| !url.is_empty())
}

static COUNT: AtomicU32 = AtomicU32::new(0);
static SQLITE_TEMPLATE: OnceCell<(tempfile::TempDir, PathBuf)> = OnceCell::const_new();
static POSTGRES_TEMPLATE: OnceCell<String> = OnceCell::const_new();

/// A migrated database that goes away with its test.
pub struct Fresh {
    pub url: String,
    _folder: Option<tempfile::TempDir>,
    postgres: Option<(String, String)>,
}

impl Fresh {
    pub async fn new() -> Self {
        match postgres() {
            Some(server) => Self::on_postgres(server).await,
            None => Self::on_sqlite().await,
        }
    }

    /// One that is there and migrated already, and stays.
    #[allow(dead_code, reason = "the proof has databases of its own")]
    pub fn at(url: String) -> Self {
        Self { url, _folder: None, postgres: None }
    }

    async fn on_sqlite() -> Self {
        let (_, template) = SQLITE_TEMPLATE
            .get_or_init(|| async {
                let folder = tempfile::tempdir().unwrap();
                let file = folder.path().join("template.db");
                let database = Database::open(&format!("sqlite:{}", file.display())).await.unwrap();
                database.migrate().await.unwrap();
                database.close().await.unwrap();
                (folder, file)
            })
            .await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("district.db");
        std::fs::copy(template, &file).unwrap();
        Self { url: format!("sqlite:{}", file.display()), _folder: Some(folder), postgres: None }
    }

    async fn on_postgres(server: String) -> Self {
        let template = POSTGRES_TEMPLATE
            .get_or_init(|| async {
                let name = format!("onestop_template_{}", std::process::id());
                on_server(&server, &format!("DROP DATABASE IF EXISTS {name}")).await;
                on_server(&server, &format!("CREATE DATABASE {name}")).await;
                let database = Database::open(&format!("{server}/{name}")).await.unwrap();
                database.migrate().await.unwrap();
                database.close().await.unwrap();
                name
            })
            .await;
        let name = format!("onestop_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        on_server(&server, &format!("DROP DATABASE IF EXISTS {name}")).await;
        on_server(&server, &format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self { url: format!("{server}/{name}"), _folder: None, postgres: Some((server, name)) }
    }

    /// How many rows a table has.
    pub async fn rows(&self, table: &str) -> i64 {
        self.number(&format!("SELECT count(*) FROM {table}")).await
    }

    /// How many requests were answered; what the funds' owners did to found the district does not count.
    pub async fn requests(&self) -> i64 {
        let founding = "('appropriate', 'issueAidCards')";
        self.number(&format!("SELECT count(*) FROM operation WHERE mutation NOT IN {founding}")).await
    }

    /// The one number that a statement answers.
    pub async fn number(&self, sql: &str) -> i64 {
        let connection = self.look().await;
        let found = number(&connection, sql).await;
        connection.close().await.unwrap();
        found
    }

    /// Runs a statement that no act makes.
    pub async fn change(&self, sql: &str) {
        let connection = self.look().await;
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    /// A connection beside the server's, for looking at what it stored. What it asks is no line of the program's log.
    pub async fn look(&self) -> sea_orm::DatabaseConnection {
        let mut options = sea_orm::ConnectOptions::new(&self.url);
        options.sqlx_logging(false);
        sea_orm::Database::connect(options).await.unwrap()
    }
}

async fn on_server(server: &str, sql: &str) {
    // Two sessions cannot copy one template at the same moment; the later one tries again.
    for _ in 0..200 {
        let maintenance = sea_orm::Database::connect(format!("{server}/postgres")).await.unwrap();
        let done = maintenance.execute_unprepared(sql).await;
        maintenance.close().await.unwrap();
        match done {
            Ok(_) => return,
            Err(error) if error.to_string().contains("being accessed by other users") => {
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            Err(error) => panic!("{sql}: {error}"),
        }
    }
    panic!("{sql}: never succeeded");
}

impl Drop for Fresh {
    fn drop(&mut self) {
        let Some((server, name)) = self.postgres.take() else { return };
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let maintenance = sea_orm::Database::connect(format!("{server}/postgres")).await.unwrap();
                let _ = maintenance
                    .execute_unprepared(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .await;
                let _ = maintenance.close().await;
            });
        });
        let _ = dropping.join();
    }
}

/// The one number that a statement answers.
pub async fn number(connection: &sea_orm::DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    connection.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}
