//! The same key many times at once: one effect, equal answers.

use std::sync::Arc;

use futures_util::future::join_all;

use crate::book::Book;
use crate::ground::{Ground, Many};
use crate::life::{Life, World};
use crate::size;

/// How often each key is sent, all at once.
const TIMES: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_sent_fifty_times_at_once_is_done_once() {
    let _alone = size::alone().await;
    let keys = size::of(40, 200);
    let many = Many { hospitals: 2, shops: 2, patients: 20, cards: 20, balance: "500.00" };
    let ground = Ground::lay(many).await;
    let mut program = ground.program();
    program.start().await;
    let (book, world) = (Book::default(), Arc::new(World::of(&ground)));
    let desks = [ground.hospitals(&program.url), ground.shops(&program.url)].concat();
    let mut lives: Vec<Life> =
        (0..desks.len()).map(|place| Life::new(Arc::clone(&world), place as u64, place < 2)).collect();
    for number in 0..keys {
        let place = number % desks.len();
        let asked = lives[place].spend();
        let replies = join_all((0..TIMES).map(|_| desks[place].insist(&book, &asked))).await;
        let fresh = replies.iter().filter(|reply| reply.at(asked.mutation)["replayed"] == false).count();
        let done = replies.iter().all(|reply| reply.refusals(asked.mutation).is_empty());
        assert!(done, "{asked:?}");
        assert_eq!(fresh, 1, "{asked:?}");
    }
    let effects = "SELECT (SELECT COUNT(*) FROM settlement) + (SELECT COUNT(*) FROM redemption)";
    assert_eq!(ground.database().number(effects).await, i64::try_from(keys).unwrap());
    assert_eq!(book.pages().said.values().map(Vec::len).sum::<usize>(), keys * TIMES);
    ground.check(&book).await;
}
