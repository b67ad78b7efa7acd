//! One binary for all tests against the running server. Each test has a district, a database and a server of its own; with
//! `ONESTOP_TEST_POSTGRES` naming a PostgreSQL server the same tests run there, else on SQLite files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod aid_card;
mod arrows;
mod asks;
mod by_get;
mod caps_at_once;
mod commands;
mod connections;
mod consents;
mod contract;
mod coverage;
mod demo;
mod harness;
mod health;
mod http;
mod inputs;
mod keys;
mod limits;
mod lists;
mod logged;
mod misses;
mod not_yours;
mod pages;
mod patience;
mod plans;
mod redeem_aid_card;
mod referral_expiry;
mod referral_person;
mod referral_steps;
mod refund_redemption;
mod refusals;
mod request_referral;
mod reverse_settlement;
mod schema;
mod schemas_of_kinds;
mod settle;
mod settle_refusals;
mod statements;
mod texts;
mod tokens;
mod visibility;
mod void_operation;
mod void_races;
mod walking;
mod write_scopes;
