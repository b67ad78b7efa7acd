//! The proof that no money is lost or paid twice: partners with seeded random operations against the running program, while it is
//! killed, its answers are dropped, its database stops, its disk is full and its clock jumps; and what must hold after every run.
//!
//! `cargo test --test proof` runs all of it in a small size, on SQLite or, with `ONESTOP_TEST_POSTGRES`, on PostgreSQL;
//! `ONESTOP_PROOF=full cargo test --test proof` in the full one. `ONESTOP_PROOF_SEED=17` repeats one seed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code, unused_imports)]
#[path = "../it/harness/mod.rs"]
mod harness;

mod answers_lost;
mod book;
mod cap_race;
mod clock_jumps;
mod desk;
mod double_spend;
mod failing_database;
mod ground;
mod invariants;
mod keys_reused;
mod kills;
mod life;
mod model;
mod postgres_cluster;
mod program;
mod same_key;
mod size;
mod small_disk;
