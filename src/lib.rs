//! onestop, the partner gateway of a civil-affairs bureau.
//!
//! Rooms: [`http`] (the wire) → [`actions`] (verbs: one file per act) or [`graph`] (nouns: one file per type) → [`access`]
//! (rights: who sees and writes which rows) → the database. [`files`] are what both answer, as CSV. [`rules`] are pure functions
//! of what is due to whom. [`ledger`] is the
//! only code that writes entries. [`jobs`] run by the clock, [`demo`] loads an invented district, [`commands`] are the program's.
//!
//! Arrows: main → commands · commands → everything but main · http → access, schema, files, error, language · schema → actions,
//! graph, access, refusal, error, language · files → actions, graph, access, rules, page, language, error ·
//! demo → actions, graph, rules, access, page, clock, error · ledger → access, rules, error · jobs → actions, access,
//! clock, error · actions → graph, rules, ledger, access, page, refusal, error · graph → rules, access, page, refusal, language, error · access →
//! rules, page, refusal, clock, error · page → error · refusal → language · clock → rules · config → access, rules. `rules` lead to `entity` alone.
//! `tests/it/arrows.rs` holds them to it.

pub mod access;
pub mod actions;
pub mod clock;
pub mod commands;
pub mod config;
pub mod demo;
pub mod error;
pub mod files;
pub mod graph;
pub mod http;
pub mod jobs;
pub mod language;
pub mod ledger;
pub mod page;
pub mod refusal;
pub mod rules;
pub mod schema;
