//! The language in which people are addressed.

/// The languages of `UserError.message` and of the labels of a calculation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    #[default]
    Chinese,
    English,
}

impl Language {
    /// The first language of an `Accept-Language` header, by weight, that is spoken here; Chinese when none is.
    pub fn accepted(header: Option<&str>) -> Self {
        let mut best = (0, Self::default());
        for range in header.unwrap_or_default().split(',') {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let weight =
                parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1000, |q| thousandths(q.trim()));
            let language = match tag.split('-').next() {
                Some("zh") | Some("*") => Self::Chinese,
                Some("en") => Self::English,
                _ => continue,
            };
            if weight > best.0 {
                best = (weight, language);
            }
        }
        best.1
    }
}

/// A quality value such as `0.8` in thousandths; one that cannot be read counts nothing.
fn thousandths(q: &str) -> u32 {
    let (whole, fraction) = q.split_once('.').unwrap_or((q, ""));
    let padded = format!("{fraction:0<3}");
    match (whole.parse::<u32>(), padded.get(..3).map(str::parse::<u32>)) {
        (Ok(whole), Some(Ok(fraction))) => (whole.min(1) * 1000 + fraction).min(1000),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::Language;

    #[test]
    fn the_heaviest_known_language_wins() {
        assert_eq!(Language::accepted(None), Language::Chinese);
        assert_eq!(Language::accepted(Some("en-GB,en;q=0.8,zh;q=0.5")), Language::English);
        assert_eq!(Language::accepted(Some("de, en;q=0.3, zh-CN;q=0.9")), Language::Chinese);
        assert_eq!(Language::accepted(Some("fr, *;q=0.1")), Language::Chinese);
        assert_eq!(Language::accepted(Some("en;q=0")), Language::Chinese);
        assert_eq!(Language::accepted(Some("en;q=banana")), Language::Chinese);
    }
}
