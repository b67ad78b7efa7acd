//! Rights: a verified token gives [`Claims`], a live row a [`Viewer`], a viewer a [`Slice`], a slice a [`Selection`] that
//! already holds the partner's policy. No identity, no handle; no handle, no data. Writing is an [`Act`].

mod act;
mod asked;
mod audit;
mod budget;
mod counter;
mod database;
mod desk;
mod directory;
mod disclosure;
mod doors;
mod entries;
mod feed;
mod jwks;
mod keys;
mod lease;
mod looks;
mod misses;
mod ownership;
mod patience;
pub mod policy;
mod receipt;
mod records;
pub mod seals;
mod slice;
mod statements;
mod token;
mod viewer;
mod writing;

pub use act::{Act, Answer, Answered, Intent, Outcome, read_answer};
pub use asked::Bounds;
pub use audit::{Book, Finding, Head, Summary};
pub use budget::BudgetLeft;
pub use database::{Database, counting, recording};
pub use desk::{Conflicts, Desk, Patient, StayMarks};
pub use directory::{Directory, LONGEST_AGE, Reference, in_force};
pub use disclosure::{Disclosed, column, disclosed};
pub use doors::ReferralRow;
pub use jwks::PublicKeys;
pub use keys::{Keys, make_private_folder};
pub use patience::Patience;
pub use receipt::Receipt;
pub use slice::{COUNTED_UP_TO, Selection, Slice};
pub use statements::{ActPlace, Owed, Totals};
pub use token::{Claims, Gate, IssueError, LONGEST_LIFE, LoadingGate};
pub use viewer::{Viewer, may_hold, scopes_of};
