//! What text of partners must be like: free text for people to read, and numbers that are compared.

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextFault {
    /// Nothing in it can be seen.
    Blank,
    TooLong {
        most: usize,
    },
    /// A character that steers how text is shown instead of showing anything, or that a number does not have.
    Forbidden(char),
    /// A number with a space at its edge, or with two in a row.
    Spaces,
}

/// A number in the one form in which it is kept and compared: letters and digits of every width become those of ASCII.
pub fn number_form(text: &str) -> String {
    text.nfkc().collect()
}

/// What is wrong with a number that is in its one form: it must look different from every other one, so it has nothing but
/// visible characters and single spaces between them.
pub fn number_fault(number: &str, most: usize) -> Option<TextFault> {
    if !number.chars().any(is_visible) {
        return Some(TextFault::Blank);
    }
    if number.chars().count() > most {
        return Some(TextFault::TooLong { most });
    }
    if let Some(char) = number.chars().find(|char| *char != ' ' && !belongs_in_a_number(*char)) {
        return Some(TextFault::Forbidden(char));
    }
    let spaced = number.starts_with(' ') || number.ends_with(' ') || number.contains("  ");
    spaced.then_some(TextFault::Spaces)
}

/// What is wrong with a text for people, which may have several lines.
pub fn text_fault(text: &str, most: usize) -> Option<TextFault> {
    if !text.chars().any(is_visible) {
        return Some(TextFault::Blank);
    }
    if text.chars().count() > most {
        return Some(TextFault::TooLong { most });
    }
    text.chars().find(|char| *char != '\n' && steers(*char)).map(TextFault::Forbidden)
}

fn is_visible(char: char) -> bool {
    let category = char.general_category();
    belongs_in_a_number(char) || matches!(category, GeneralCategory::PrivateUse | GeneralCategory::Unassigned)
}

fn belongs_in_a_number(char: char) -> bool {
    use GeneralCategoryGroup::{Letter, Number, Punctuation, Symbol};
    matches!(char.general_category_group(), Letter | Number | Punctuation | Symbol) && !is_filler(char)
}

/// Letters and a symbol that are drawn as nothing: the Hangul fillers, the blank pattern of Braille.
fn is_filler(char: char) -> bool {
    matches!(char, '\u{115F}' | '\u{1160}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}')
}

/// Control characters, marks of direction, joiners and other formats, separators of lines.
fn steers(char: char) -> bool {
    use GeneralCategory::{Control, Format, LineSeparator, ParagraphSeparator};
    matches!(char.general_category(), Control | Format | LineSeparator | ParagraphSeparator)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each would make two numbers, or two texts, out of what looks like one.
    const STEERING: [char; 17] = [
        '\0',
        '\u{1}',
        '\t',
        '\r',
        '\u{7F}',
        '\u{85}',
        '\u{AD}',
        '\u{200B}',
        '\u{200D}',
        '\u{200E}',
        '\u{202E}',
        '\u{2028}',
        '\u{2029}',
        '\u{2060}',
        '\u{2066}',
        '\u{FEFF}',
        '\u{E0041}',
    ];

    fn number(text: &str) -> Result<String, TextFault> {
        let number = number_form(text);
        number_fault(&number, 20).map_or(Ok(number), Err)
    }

    #[test]
    fn a_number_has_one_form() {
        for (written, kept) in [
            ("ＡＢ１", "AB1"),
            ("AB1", "AB1"),
            ("ＦＰ－２０１６／１", "FP-2016/1"),
            ("A\u{3000}1", "A 1"),
            ("街道-2016-17", "街道-2016-17"),
            ("№①", "No1"),
            ("e\u{301}", "é"),
        ] {
            assert_eq!(number(written), Ok(kept.to_owned()), "{written}");
            assert_eq!(number_form(kept), kept);
        }
    }

    #[test]
    fn a_number_shows_all_that_it_has() {
        let unseen =
            ['\n', '\u{FE0F}', '\u{34F}', '\u{115F}', '\u{2800}', '\u{3164}', '\u{FFA0}', '\u{E000}'];
        for char in STEERING.into_iter().chain(unseen) {
            for text in [format!("{char}AB1"), format!("A{char}B1"), format!("AB1{char}")] {
                assert!(matches!(number(&text), Err(TextFault::Forbidden(_))), "{char:?}");
            }
            assert!(number(&char.to_string()).is_err(), "{char:?}");
        }
    }

    #[test]
    fn a_number_has_single_spaces_inside() {
        assert_eq!(number("FP 2016 1"), Ok("FP 2016 1".to_owned()));
        for text in [" FP", "FP ", "FP  1", "\u{3000}FP", "FP\u{A0}", "FP \u{2009}1"] {
            assert_eq!(number(text), Err(TextFault::Spaces), "{text:?}");
        }
        for text in ["", " ", "\u{3000}\u{A0}", "\u{200B}"] {
            assert_eq!(number(text), Err(TextFault::Blank), "{text:?}");
        }
        assert_eq!(number(&"9".repeat(21)), Err(TextFault::TooLong { most: 20 }));
        assert!(number(&"９".repeat(20)).is_ok());
    }

    #[test]
    fn text_is_for_people_to_read() {
        for text in
            ["needs help", "第一行\n第二行", "e\u{301}", "❤\u{FE0F}", "100% _ \\", "𠮷", "\u{E000}", " x "]
        {
            assert_eq!(text_fault(text, 20), None, "{text:?}");
        }
        for char in STEERING {
            assert_eq!(text_fault(&format!("a{char}b"), 20), Some(TextFault::Forbidden(char)), "{char:?}");
        }
        assert_eq!(text_fault(&"字".repeat(21), 20), Some(TextFault::TooLong { most: 20 }));
    }

    #[test]
    fn text_without_anything_to_see_is_blank() {
        for text in
            ["", "   ", "\n\n", "\u{3000}", "\u{200B}\u{200B}", "\u{3164}", "\u{2800}", "\u{301}", "\u{FE0F}"]
        {
            assert_eq!(text_fault(text, 20), Some(TextFault::Blank), "{text:?}");
        }
    }
}
