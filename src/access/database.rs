//! Opening the database, with the settings that money needs, read back before anything runs.

use std::sync::Arc;
use std::time::Duration;

use migration::{CLEAR_COLUMNS_GONE, Migrator, MigratorTrait};
use sea_orm::sqlx::Connection;
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{
    AccessMode, ConnectOptions, ConnectionTrait, DatabaseConnection, DatabaseExecutor, DatabaseTransaction,
    DbBackend, DbErr, IsolationLevel, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::keys::{Keys, any_to_convert, convert};
use super::patience::{Patience, no_hurry};
use crate::error::{Error, Result};

tokio::task_local! {
    /// How many statements the current request has run.
    static STATEMENTS: std::cell::Cell<u32>;
    /// The statements themselves, while a test explains them.
    static RECORD: std::cell::RefCell<Vec<Statement>>;
}

/// Runs a future and counts the statements it sends to the database.
pub async fn counting<T>(work: impl Future<Output = T>) -> (T, u32) {
    STATEMENTS
        .scope(std::cell::Cell::new(0), async {
            let result = work.await;
            (result, STATEMENTS.with(std::cell::Cell::get))
        })
        .await
}

/// Runs a future and keeps the statements it sends to the database, as they were sent: for explaining their plans in a test.
/// They hold their values, so they are for nothing else.
#[doc(hidden)]
pub async fn recording<T>(work: impl Future<Output = T>) -> (T, Vec<Statement>) {
    RECORD
        .scope(std::cell::RefCell::default(), async {
            let result = work.await;
            (result, RECORD.with(std::cell::RefCell::take))
        })
        .await
}

/// A database, or one open transaction that stands for it while much is loaded at once.
#[derive(Clone)]
pub struct Database {
    ground: Ground,
    /// How many may write at once; none of its own inside a load. SQLite has one writer, and waiting here is kinder than its
    /// busy handler. On PostgreSQL it leaves connections to readers: an act that looks something up in the directory takes one
    /// more beside its own, and acts that held them all would wait for each other.
    writers: Option<Arc<Writers>>,
}

struct Writers {
    places: Arc<Semaphore>,
    /// How long one waits for a place.
    patience: Duration,
}

#[derive(Clone)]
enum Ground {
    Pool(DatabaseConnection),
    Within(Arc<DatabaseTransaction>),
}

/// A transaction with the right to write.
pub(super) struct Begun {
    pub(super) transaction: DatabaseTransaction,
    ground: Ground,
    _writer: Option<OwnedSemaphorePermit>,
}

impl Begun {
    pub(super) async fn commit(self) -> Result<()> {
        Ok(self.transaction.commit().await?)
    }

    /// Never hides why: a transaction that cannot be rolled back is undone by closing its connection.
    pub(super) async fn rollback(self) {
        if let Err(error) = self.transaction.rollback().await {
            let cause = Error::from(error).cause_for_log();
            tracing::warn!(cause, "a transaction could not be rolled back; its connection is closed");
        }
    }

    /// Undoes everything and opens a new transaction with the same right to write.
    pub(super) async fn start_over(self) -> Result<Self> {
        self.transaction.rollback().await?;
        Ok(Self { transaction: self.ground.begin().await?, ..self })
    }
}

impl Ground {
    async fn begin(&self) -> Result<DatabaseTransaction> {
        match self {
            Self::Pool(pool) => {
                let options = TransactionOptions {
                    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                    ..Default::default()
                };
                Ok(pool.begin_with_options(options).await?)
            }
            Self::Within(transaction) => Ok(transaction.begin().await?),
        }
    }
}

impl Database {
    /// Opens `sqlite:…` or `postgres:…` and checks the settings that the server relies on.
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with(url, Patience::default()).await
    }

    /// With other bounds on waiting.
    pub async fn open_with(url: &str, patience: Patience) -> Result<Self> {
        let sqlite = url.starts_with("sqlite:");
        let (connections, writers) = if sqlite { (8, 1) } else { (10, 8) };
        let mut options = ConnectOptions::new(url);
        options
            .max_connections(connections)
            .min_connections(1)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .sqlx_logging(false);
        if sqlite {
            options.map_sqlx_sqlite_opts(|sqlite| {
                sqlite
                    .create_if_missing(true)
                    .journal_mode(SqliteJournalMode::Wal)
                    .synchronous(SqliteSynchronous::Full)
                    .foreign_keys(true)
                    // What is deleted or sealed leaves nothing in the file.
                    .pragma("secure_delete", "ON")
                    .busy_timeout(Duration::from_secs(5))
            });
            // A commit that failed (a full disk) leaves the connection with a transaction that sqlx still counts and SQLite may have
            // undone: what came after would be a savepoint in it, acknowledged and never committed.
            options.map_sqlx_sqlite_pool_opts(|pool| {
                pool.after_release(|connection, _| {
                    Box::pin(async move { Ok(!Connection::is_in_transaction(connection)) })
                })
            });
        } else {
            options.map_sqlx_postgres_opts(move |postgres| postgres.options(patience.settings()));
        }
        let mut pool = sea_orm::Database::connect(options).await?;
        pool.set_metric_callback(|sent| {
            let _ = STATEMENTS.try_with(|count| count.set(count.get().saturating_add(1)));
            let _ = RECORD.try_with(|record| record.borrow_mut().push(sent.statement.clone()));
        });
        let writers = Writers { places: Arc::new(Semaphore::new(writers)), patience: patience.writing };
        let database = Self { ground: Ground::Pool(pool), writers: Some(Arc::new(writers)) };
        if sqlite {
            let settings = [
                ("journal_mode", "wal"),
                ("foreign_keys", "1"),
                ("synchronous", "2"),
                ("secure_delete", "1"),
            ];
            for (pragma, wanted) in settings {
                let found = database.pragma(pragma).await?;
                if found != wanted {
                    return Err(Error::internal(format!("SQLite has {pragma} = {found}, not {wanted}")));
                }
            }
        }
        Ok(database)
    }

    async fn pragma(&self, name: &'static str) -> Result<String> {
        let row = self
            .reader()
            .query_one_raw(Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}")))
            .await?
            .ok_or_else(|| Error::internal(format!("SQLite does not know PRAGMA {name}")))?;
        match row.try_get_by_index::<i64>(0) {
            Ok(number) => Ok(number.to_string()),
            Err(_) => Ok(row.try_get_by_index::<String>(0)?),
        }
    }

    /// Brings the schema to the current state, unless there is something to seal, which takes keys.
    pub async fn migrate(&self) -> Result<()> {
        let none = || Err(Error::internal("the database holds names in the clear, and no keys to seal them"));
        self.migrate_sealing(none).await.map(drop)
    }

    /// Brings the schema to the current state; on PostgreSQL all of it or nothing. What versions before kept in the clear is sealed
    /// with the keys, which are read for that alone. Tells how many rows that were.
    pub async fn migrate_sealing(&self, keys: impl FnOnce() -> Result<Keys>) -> Result<u64> {
        let pending = self.pending_migrations().await?;
        let first = pending.iter().position(|step| step == CLEAR_COLUMNS_GONE);
        let first = first.map(|steps| u32::try_from(steps).unwrap_or(u32::MAX));
        match self.building().await? {
            Building::Sqlite(pool) => {
                Migrator::up(pool, first).await?;
                let mut converted = 0;
                if first.is_some() && any_to_convert(pool).await? {
                    converted = convert(pool, &keys()?).await?;
                    Migrator::up(pool, None).await?;
                    pool.execute_unprepared("VACUUM").await?;
                    pool.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
                }
                Migrator::up(pool, None).await?;
                Ok(converted)
            }
            Building::Postgres(transaction) => {
                Migrator::up(&transaction, first).await?;
                let mut converted = 0;
                if first.is_some() && any_to_convert(&transaction).await? {
                    converted = convert(&transaction, &keys()?).await?;
                }
                Migrator::up(&transaction, None).await?;
                transaction.commit().await?;
                Ok(converted)
            }
        }
    }

    /// The names of the steps that have not run yet. Only reads: whoever serves need not have the right to build tables.
    pub async fn pending_migrations(&self) -> Result<Vec<String>> {
        match &self.ground {
            Ground::Pool(pool) => {
                let pending = Migrator::get_pending_migrations_read_only(pool).await?;
                Ok(pending.iter().map(|step| step.name().to_owned()).collect())
            }
            Ground::Within(_) => Ok(Vec::new()),
        }
    }

    /// Drops every table and builds them again, empty.
    pub async fn start_over(&self) -> Result<()> {
        match self.building().await? {
            Building::Sqlite(pool) => Ok(Migrator::fresh(pool).await?),
            Building::Postgres(transaction) => {
                Migrator::fresh(&transaction).await?;
                Ok(transaction.commit().await?)
            }
        }
    }

    /// Where tables are built. SQLite cannot suspend its foreign keys inside a transaction.
    async fn building(&self) -> Result<Building<'_>> {
        match &self.ground {
            Ground::Pool(pool) if pool.get_database_backend() == DbBackend::Sqlite => {
                Ok(Building::Sqlite(pool))
            }
            Ground::Pool(_) => Ok(Building::Postgres(self.unhurried().await?)),
            Ground::Within(_) => Err(Error::internal("tables are not built inside a load")),
        }
    }

    /// A transaction whose statements may take long.
    async fn unhurried(&self) -> Result<DatabaseTransaction> {
        let transaction = self.ground.begin().await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            no_hurry(&transaction).await?;
        }
        Ok(transaction)
    }

    /// A transaction that only reads, sees the whole database as it is at one moment, and may take as long as it needs. Nobody
    /// waits for it.
    pub(super) async fn snapshot(&self) -> Result<DatabaseTransaction> {
        let Ground::Pool(pool) = &self.ground else {
            return Err(Error::internal("what a load has not committed is nobody's to see"));
        };
        if pool.get_database_backend() == DbBackend::Sqlite {
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Deferred),
                ..Default::default()
            };
            return Ok(pool.begin_with_options(options).await?);
        }
        let options = TransactionOptions {
            isolation_level: Some(IsolationLevel::RepeatableRead),
            access_mode: Some(AccessMode::ReadOnly),
            ..Default::default()
        };
        let transaction = pool.begin_with_options(options).await?;
        no_hurry(&transaction).await?;
        Ok(transaction)
    }

    /// Lets PostgreSQL look at what was loaded, so that it plans for it.
    pub async fn analyze(&self) -> Result<()> {
        let transaction = self.unhurried().await?;
        transaction.execute_unprepared("ANALYZE").await?;
        Ok(transaction.commit().await?)
    }

    pub async fn close(self) -> Result<()> {
        match self.ground {
            Ground::Pool(pool) => Ok(pool.close().await?),
            Ground::Within(_) => Ok(()),
        }
    }

    pub(super) fn reader(&self) -> DatabaseExecutor<'_> {
        match &self.ground {
            Ground::Pool(pool) => pool.into(),
            Ground::Within(transaction) => DatabaseExecutor::from(transaction.as_ref()),
        }
    }

    pub(super) async fn begin(&self) -> Result<Begun> {
        let writer = self.right_to_write().await?;
        let transaction = self.ground.begin().await?;
        Ok(Begun { transaction, ground: self.ground.clone(), _writer: writer })
    }

    async fn right_to_write(&self) -> Result<Option<OwnedSemaphorePermit>> {
        let Some(writers) = &self.writers else { return Ok(None) };
        let place = Arc::clone(&writers.places).acquire_owned();
        match tokio::time::timeout(writers.patience, place).await {
            Ok(place) => Ok(place.ok()),
            Err(_) => Err(Error::Unavailable(DbErr::Custom("others have the right to write".into()))),
        }
    }

    /// This database as one open transaction: acts run inside it as savepoints. For loading a district.
    pub(super) async fn within(&self) -> Result<Loading> {
        let writer = self.right_to_write().await?;
        let transaction = Arc::new(self.unhurried().await?);
        let ground = Ground::Within(Arc::clone(&transaction));
        let inner = Self { ground, writers: None };
        Ok(Loading { inner, transaction, _writer: writer })
    }
}

/// See [`Database::building`].
enum Building<'a> {
    Sqlite(&'a DatabaseConnection),
    Postgres(DatabaseTransaction),
}

/// The open transaction of a load; dropped without [`Loading::commit`], it rolls back.
pub(super) struct Loading {
    pub(super) inner: Database,
    transaction: Arc<DatabaseTransaction>,
    _writer: Option<OwnedSemaphorePermit>,
}

impl Loading {
    pub(super) async fn commit(self) -> Result<()> {
        drop(self.inner);
        let transaction = Arc::into_inner(self.transaction)
            .ok_or_else(|| Error::internal("a load was committed while it was still in use"))?;
        Ok(transaction.commit().await?)
    }
}
