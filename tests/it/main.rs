//! One binary for all tests against the running server. Each test has a district, a database and a server of its own; with
//! `ONESTOP_TEST_POSTGRES` naming a PostgreSQL server the same tests run there, else on SQLite files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod arrows;
mod asks;
mod consents;
mod contract;
mod harness;
mod health;
mod http;
mod inputs;
mod limits;
mod not_yours;
mod pages;
mod referral_expiry;
mod referral_person;
mod referral_steps;
mod refusals;
mod request_referral;
mod schema;
mod schemas_of_kinds;
mod tokens;
mod visibility;
mod walking;
