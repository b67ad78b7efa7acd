//! The program is killed under load, again and again; nothing acknowledged is lost, nothing is done twice.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::book::{Asked, Book};
use crate::desk::{Desk, Heard};
use crate::ground::{Ground, Many};
use crate::life::{Life, World};
use crate::size;

const READY: Duration = Duration::from_secs(5);

/// A partner with the request that it still waits for.
struct Waiting {
    desk: Desk,
    life: Life,
    unanswered: Option<Asked>,
}

impl Waiting {
    /// Works until the server is gone.
    async fn work(mut self, book: Arc<Book>) -> Self {
        loop {
            let asked = self.life.next();
            book.ask(&self.desk.partner, &asked);
            let heard = loop {
                match self.desk.send(&asked).await {
                    Heard::Retryable => tokio::time::sleep(Duration::from_millis(5)).await,
                    heard => break heard,
                }
            };
            let Heard::Answer(reply) = heard else {
                self.unanswered = Some(asked);
                return self;
            };
            book.hear(&self.desk.partner, &asked, &reply);
            self.life.learn(&asked, &reply);
        }
    }

    /// Asks again for what was not answered.
    async fn replay(&mut self, book: &Book) {
        if let Some(asked) = self.unanswered.take() {
            let reply = self.desk.insist(book, &asked).await;
            self.life.learn(&asked, &reply);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_under_load_it_loses_nothing_and_does_nothing_twice() {
    let _alone = size::alone().await;
    let kills = size::of(50, 200);
    let many = Many { hospitals: 4, shops: 4, patients: 60, cards: 40, balance: "3000.00" };
    let ground = Ground::lay(many).await;
    let mut program = ground.program();
    let (book, world) = (Arc::new(Book::default()), Arc::new(World::of(&ground)));
    let desks = [ground.hospitals(&program.url), ground.shops(&program.url)].concat();
    let mut partners: Vec<Waiting> = desks
        .into_iter()
        .enumerate()
        .map(|(place, desk)| Waiting {
            desk,
            life: Life::new(Arc::clone(&world), place as u64, place < many.hospitals),
            unanswered: None,
        })
        .collect();
    let mut rng = StdRng::seed_from_u64(7);
    let mut slowest = Duration::ZERO;
    for _ in 0..kills {
        slowest = slowest.max(program.start().await);
        join_all(partners.iter_mut().map(|partner| partner.replay(&book))).await;
        let working: Vec<_> =
            partners.into_iter().map(|partner| tokio::spawn(partner.work(Arc::clone(&book)))).collect();
        tokio::time::sleep(Duration::from_millis(rng.random_range(20..500))).await;
        program.kill();
        partners = join_all(working).await.into_iter().map(Result::unwrap).collect();
    }
    slowest = slowest.max(program.start().await);
    join_all(partners.iter_mut().map(|partner| partner.replay(&book))).await;
    assert!(slowest < READY, "ready again only after {slowest:?}");
    let answers: usize = book.pages().said.values().map(Vec::len).sum();
    println!("{kills} kills, {answers} answers, ready again after at most {slowest:?}");
    assert!(answers > kills * 10, "too little was done to prove anything: {answers} answers");
    ground.check(&book).await;
}
