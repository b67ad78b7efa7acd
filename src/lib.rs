//! onestop, the partner gateway of a civil-affairs bureau.
//!
//! Rooms: [`http`] (the wire) → [`actions`] (verbs: one file per act) or [`graph`] (nouns: one file per type) → [`access`]
//! (rights: who sees and writes which rows) → the database. [`rules`] are pure functions of what is due to whom.
//! [`jobs`] run by the clock, [`demo`] loads an invented district, [`commands`] are the program's.
//!
//! Arrows: main → commands · commands → everything but graph · http → access, schema, error · schema → actions, graph,
//! error · demo → actions, rules, access · jobs → actions, access · actions → graph, rules, access, refusal, error ·
//! graph → rules, access, page, error · access → rules, page, refusal, error · rules → entity. `tests/it/arrows.rs` holds them.

pub mod access;
pub mod actions;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod error;
pub mod graph;
pub mod http;
pub mod jobs;
pub mod language;
pub mod page;
pub mod refusal;
pub mod rules;
pub mod schema;
