//! The steps that build the database, oldest first. A step that has run anywhere is never edited: history must not move.

pub use sea_orm_migration::MigratorTrait;
use sea_orm_migration::prelude::*;

mod m20261123_000001_partners;
mod m20261123_000002_programmes;
mod m20261123_000003_people;
mod m20261123_000004_operations;
mod m20261123_000005_settlements;
mod m20261123_000006_aid_cards;
mod m20261123_000007_referrals;
mod m20261124_000008_ledger;
mod m20261124_000009_trail;
mod m20261125_000010_clients;
mod m20261125_000011_sealed;
mod m20261125_000012_looks;
mod m20261125_000013_forgotten;
mod m20261125_000014_clear_columns_gone;
mod steps;

/// The step before which the program seals what the columns hold that this step drops.
pub const CLEAR_COLUMNS_GONE: &str = "m20261125_000014_clear_columns_gone";

/// Brings a database from any earlier state to the current one.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m20261123_000001_partners::Step),
            Box::new(m20261123_000002_programmes::Step),
            Box::new(m20261123_000003_people::Step),
            Box::new(m20261123_000004_operations::Step),
            Box::new(m20261123_000005_settlements::Step),
            Box::new(m20261123_000006_aid_cards::Step),
            Box::new(m20261123_000007_referrals::Step),
            Box::new(m20261124_000008_ledger::Step),
            Box::new(m20261124_000009_trail::Step),
            Box::new(m20261125_000010_clients::Step),
            Box::new(m20261125_000011_sealed::Step),
            Box::new(m20261125_000012_looks::Step),
            Box::new(m20261125_000013_forgotten::Step),
            Box::new(m20261125_000014_clear_columns_gone::Step),
        ]
    }
}
