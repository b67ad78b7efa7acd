//! Answers that get lost on the way: the act was committed, the partner does not know, asks again, and it is done once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::book::Book;
use crate::ground::{Ground, Many};
use crate::life::{Life, World};
use crate::size;

const LOST_IN_A_HUNDRED: u32 = 10;

/// Stands between partners and server, and drops answers that the server has given.
struct Proxy {
    url: String,
    dropped: Arc<AtomicU32>,
}

impl Proxy {
    async fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let dropped = Arc::new(AtomicU32::new(0));
        let server = server.strip_prefix("http://").unwrap().to_owned();
        let counted = Arc::clone(&dropped);
        tokio::spawn(async move {
            let mut rng = StdRng::seed_from_u64(3);
            while let Ok((client, _)) = listener.accept().await {
                let drops = rng.random_range(0..100) < LOST_IN_A_HUNDRED;
                let dropped = drops.then(|| Arc::clone(&counted));
                tokio::spawn(pass(client, server.clone(), dropped));
            }
        });
        Self { url, dropped }
    }
}

/// One connection; its first answer is not passed on when it is to be dropped.
async fn pass(mut client: TcpStream, server: String, dropped: Option<Arc<AtomicU32>>) {
    let Ok(mut upstream) = TcpStream::connect(server).await else { return };
    let Some(dropped) = dropped else {
        let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
        return;
    };
    let (mut from_client, _client) = client.split();
    let (mut from_server, mut to_server) = upstream.split();
    let mut answer = [0; 1024];
    tokio::select! {
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        read = from_server.read(&mut answer) => {
            if read.is_ok_and(|bytes| bytes > 0) {
                dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
    let _ = to_server.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_act_whose_answer_was_lost_is_done_once() {
    let _alone = size::alone().await;
    let acts = size::of(800, 5000);
    let many = Many { hospitals: 4, shops: 4, patients: 200, cards: 40, balance: "9999.00" };
    let ground = Ground::lay(many).await;
    let mut program = ground.program();
    program.start().await;
    let proxy = Proxy::before(&program.url).await;
    let (book, world) = (Arc::new(Book::default()), Arc::new(World::of(&ground)));
    let desks = [ground.hospitals(&proxy.url), ground.shops(&proxy.url)].concat();
    let each = acts / desks.len();
    let working = desks.into_iter().enumerate().map(|(place, desk)| {
        let book = Arc::clone(&book);
        let mut life = Life::new(Arc::clone(&world), place as u64, place < many.hospitals);
        tokio::spawn(async move {
            let desk = desk.without_kept_connections();
            for _ in 0..each {
                let asked = life.spend();
                let reply = desk.insist(&book, &asked).await;
                assert_eq!(reply.refusals(asked.mutation), Vec::<String>::new(), "{asked:?}");
            }
        })
    });
    for worked in join_all(working).await {
        worked.unwrap();
    }
    let dropped = proxy.dropped.load(Ordering::Relaxed);
    println!("{acts} acts, {dropped} answers lost");
    assert!(dropped as usize > acts / 20, "{dropped}");
    let effects = "SELECT (SELECT COUNT(*) FROM settlement) + (SELECT COUNT(*) FROM redemption)";
    assert_eq!(ground.database().number(effects).await, i64::try_from(acts).unwrap());
    ground.check(&book).await;
}
