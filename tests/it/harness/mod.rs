//! A district in which partners can be asked things, in the words of the domain.

pub mod bill;
pub mod database;
pub mod district;
pub mod golden;
pub mod partner;
pub mod within;

pub use bill::Bill;
pub use district::{District, Policy};
pub use partner::{Partner, Reply};
pub use within::Within;
