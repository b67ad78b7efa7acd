//! The number of an aid card, kept so that it cannot be printed by accident: who knows it can spend the card.

use std::fmt;

const LENGTH: usize = 17;
const SHOWN: usize = 4;

/// A number of an aid card in valid form (DOMAIN.md §7): 17 digits, namely year 4, district 3, sub-district
/// 3, serial 6 and one check digit by ISO 7064 MOD 11,10. Whether such a card was issued is another question.
///
/// There is no `Display`, no `Serialize`, and `Debug` shows no digit.
#[derive(Clone, PartialEq, Eq)]
pub struct CardNumber(String);

/// What is wrong with a number. It carries nothing of the number itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CardNumberError {
    /// Not 17 characters; blanks around the number count.
    Length,
    /// Something other than an ASCII digit.
    Character,
    /// The last digit does not fit the others.
    CheckDigit,
}

impl CardNumber {
    /// Reads a number of 17 digits; nothing is trimmed.
    ///
    /// # Errors
    /// The first [`CardNumberError`] in the order of its variants.
    pub fn parse(text: &str) -> Result<Self, CardNumberError> {
        if text.chars().count() != LENGTH {
            return Err(CardNumberError::Length);
        }
        if !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(CardNumberError::Character);
        }
        let (body, check) = text.split_at(LENGTH - 1);
        if check_digit(body).to_string() != check {
            return Err(CardNumberError::CheckDigit);
        }
        Ok(Self(text.to_owned()))
    }

    /// The number of these parts with its check digit; nothing when a part has too many digits, or the year
    /// fewer than four.
    ///
    /// Serials must be drawn at random: the check digit can be computed by anybody, so that consecutive
    /// numbers could be walked (DOMAIN.md §4).
    pub fn compose(year: u16, district: u16, subdistrict: u16, serial: u32) -> Option<Self> {
        if !(1000..=9999).contains(&year) || district > 999 || subdistrict > 999 || serial > 999_999 {
            return None;
        }
        let body = format!("{year:04}{district:03}{subdistrict:03}{serial:06}");
        let check = check_digit(&body);
        Some(Self(format!("{body}{check}")))
    }

    /// All but the last four digits hidden, e.g. `*************0015`.
    pub fn masked(&self) -> String {
        format!("{}{}", "*".repeat(LENGTH - SHOWN), self.last_four())
    }

    /// The last four digits, by which a holder knows the card.
    pub fn last_four(&self) -> &str {
        self.0.get(LENGTH - SHOWN..).unwrap_or_default()
    }

    /// The plain number. The one way to it: call it only to store the number sealed, to look the card up, or
    /// to print the card itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CardNumber(…)")
    }
}

/// ISO 7064 MOD 11,10 over ASCII digits.
fn check_digit(digits: &str) -> u32 {
    let product = digits.bytes().fold(10, |product, byte| {
        let sum = (product + u32::from(byte.wrapping_sub(b'0'))) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_read_and_composed() {
        for (text, subdistrict, serial) in [("20161020010000015", 1, 1), ("20161020060000025", 6, 2)] {
            let card = CardNumber::parse(text).unwrap();
            assert_eq!(card.expose(), text);
            assert_eq!(CardNumber::compose(2016, 102, subdistrict, serial), Some(card));
        }
    }

    #[test]
    fn only_the_last_four_digits_are_shown() {
        let card = CardNumber::parse("20161020010000015").unwrap();
        assert_eq!(card.masked(), "*************0015");
        assert_eq!(card.masked().len(), card.expose().len());
        assert_eq!(card.last_four(), "0015");
        assert_eq!(format!("{card:?}"), "CardNumber(…)");
    }

    #[test]
    fn the_length_is_17_without_trimming() {
        for text in
            ["", "2016102001000001", "201610200100000155", " 20161020010000015", "20161020010000015\n"]
        {
            assert_eq!(CardNumber::parse(text), Err(CardNumberError::Length), "{text:?}");
        }
    }

    #[test]
    fn only_ascii_digits() {
        for text in [
            "2016102001000001X",
            " 0161020010000015",
            "２0161020010000015",
            "2016-102001000015",
            "+0161020010000015",
        ] {
            assert_eq!(CardNumber::parse(text), Err(CardNumberError::Character), "{text:?}");
        }
    }

    #[test]
    fn every_single_wrong_digit_is_noticed() {
        for good in ["20161020010000015", "20161020060000025"] {
            for at in 0..LENGTH {
                for digit in '0'..='9' {
                    let text: String =
                        good.chars().enumerate().map(|(i, c)| if i == at { digit } else { c }).collect();
                    let expected = if text == good { Ok(()) } else { Err(CardNumberError::CheckDigit) };
                    assert_eq!(CardNumber::parse(&text).map(|_| ()), expected, "{at} {digit}");
                }
            }
        }
    }

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert_eq!(CardNumber::compose(999, 102, 1, 1), None);
        assert_eq!(CardNumber::compose(10_000, 102, 1, 1), None);
        assert_eq!(CardNumber::compose(2016, 1000, 1, 1), None);
        assert_eq!(CardNumber::compose(2016, 102, 1000, 1), None);
        assert_eq!(CardNumber::compose(2016, 102, 1, 1_000_000), None);
    }

    #[test]
    fn what_is_composed_is_read() {
        for serial in (0..=999_999).step_by(997) {
            let card = CardNumber::compose(2016, 102, (serial % 1000) as u16, serial).unwrap();
            assert_eq!(CardNumber::parse(card.expose()), Ok(card.clone()));
            assert_eq!(card.expose().get(10..16), Some(format!("{serial:06}").as_str()));
        }
        assert!(CardNumber::compose(9999, 999, 999, 999_999).is_some());
        assert!(CardNumber::compose(1000, 0, 0, 0).is_some());
    }
}
