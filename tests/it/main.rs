//! One binary for all tests against the running server. Each test has a district, a database and a server of its own; with
//! `ONESTOP_TEST_POSTGRES` naming a PostgreSQL server the same tests run there, else on SQLite files.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;
mod plans;
mod statements;
mod walking;
