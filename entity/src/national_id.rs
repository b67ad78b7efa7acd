//! The resident identity number of GB 11643, kept so that it cannot be printed by accident.

use std::fmt;

use chrono::{Datelike, NaiveDate};

const LENGTH: usize = 18;
const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
/// The check character for each remainder.
const CHECKS: [u8; 11] = *b"10X98765432";
const FIRST_YEAR: i32 = 1900;

/// A valid resident identity number (GB 11643): area 6, date of birth 8, sequence 3, check character 1.
///
/// The number is personal data and never the key of a person: there is no `Display`, no `Serialize`, and
/// `Debug` shows no digit. [`NationalId::expose`] is the one way to it.
#[derive(Clone, PartialEq, Eq)]
pub struct NationalId {
    number: String,
    birth_date: NaiveDate,
    male: bool,
}

/// What is wrong with a number. It carries nothing of the number itself, so it may go into answers and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NationalIdError {
    /// Not 18 characters; blanks around the number count.
    Length,
    /// Something other than 17 ASCII digits and a digit or X at the end.
    Character,
    /// The date of birth is no calendar date, or before 1900.
    Date,
    /// The last character does not fit the others.
    CheckDigit,
}

impl NationalId {
    /// Reads a number of 18 characters; a lower-case x at the end is read as X, nothing is trimmed.
    ///
    /// The area is not looked up: an unknown one is no error (DOMAIN.md §7). The date of birth must be a real
    /// calendar date from 1900-01-01 on; whether it lies in the future is for the caller, who knows the day.
    ///
    /// # Errors
    /// The first [`NationalIdError`] in the order of its variants.
    pub fn parse(text: &str) -> Result<Self, NationalIdError> {
        Self::parse_since(FIRST_YEAR, text)
    }

    /// Like [`NationalId::parse`], with another first year of birth.
    pub(crate) fn parse_since(first_year: i32, text: &str) -> Result<Self, NationalIdError> {
        if text.chars().count() != LENGTH {
            return Err(NationalIdError::Length);
        }
        let number = text.to_ascii_uppercase();
        let (body, check) = number.split_at_checked(LENGTH - 1).ok_or(NationalIdError::Character)?;
        let expected = check_digit(body).ok_or(NationalIdError::Character)?;
        let mut check = check.chars();
        let (Some(given @ ('0'..='9' | 'X')), None) = (check.next(), check.next()) else {
            return Err(NationalIdError::Character);
        };
        let birth_date =
            birth_date(body).filter(|date| date.year() >= first_year).ok_or(NationalIdError::Date)?;
        if given != expected {
            return Err(NationalIdError::CheckDigit);
        }
        let male = digit(body, 16) % 2 == 1;
        Ok(Self { number, birth_date, male })
    }

    /// The date of birth that the number states.
    pub fn birth_date(&self) -> NaiveDate {
        self.birth_date
    }

    /// Whether the number was given to a man: its sequence is odd.
    pub fn is_male(&self) -> bool {
        self.male
    }

    /// The number with its middle hidden: the first four and the last four characters around ten stars,
    /// e.g. `4199**********0014`.
    pub fn masked(&self) -> String {
        masked(&self.number)
    }

    /// The plain number, with an upper-case X. The one way to it: call it only to store the number sealed, to
    /// look it up, or to show it to somebody whose reading has been recorded.
    pub fn expose(&self) -> &str {
        &self.number
    }
}

impl fmt::Debug for NationalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NationalId(…)")
    }
}

/// The check character of the first 17 digits (ISO 7064 MOD 11-2), or nothing when they are not 17 ASCII
/// digits.
pub fn check_digit(first17: &str) -> Option<char> {
    let digits = first17.as_bytes();
    if digits.len() != WEIGHTS.len() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sum: u32 = digits.iter().zip(WEIGHTS).map(|(digit, weight)| u32::from(digit - b'0') * weight).sum();
    CHECKS.get((sum % 11) as usize).copied().map(char::from)
}

/// A resident id, and whatever follows it, with characters 5 to 14 hidden.
pub(crate) fn masked(number: &str) -> String {
    number.chars().enumerate().map(|(at, char)| if (4..14).contains(&at) { '*' } else { char }).collect()
}

fn birth_date(body: &str) -> Option<NaiveDate> {
    let year = i32::try_from(number_at(body, 6, 4)).ok()?;
    NaiveDate::from_ymd_opt(year, number_at(body, 10, 2), number_at(body, 12, 2))
}

fn number_at(digits: &str, from: usize, count: usize) -> u32 {
    (from..from + count).fold(0, |value, at| value * 10 + digit(digits, at))
}

