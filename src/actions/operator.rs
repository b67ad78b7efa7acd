use async_graphql::InputObject;

use crate::graph::text::{Number, check_number, check_text};
use crate::refusal::Refusal;

const LONGEST: usize = 64;

/// Who pressed the button at the partner's side, as the partner states it; kept for the audit.
#[derive(InputObject)]
pub struct OperatorInput {
    pub code: Number,
    pub name: Option<String>,
}

/// The operator as an act keeps it.
pub fn stated(operator: Option<&OperatorInput>) -> Option<(&str, Option<&str>)> {
    operator.map(|operator| (operator.code.as_str(), operator.name.as_deref()))
}

/// What can be said against a stated operator.
pub fn check(operator: Option<&OperatorInput>) -> Vec<Refusal> {
    let Some(operator) = operator else { return Vec::new() };
    let code = check_number(&operator.code, LONGEST, "code");
    let name = operator.name.as_deref().and_then(|name| check_text(name, LONGEST, "name"));
    code.into_iter().chain(name).map(|refusal| refusal.under("operator")).collect()
}
