//! One binary for all tests against the running server. Each test has a district, a database and a server of its own; with
//! `ONESTOP_TEST_POSTGRES` naming a PostgreSQL server the same tests run there, else on SQLite files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aid_card;
mod caps_at_once;
mod coverage;
mod harness;
mod keys;
mod redeem_aid_card;
mod refund_redemption;
mod reverse_settlement;
mod settle;
mod settle_refusals;
mod void_operation;
mod void_races;
mod walking;
