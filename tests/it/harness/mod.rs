//! A district in which partners can be asked things, in the words of the domain.

pub mod beside;
pub mod bill;
pub mod canary;
pub mod client;
pub mod database;
pub mod district;
pub mod files;
pub mod follower;
pub mod golden;
pub mod hospital;
pub mod owed;
pub mod partner;
pub mod policy;
pub mod referring;
pub mod sdl;
pub mod till;
pub mod town;
pub mod within;

pub use bill::Bill;
pub use district::District;
pub use partner::{Partner, Reply};
pub use policy::Policy;
pub use town::Town;
pub use within::Within;
