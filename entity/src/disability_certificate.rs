//! The number of a disability certificate, kept as closely as the resident id inside it.

use std::fmt;

use crate::kinds::DisabilityClass;
use crate::national_id::{self, NationalId, NationalIdError};

const ID_LENGTH: usize = 18;

/// A valid number of a disability certificate (DOMAIN.md §7): the holder's resident id, the class of the
/// disability (1 to 7), its grade (1, most severe, to 4), and B1, B2 … on a re-issue.
///
/// There is no `Display`, no `Serialize`, and `Debug` shows no digit.
#[derive(Clone, PartialEq, Eq)]
pub struct DisabilityCertificate {
    number: String,
    class: DisabilityClass,
    grade: u8,
}

/// What is wrong with a certificate number. It carries nothing of the number itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DisabilityCertificateError {
    /// Fewer than 20 characters.
    Length,
    /// The first 18 characters are no resident id.
    ResidentId(NationalIdError),
    /// The class is not 1 to 7.
    Class,
    /// The grade is not 1 to 4.
    Grade,
    /// What follows the grade is not B1 to B99.
    Reissue,
}

impl DisabilityCertificate {
    /// Reads a certificate number; a lower-case x of the resident id is read as X, nothing is trimmed.
    ///
    /// The resident id is checked as by [`NationalId::parse`], but its date of birth may be of any year: the
    /// published sample, which is nobody's, is of 1801.
    ///
    /// # Errors
    /// The first [`DisabilityCertificateError`] in the order of its variants.
    pub fn parse(text: &str) -> Result<Self, DisabilityCertificateError> {
        let mut rest = text.chars();
        let id: String = rest.by_ref().take(ID_LENGTH).collect();
        let (Some(class), Some(grade)) = (rest.next(), rest.next()) else {
            return Err(DisabilityCertificateError::Length);
        };
        let id = NationalId::parse_since(0, &id).map_err(DisabilityCertificateError::ResidentId)?;
        let number = format!("{}{class}{grade}{}", id.expose(), rest.as_str());
        let class = class_of(class).ok_or(DisabilityCertificateError::Class)?;
        let grade = grade_of(grade).ok_or(DisabilityCertificateError::Grade)?;
        if !is_reissue(rest.as_str()) {
            return Err(DisabilityCertificateError::Reissue);
        }
        Ok(Self { number, class, grade })
    }

    /// The class of the disability.
    pub fn class(&self) -> DisabilityClass {
        self.class
    }

    /// The grade, 1 (most severe) to 4.
    pub fn grade(&self) -> u8 {
        self.grade
    }

    /// The number with the middle of the resident id hidden, e.g. `4199**********001453B1`.
    pub fn masked(&self) -> String {
        national_id::masked(&self.number)
    }

    /// The plain number, with an upper-case X. The one way to it: call it only to store the number sealed, to
    /// look it up, or to show it to somebody whose reading has been recorded.
    pub fn expose(&self) -> &str {
        &self.number
    }
}

impl fmt::Debug for DisabilityCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DisabilityCertificate(…)")
    }
}

fn class_of(digit: char) -> Option<DisabilityClass> {
    Some(match digit {
        '1' => DisabilityClass::Visual,
        '2' => DisabilityClass::Hearing,
        '3' => DisabilityClass::Speech,
        '4' => DisabilityClass::Physical,
        '5' => DisabilityClass::Intellectual,
        '6' => DisabilityClass::Mental,
        '7' => DisabilityClass::Multiple,
        _ => return None,
    })
}

fn grade_of(digit: char) -> Option<u8> {
    digit.to_digit(10).and_then(|grade| u8::try_from(grade).ok()).filter(|grade| (1..=4).contains(grade))
}

fn is_reissue(suffix: &str) -> bool {
    matches!(suffix.as_bytes(), [] | [b'B', b'1'..=b'9'] | [b'B', b'1'..=b'9', b'0'..=b'9'])
}

#[cfg(test)]
mod tests {
    use super::DisabilityCertificateError::{Class, Grade, Length, Reissue, ResidentId};
    use super::*;

    fn parse(text: &str) -> Result<DisabilityCertificate, DisabilityCertificateError> {
        DisabilityCertificate::parse(text)
    }

    #[test]
    fn the_sample_is_read() {
        let certificate = parse("41010218010101001X53").unwrap();
        assert_eq!(certificate.class(), DisabilityClass::Intellectual);
        assert_eq!(certificate.grade(), 3);
        assert_eq!(certificate.expose(), "41010218010101001X53");
        assert_eq!(certificate.masked(), "4101**********001X53");
    }

    #[test]
    fn every_class_and_grade_is_read() {
        for (class, expected) in (1..).zip(DisabilityClass::ALL) {
            for grade in 1..=4 {
                let certificate = parse(&format!("419999197001010014{class}{grade}")).unwrap();
                assert_eq!((certificate.class(), certificate.grade()), (*expected, grade));
            }
        }
    }

    #[test]
    fn a_reissue_is_part_of_the_number() {
        for suffix in ["B1", "B2", "B9", "B10", "B99"] {
            let text = format!("41999919500101004x12{suffix}");
            let certificate = parse(&text).unwrap();
            assert_eq!(certificate.expose(), text.to_uppercase());
            assert_eq!(certificate.masked(), format!("4199**********004X12{suffix}"));
            assert_ne!(certificate, parse("41999919500101004X12").unwrap());
        }
    }

    #[test]
    fn nothing_is_printed() {
        assert_eq!(format!("{:?}", parse("41999919700101001453").unwrap()), "DisabilityCertificate(…)");
    }

    #[test]
    fn everything_else_is_refused() {
        for (text, error) in [
            ("", Length),
            ("419999197001010014", Length),
            ("4199991970010100145", Length),
            ("41999919700101001353", ResidentId(NationalIdError::CheckDigit)),
            ("41999919700230001453", ResidentId(NationalIdError::Date)),
            (" 41999919700101001453", ResidentId(NationalIdError::Character)),
            ("４1999919700101001453", ResidentId(NationalIdError::Character)),
            ("41999919700101001403", Class),
            ("41999919700101001483", Class),
            ("419999197001010014５3", Class),
            ("41999919700101001450", Grade),
            ("41999919700101001455", Grade),
            ("4199991970010100145B", Grade),
            ("4199991970010100145B1", Grade),
            ("41999919700101001453 ", Reissue),
            ("41999919700101001453B", Reissue),
            ("41999919700101001453B0", Reissue),
            ("41999919700101001453B01", Reissue),
            ("41999919700101001453b1", Reissue),
            ("41999919700101001453C1", Reissue),
            ("41999919700101001453B123", Reissue),
        ] {
            assert_eq!(parse(text), Err(error), "{text:?}");
        }
    }
}
