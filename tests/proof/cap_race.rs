//! Many hospitals at one patient at once: together they pay the year's cap, to the fen.

use std::sync::Arc;

use chrono::{Days, NaiveDate};
use futures_util::future::join_all;
use serde_json::json;

use crate::book::{Asked, Book};
use crate::ground::{CAP, Ground, Many};
use crate::harness::Bill;
use crate::harness::district::fen;
use crate::size;

const HOSPITALS: usize = 32;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_hospitals_pay_one_patients_cap_and_not_a_fen_more() {
    let _alone = size::alone().await;
    let stays = size::of(2, 8);
    let many = Many { hospitals: HOSPITALS, shops: 0, patients: 1, cards: 0, balance: "0.00" };
    let ground = Ground::lay(many).await;
    let mut program = ground.program();
    program.start().await;
    let book = Arc::new(Book::default());
    let patient = &ground.patients[0];
    let working = ground.hospitals(&program.url).into_iter().enumerate().map(|(place, hospital)| {
        let book = Arc::clone(&book);
        let bills: Vec<_> = (0..stays)
            .map(|stay| {
                let days = Days::new(u64::try_from(place * stays + stay).unwrap());
                let day = (NaiveDate::from_ymd_opt(2024, 1, 1).unwrap() + days).to_string();
                let total = format!("{}.{:02}", 1300 + 7 * place, 37 + stay);
                Bill::of(&patient.national_id, &patient.name).all_in_scope(&total).stay(&day, &day)
            })
            .collect();
        tokio::spawn(async move {
            for (number, bill) in bills.into_iter().enumerate() {
                let input = json!({ "key": format!("{place}-{number}"), "bill": bill.0 });
                let reply = hospital.insist(&book, &Asked { mutation: "settle", input }).await;
                assert_eq!(reply.refusals("settle"), Vec::<String>::new());
            }
        })
    });
    for worked in join_all(working).await {
        worked.unwrap();
    }
    let paid = ground.database().number("SELECT CAST(SUM(assistance) AS bigint) FROM settlement").await;
    assert_eq!(paid, fen(CAP).get());
    ground.check(&book).await;
}
