//! How names of persons are compared and masked.

/// What two spellings of one name have in common: compare keys, never show them.
///
/// Blanks and characters that show nothing are dropped, full-width letters, digits and punctuation become
/// half-width, every middle dot becomes `·`, letters become capitals. The full stop counts as a middle dot,
/// for names such as 买买提·吐尔逊 are often typed with one. An empty key matches nobody: refuse such a name first.
pub fn same_name_key(name: &str) -> String {
    name.chars().filter(|char| !shows_nothing(*char)).map(one_form).flat_map(char::to_uppercase).collect()
}

/// The name as a stranger may see it: the first character, stars, and from three characters on the last one.
/// 李小明 → 李*明, 李明 → 李*, 欧阳小明 → 欧**明; a single character becomes `*`.
///
/// Blanks and characters that show nothing are dropped first, or they would count as characters to be kept.
pub fn masked(name: &str) -> String {
    let chars: Vec<char> = name.chars().filter(|char| !shows_nothing(*char)).collect();
    match chars.as_slice() {
        [] => String::new(),
        [_] => "*".to_owned(),
        [first, _] => format!("{first}*"),
        [first, middle @ .., last] => format!("{first}{}{last}", "*".repeat(middle.len())),
    }
}

/// Blanks of every width, soft hyphens, zero-width characters, marks of direction, variation selectors.
fn shows_nothing(char: char) -> bool {
    char.is_whitespace()
        || char.is_control()
        || matches!(char,
            '\u{00AD}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{2069}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{E0100}'..='\u{E01EF}')
}

fn one_form(char: char) -> char {
    match char {
        // In order: Greek ano teleia, bullet, hyphenation point, bullet operator, dot operator, raised dots,
        // katakana middle dots, full stops.
        '\u{0387}' | '\u{2022}' | '\u{2027}' | '\u{2219}' | '\u{22C5}' | '\u{2E31}' | '\u{2E33}'
        | '\u{A78F}' | '\u{30FB}' | '\u{FF65}' | '.' | '\u{FF0E}' | '\u{FE52}' => '·',
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(char) - 0xFEE0).unwrap_or(char),
        _ => char,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_do_not_count() {
        for blank in [
            ' ', '\t', '\n', '\u{3000}', '\u{A0}', '\u{2009}', '\u{200B}', '\u{200D}', '\u{2060}',
            '\u{FEFF}', '\u{AD}',
        ] {
            let name = format!("{blank}李{blank}{blank}小明{blank}");
            assert_eq!(same_name_key(&name), "李小明", "{blank:?}");
            assert_eq!(masked(&name), "李*明", "{blank:?}");
        }
    }

    #[test]
    fn one_width_and_one_case() {
        assert_eq!(same_name_key("Ａｎｎａ Ｌｉ"), "ANNALI");
        assert_eq!(same_name_key("anna li"), "ANNALI");
        assert_eq!(same_name_key("（李）１－２"), "(李)1-2");
        assert_eq!(same_name_key("José"), "JOSÉ");
    }

    #[test]
    fn one_middle_dot() {
        for dot in ['·', '•', '‧', '∙', '⋅', '・', '･', '．', '.', '﹒', '\u{0387}'] {
            assert_eq!(same_name_key(&format!("买买提 {dot} 吐尔逊")), "买买提·吐尔逊", "{dot:?}");
        }
    }

    #[test]
    fn different_names_stay_different() {
        let names = ["李明", "李小明", "李晓明", "李·明", "LI MING", "LI MIN", "黎明"];
        for (at, one) in names.iter().enumerate() {
            for other in names.iter().skip(at + 1) {
                assert_ne!(same_name_key(one), same_name_key(other));
            }
        }
    }

    #[test]
    fn a_key_is_its_own_key() {
        for name in ["李 小明", "Ａｎｎａ．Ｌｉ", "买买提•吐尔逊", "straße", ""] {
            let key = same_name_key(name);
            assert_eq!(same_name_key(&key), key);
        }
    }

    #[test]
    fn names_are_masked_by_length() {
        for (name, shown) in [
            ("", ""),
            (" ", ""),
            ("李", "*"),
            ("李\u{200B}", "*"),
            ("李明", "李*"),
            ("李小明", "李*明"),
            ("欧阳小明", "欧**明"),
            ("买买提·吐尔逊", "买*****逊"),
            ("𠮷田明", "𠮷*明"),
        ] {
            assert_eq!(masked(name), shown, "{name:?}");
        }
    }
}
