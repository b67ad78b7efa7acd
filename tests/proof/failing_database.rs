//! The database fails under load and comes back: PostgreSQL stops as in a power failure and loses its connections; the disk under
//! SQLite is full. Partners are told to ask again, and nothing else; what was acknowledged is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use tokio::task::JoinHandle;

use crate::book::Book;
use crate::desk::{Desk, Heard};
use crate::ground::{Ground, Many};
use crate::harness::database::postgres;
use crate::life::{Life, World};
use crate::postgres_cluster::Cluster;
use crate::size;
use crate::small_disk::SmallDisk;

const HEALED: Duration = Duration::from_secs(10);
/// How long all is well between two failures.
const BETWEEN: Duration = Duration::from_millis(300);
const MANY: Many = Many { hospitals: 4, shops: 4, patients: 60, cards: 40, balance: "9999.00" };

/// Partners at work on one server, which answers all the time.
struct Load {
    book: Arc<Book>,
    working: Vec<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    /// How many requests were answered.
    answered: Arc<AtomicU32>,
    /// How many were told to ask again.
    put_off: Arc<AtomicU32>,
}

impl Load {
    fn of(ground: &Ground, url: &str) -> Self {
        let desks = [ground.hospitals(url), ground.shops(url)].concat();
        let world = Arc::new(World::of(ground));
        let mut load = Self {
            book: Arc::default(),
            working: Vec::new(),
            stop: Arc::default(),
            answered: Arc::default(),
            put_off: Arc::default(),
        };
        for (place, desk) in desks.into_iter().enumerate() {
            let life = Life::new(Arc::clone(&world), place as u64, place < MANY.hospitals);
            load.working.push(tokio::spawn(load.worker(desk, life)));
        }
        load
    }

    fn worker(&self, desk: Desk, mut life: Life) -> impl Future<Output = ()> + use<> {
        let (book, stop) = (Arc::clone(&self.book), Arc::clone(&self.stop));
        let (answered, put_off) = (Arc::clone(&self.answered), Arc::clone(&self.put_off));
        async move {
            while !stop.load(Ordering::Relaxed) {
                let asked = life.next();
                book.ask(&desk.partner, &asked);
                let reply = loop {
                    match desk.send(&asked).await {
                        Heard::Answer(reply) => break reply,
                        Heard::Retryable => {
                            put_off.fetch_add(1, Ordering::Relaxed);
                            tokio::time::sleep(Duration::from_millis(50)).await;
                        }
                        Heard::Nothing => panic!("the server gave no answer at all to {asked:?}"),
                    }
                };
                book.hear(&desk.partner, &asked, &reply);
                answered.fetch_add(1, Ordering::Relaxed);
                life.learn(&asked, &reply);
            }
        }
    }

    fn answered(&self) -> u32 {
        self.answered.load(Ordering::Relaxed)
    }

    fn put_off(&self) -> u32 {
        self.put_off.load(Ordering::Relaxed)
    }

    /// Waits until requests are answered again, every worker's; tells how long that took.
    async fn heals(&self) -> Duration {
        let (since, before) = (Instant::now(), self.answered());
        let workers = u32::try_from(self.working.len()).unwrap();
        while self.answered() < before + workers {
            let failed = self.working.iter().any(JoinHandle::is_finished);
            assert!(!failed && since.elapsed() < 2 * HEALED, "it does not heal");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        since.elapsed()
    }

    async fn end(self) -> Arc<Book> {
        self.stop.store(true, Ordering::Relaxed);
        for worked in join_all(self.working).await {
            worked.unwrap();
        }
        self.book
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_fails_costs_time_and_nothing_else() {
    let _alone = size::alone().await;
    match postgres() {
        Some(_) => postgres_stops().await,
        None => the_disk_is_full().await,
    }
}

async fn postgres_stops() {
    let times = size::of(6, 20);
    let (cluster, fresh) = Cluster::start().await;
    let ground = Ground::lay_on(fresh, MANY).await;
    let mut program = ground.program();
    program.start().await;
    let load = Load::of(&ground, &program.url);
    let mut slowest = load.heals().await;
    for number in 0..times {
        cluster.stop_immediately();
        tokio::time::sleep(Duration::from_millis(50 * number)).await;
        cluster.begin();
        slowest = slowest.max(load.heals().await);
        tokio::time::sleep(BETWEEN).await;
    }
    let stopped = load.put_off();
    assert!(stopped > 0, "nobody noticed that the database stopped");
    for _ in 0..times {
        let look = ground.database().look().await;
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        look.execute_unprepared(others).await.unwrap();
        look.close().await.unwrap();
        slowest = slowest.max(load.heals().await);
        tokio::time::sleep(BETWEEN).await;
    }
    let (answered, put_off) = (load.answered(), load.put_off());
    println!(
        "{times} stops and {times} cuts, {answered} answered, {put_off} put off, healed after at most {slowest:?}"
    );
    assert!(slowest < HEALED, "healed only after {slowest:?}");
    let book = load.end().await;
    ground.check(&book).await;
}

async fn the_disk_is_full() {
    let ground = Ground::lay(MANY).await;
    let (disk, program) = SmallDisk::with(ground.data.path(), ground.database());
    let mut program = program.known_as(ground.issuer());
    program.start().await;
    let load = Load::of(&ground, &program.url);
    let since = Instant::now();
    while load.put_off() < 100 {
        assert!(since.elapsed() < Duration::from_secs(120), "the disk is never full");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let written = load.answered();
    let shop = &ground.shops(&program.url)[0];
    for card in &ground.cards[..10] {
        assert!(shop.sees(card).await, "a full disk stops nobody from reading");
    }
    assert!(load.put_off() > 100, "it is still full");
    disk.free(&program);
    let healed = load.heals().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let (answered, put_off) = (load.answered(), load.put_off());
    println!(
        "{written} answered until it was full, {answered} in all, {put_off} put off, healed after {healed:?}"
    );
    assert!(healed < HEALED, "healed only after {healed:?}");
    assert!(answered > written + 100, "it hardly works after it was full");
    let book = load.end().await;
    let copy = tempfile::tempdir().unwrap();
    ground.check_on(&disk.copy(&program, copy.path()), &book).await;
}
