//! The scalars of the contract. What a scalar can judge alone is judged here, before anything runs.

use async_graphql::{InputValueError, InputValueResult, Scalar, ScalarType, Value};
use chrono::{DateTime as ChronoDateTime, DurationRound, NaiveDate, SecondsFormat, TimeDelta, Utc};
use entity::{BasisPoints, Fen};
use rust_decimal::Decimal;

use crate::error::code;

fn refused<T: async_graphql::InputType>(why: impl Into<String>) -> InputValueError<T> {
    InputValueError::custom(why.into()).with_extension("code", code::BAD_USER_INPUT)
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err("must be a string.".into()),
    }
}

/// Why an input value is not one of this scalar, by the scalar's name; other scalars are judged elsewhere.
pub fn judge(scalar: &str, value: &Value) -> Result<(), String> {
    match scalar {
        "Money" => money(value).map(drop),
        "Date" => date(value).map(drop),
        "DateTime" => date_time(value).map(drop),
        "YearMonth" => year_month(value).map(drop),
        "NationalId" => national_id(value).map(drop),
        "IdempotencyKey" => idempotency_key(value).map(drop),
        "Int" => int(value),
        _ => Ok(()),
    }
}

/// Reads a value that does not come in a document, by the scalar's name.
pub fn read<S: ScalarType>(scalar: &str, text: &str) -> Result<S, String> {
    let value = Value::String(text.to_owned());
    judge(scalar, &value)?;
    S::parse(value).map_err(|_| format!("must be a {scalar}."))
}

/// Validation takes any whole number for an `Int`; anything else is left to it.
fn int(value: &Value) -> Result<(), String> {
    match value {
        Value::Number(number)
            if !number.is_f64() && number.as_i64().and_then(|n| i32::try_from(n).ok()).is_none() =>
        {
            Err(format!("must be a whole number between {} and {}.", i32::MIN, i32::MAX))
        }
        _ => Ok(()),
    }
}