fn digit(digits: &str, at: usize) -> u32 {
    digits.as_bytes().get(at).map_or(0, |byte| u32::from(byte.wrapping_sub(b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number of a test person with the right check character.
    fn number(first17: &str) -> String {
        format!("{first17}{}", check_digit(first17).unwrap())
    }

    fn date(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    #[test]
    fn samples_are_read() {
        for (text, birth, male) in [
            ("419999197001010014", date(1970, 1, 1), true),
            ("419999193601010028", date(1936, 1, 1), false),
            ("41999919500101004X", date(1950, 1, 1), false),
        ] {
            let id = NationalId::parse(text).unwrap();
            assert_eq!((id.birth_date(), id.is_male(), id.expose()), (birth, male, text));
        }
    }

    #[test]
    fn a_small_x_is_a_capital_one() {
        let id = NationalId::parse("41999919500101004x").unwrap();
        assert_eq!(id, NationalId::parse("41999919500101004X").unwrap());
        assert_eq!(id.expose(), "41999919500101004X");
    }

    #[test]
    fn nothing_is_printed() {
        let id = NationalId::parse("419999197001010014").unwrap();
        assert_eq!(id.masked(), "4199**********0014");
        assert_eq!(format!("{id:?}"), "NationalId(…)");
        assert_eq!(format!("{:#?}", Some(&id)).matches(|char: char| char.is_ascii_digit()).count(), 0);
    }

    #[test]
    fn the_length_is_18_without_trimming() {
        for text in
            ["", "41999919700101001", "4199991970010100144", " 419999197001010014", "419999197001010014\n"]
        {
            assert_eq!(NationalId::parse(text), Err(NationalIdError::Length), "{text:?}");
        }
        assert_eq!(
            NationalId::parse("419999700101001"),
            Err(NationalIdError::Length),
            "the 15 digits of old"
        );
    }

    #[test]
    fn only_ascii_digits_and_a_final_x() {
        for text in [
            " 19999197001010014",
            "41999919700101001 ",
            "４19999197001010014",
            "41999919700101001４",
            "41999919700101001Ｘ",
            "4199991970010100X4",
            "X19999197001010014",
            "41999919700101001Y",
            "4199991970-1010014",
            "一二三四五六七八九十一二三四五六七八",
        ] {
            assert_eq!(NationalId::parse(text), Err(NationalIdError::Character), "{text:?}");
        }
    }

    #[test]
    fn the_birth_date_is_a_calendar_date_since_1900() {
        for birth in
            ["19700230", "19710229", "19001301", "19000001", "19700100", "19700132", "18991231", "00000000"]
        {
            let text = number(&format!("419999{birth}001"));
            assert_eq!(NationalId::parse(&text), Err(NationalIdError::Date), "{birth}");
        }
        assert_eq!(
            NationalId::parse("419999189912310010"),
            Err(NationalIdError::Date),
            "before the check digit"
        );
        for (birth, read) in [
            ("19000101", date(1900, 1, 1)),
            ("20240229", date(2024, 2, 29)),
            ("99991231", date(9999, 12, 31)),
        ] {
            assert_eq!(NationalId::parse(&number(&format!("419999{birth}001"))).unwrap().birth_date(), read);
        }
    }

    #[test]
    fn every_wrong_check_character_is_refused() {
        for last in "0123456789X".chars().filter(|last| *last != '4') {
            let text = format!("41999919700101001{last}");
            assert_eq!(NationalId::parse(&text), Err(NationalIdError::CheckDigit), "{last}");
        }
    }

    #[test]
    fn every_wrong_digit_of_the_sequence_and_area_is_noticed() {
        let good = "419999197001010014";
        for at in (0..6).chain(14..17) {
            for digit in '0'..='9' {
                let text: String =
                    good.chars().enumerate().map(|(i, c)| if i == at { digit } else { c }).collect();
                assert_eq!(NationalId::parse(&text).is_ok(), text == good, "{at} {digit}");
            }
        }
    }

    #[test]
    fn an_unknown_area_is_no_error() {
        assert!(NationalId::parse(&number("41999919700101001")).is_ok());
        assert!(NationalId::parse(&number("00000019700101001")).is_ok());
    }

    #[test]
    fn check_digits_need_17_digits() {
        assert_eq!(check_digit("41999919500101004"), Some('X'));
        assert_eq!(check_digit("4199991950010100"), None);
        assert_eq!(check_digit("419999195001010040"), None);
        assert_eq!(check_digit("4199991950010100X"), None);
        assert_eq!(check_digit("４1999919500101"), None, "17 bytes, not 17 digits");
    }
}
