//! What is due to whom: pure functions, with their tests beside them.

pub mod calendar;
pub mod duties;
pub mod eligibility;
pub mod person_name;
pub mod reconciliation;
pub mod referral;
pub mod reimbursement;
pub mod retention;
pub mod text;