macro_rules! text_scalar {
    ($(#[$meta:meta])* $name:ident($inner:ty), $read:ident, $write:expr) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub $inner);

        $(#[$meta])*
        #[Scalar]
        impl ScalarType for $name {
            fn parse(value: Value) -> InputValueResult<Self> {
                $read(&value).map(Self).map_err(refused)
            }

            fn to_value(&self) -> Value {
                Value::String(self.written())
            }
        }

        impl $name {
            /// As it is printed.
            pub fn written(&self) -> String {
                let write: fn(&$inner) -> String = $write;
                write(&self.0)
            }
        }
    };
}

text_scalar! {
    /// An amount in yuan (CNY): a string, as input `^(0|[1-9][0-9]{0,9})[.][0-9]{2}$`, e.g. `"5040.00"`; results may carry a leading minus.
    Money(Fen), money, |fen| fen.to_yuan().to_string()
}

fn money(value: &Value) -> Result<Fen, String> {
    const WANTED: &str = "must be yuan with exactly two decimals in a string, such as \"5040.00\"";
    let text = text(value).map_err(|_| format!("{WANTED}."))?;
    if text.starts_with('-') {
        return Err(format!("must not be negative; it {WANTED}."));
    }
    let (yuan, fen) = text.split_once('.').ok_or_else(|| format!("{WANTED}."))?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = digits(yuan) && digits(fen) && fen.len() == 2 && (yuan == "0" || !yuan.starts_with('0'));
    if !plain {
        return Err(format!("{WANTED}."));
    }
    if yuan.len() > 10 {
        return Err("must be below 10000000000.00 yuan.".into());
    }
    let amount: Decimal = text.parse().map_err(|_| format!("{WANTED}."))?;
    Fen::from_yuan(amount).map_err(|_| format!("{WANTED}."))
}

/// A share between 0 and 1, four decimals, as a string, e.g. `"0.7000"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate(pub BasisPoints);

/// A share between 0 and 1, four decimals, as a string, e.g. `"0.7000"`.
#[Scalar]
impl ScalarType for Rate {
    fn parse(_: Value) -> InputValueResult<Self> {
        Err(refused("is never an input."))
    }

    fn to_value(&self) -> Value {
        Value::String(self.0.share().to_string())
    }
}

text_scalar! {
    /// A calendar date, ISO 8601 (`2016-05-31`), in China Standard Time.
    Date(NaiveDate), date, |date| date.format("%Y-%m-%d").to_string()
}

fn date(value: &Value) -> Result<NaiveDate, String> {
    const WANTED: &str = "must be a calendar date such as \"2016-05-31\"";
    let text = text(value).map_err(|_| format!("{WANTED}."))?;
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(index, byte)| match index {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    if !shaped {
        return Err(format!("{WANTED}."));
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .map_err(|_| format!("{WANTED}: there is no such day."))?;
    let sane = NaiveDate::from_ymd_opt(1900, 1, 1).zip(NaiveDate::from_ymd_opt(2999, 12, 31));
    match sane {
        Some((first, last)) if (first..=last).contains(&date) => Ok(date),
        _ => Err(format!("{WANTED}, in the years 1900 to 2999.")),
    }
}

text_scalar! {
    /// A month, `YYYY-MM`.
    YearMonth(String), year_month, |month| month.clone()
}

fn year_month(value: &Value) -> Result<String, String> {
    const WANTED: &str = "must be a month such as \"2016-05\"";
    let text = text(value).map_err(|_| format!("{WANTED}."))?;
    date(&Value::String(format!("{text}-01"))).map(|_| text.to_owned()).map_err(|_| format!("{WANTED}."))
}

text_scalar! {
    /// An instant, RFC 3339; printed in UTC with `Z` and microseconds.
    DateTime(ChronoDateTime<Utc>), date_time, |at| at.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn date_time(value: &Value) -> Result<ChronoDateTime<Utc>, String> {
    const WANTED: &str =
        "must be an instant such as \"2016-05-31T08:30:00Z\" or \"2016-05-31T16:30:00+08:00\"";
    let text = text(value).map_err(|_| format!("{WANTED}."))?;
    let at = ChronoDateTime::parse_from_rfc3339(text).map_err(|_| format!("{WANTED}."))?.with_timezone(&Utc);
    let years = 1900..=2999;
    if !years.contains(&chrono::Datelike::year(&at)) {
        return Err(format!("{WANTED}, in the years 1900 to 2999."));
    }
    Ok(at.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(at))
}

/// An 18-character resident identity number (GB 11643), check digit verified; lower-case x is read as X. Only ever an
/// input: answers carry it masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NationalId(pub entity::NationalId);

/// An 18-character resident identity number (GB 11643), check digit verified; lower-case x is read as X. Only ever an
/// input: answers carry it masked.
#[Scalar]
impl ScalarType for NationalId {
    fn parse(value: Value) -> InputValueResult<Self> {
        national_id(&value).map(Self).map_err(refused)
    }

    /// Only for telling equal requests from other ones; no answer carries this scalar.
    fn to_value(&self) -> Value {
        Value::String(self.0.expose().to_owned())
    }
}

fn national_id(value: &Value) -> Result<entity::NationalId, String> {
    use entity::national_id::NationalIdError;
    let text = text(value)?;
    entity::NationalId::parse(text).map_err(|error| {
        match error {
            NationalIdError::Length => "must have 18 characters.",
            NationalIdError::Character => "must be 17 digits and a last character of 0-9 or X.",
            NationalIdError::Date => "has no calendar date of birth in its characters 7 to 14.",
            NationalIdError::CheckDigit => {
                "has a wrong check digit (its last character, GB 11643); read it again."
            }
        }
        .to_owned()
    })
}

text_scalar! {
    /// A key chosen by the partner for one intended effect; 1 to 128 printable ASCII characters, unique per partner for ever.
    /// The hospital's message id (msgid) serves. The same key with the same mutation and the same coerced input (never the
    /// document's text) gives the first answer again (`replayed: true`: same result id, userErrors and calculation; linked
    /// objects as they are now); with another input, `KEY_REUSED`. A business refusal (`userErrors`) is an answer too: it is
    /// kept, and a corrected request takes a new key. GraphQL errors (no token, malformed input, limits, faults) are never
    /// kept: the same key may be sent again.
    IdempotencyKey(String), idempotency_key, Clone::clone
}

fn idempotency_key(value: &Value) -> Result<String, String> {
    let text = text(value)?;
    let printable = text.bytes().all(|byte| (0x20..=0x7e).contains(&byte));
    if (1..=128).contains(&text.len()) && printable && !text.trim().is_empty() {
        Ok(text.to_owned())
    } else {
        Err("must be 1 to 128 printable ASCII characters, not all of them blank.".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ok(scalar: &str, text: &str) -> bool {
        judge(scalar, &Value::String(text.into())).is_ok()
    }

    #[test]
    fn money_is_exact_yuan_in_a_string() {
        for right in ["0.00", "0.01", "1.00", "5040.00", "9999999999.99"] {
            assert!(ok("Money", right), "{right}");
        }
        for wrong in [
            "",
            "1",
            "1.0",
            "1.000",
            "01.00",
            ".50",
            "1.",
            "-1.00",
            "+1.00",
            "1,000.00",
            "1e3",
            " 1.00",
            "1.00 ",
            "NaN",
            "10000000000.00",
            "１.00",
            "0x1.00",
        ] {
            assert!(!ok("Money", wrong), "{wrong}");
        }
        assert!(judge("Money", &Value::Number(1.into())).is_err());
        assert!(judge("Money", &Value::Boolean(true)).is_err());
        assert_eq!(Money(Fen::new(-7)).to_value(), Value::String("-0.07".into()));
    }

    #[test]
    fn dates_are_real_days() {
        assert!(ok("Date", "2016-02-29"));
        for wrong in
            ["2015-02-29", "2016-13-01", "2016-1-1", "16-01-01", "2016-01-01T00:00:00Z", "0001-01-01", ""]
        {
            assert!(!ok("Date", wrong), "{wrong}");
        }
    }

    #[test]
    fn instants_are_kept_to_the_microsecond() {
        let at = date_time(&Value::String("2016-05-31T16:30:00.123456789+08:00".into())).unwrap();
        assert_eq!(DateTime(at).to_value(), Value::String("2016-05-31T08:30:00.123456Z".into()));
        for wrong in ["2016-05-31", "2016-05-31T16:30:00", "yesterday", "9999-12-31T23:59:59Z"] {
            assert!(!ok("DateTime", wrong), "{wrong}");
        }
    }

    #[test]
    fn keys_are_printable_ascii() {
        assert!(ok("IdempotencyKey", "H41999900153-20161123-0001"));
        assert!(ok("IdempotencyKey", &"k".repeat(128)));
        for wrong in ["", "   ", "键", "a\nb", "a\u{7f}"] {
            assert!(!ok("IdempotencyKey", wrong), "{wrong:?}");
        }
        assert!(!ok("IdempotencyKey", &"k".repeat(129)));
    }
}
