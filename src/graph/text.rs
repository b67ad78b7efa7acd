//! Text that partners send, judged by [`crate::rules::text`].

use std::borrow::Cow;

use async_graphql::registry::Registry;
use async_graphql::{InputType, InputValueError, InputValueResult, Value};

use crate::refusal::{Reason, Refusal};
use crate::rules::text::{TextFault, number_fault, number_form, text_fault};

/// A number that a partner gives to something, such as an invoice: a `String` of the contract, read in the one form in which
/// numbers are kept and compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number(String);

impl Number {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<T: AsRef<str>> From<T> for Number {
    fn from(text: T) -> Self {
        Self(number_form(text.as_ref()))
    }
}

impl InputType for Number {
    type RawValueType = Self;

    fn type_name() -> Cow<'static, str> {
        <String as InputType>::type_name()
    }

    fn create_type_info(registry: &mut Registry) -> String {
        <String as InputType>::create_type_info(registry)
    }

    fn parse(value: Option<Value>) -> InputValueResult<Self> {
        let text = <String as InputType>::parse(value).map_err(InputValueError::propagate)?;
        Ok(Self::from(text))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.clone())
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }
}

/// What can be said against a text for people; it must not be blank.
pub fn check_text(text: &str, most: usize, field: &str) -> Option<Refusal> {
    text_fault(text, most).map(|fault| Refusal::new(reason(fault), &[field]))
}

/// What can be said against a number; it must not be blank.
pub fn check_number(number: &Number, most: usize, field: &str) -> Option<Refusal> {
    number_fault(number.as_str(), most).map(|fault| Refusal::new(reason(fault), &[field]))
}

fn reason(fault: TextFault) -> Reason {
    match fault {
        TextFault::Blank => Reason::Blank,
        TextFault::TooLong { most } => Reason::TooLong { most },
        TextFault::Forbidden(char) => {
            Reason::ForbiddenCharacter { code_point: format!("U+{:04X}", u32::from(char)) }
        }
        TextFault::Spaces => Reason::Spaces,
    }
}
