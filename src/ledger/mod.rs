//! The ledger: double entry, in two books that never mix (fiscal money of the bureau, charity money of the charity federation).
//! The only code that writes entries. A correction is a new posting that names the old one.
//!
//! | act | debit | credit |
//! |---|---|---|
//! | appropriation | treasury | appropriation of a programme's year |
//! | settlement | spending of the year, by programme | payable to the hospital |
//! | | entitlement of the person | all entitlements |
//! | cards issued | spending of the year | each card |
//! | redemption | card | payable to the supermarket |
//! | refund | payable to the supermarket | card; or recovery, when no card can take it |
//! | payment of a statement | payable to the partner | treasury |
//! | a month below zero confirmed | payable to the partner, of the next open month | payable to the partner, of that month |
//!
//! A settlement counts in the budget of the year in which it is posted (China Standard Time), a card in the year in which it is
//! issued; what is taken back returns to that same year.

pub mod budgets;
pub mod cards;
pub mod carries;
pub mod payments;
mod posting;
pub mod settlements;
pub mod statements;
